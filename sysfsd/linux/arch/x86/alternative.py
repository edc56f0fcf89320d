"""Code that is patched when a module is loaded, and while it runs: alternatives, returns, ftrace sites, static keys.

Follows arch/x86/kernel/alternative.c, jump_label.c and static_call.c, kernel/trace/ftrace.c, kernel/jump_label.c.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from sysfsd.linux.kernel.module.module import Module
    from sysfsd.linux.system import Kernel

__all__ = ["CPU_FEATURES", "jump_label_add_module", "jump_label_update", "module_finalize", "static_call_update"]

# Features of the processor that is played, as (word, bit) numbers of arch/x86/include/asm/cpufeatures.h.
X86_FEATURE_ALWAYS: Final = 3 * 32 + 21
#: What every x86-64 processor has, and the little besides that the emulated one has and modules' code is chosen by.
CPU_FEATURES: Final = frozenset(
    {
        *(0 * 32 + bit for bit in (0, 3, 4, 5, 6, 8, 11, 13, 15, 19, 24, 25, 26)),  # FPU ... FXSR, XMM, XMM2
        1 * 32 + 29,  # LM
        3 * 32 + 16,  # REP_GOOD
        3 * 32 + 20,  # NOPL
        X86_FEATURE_ALWAYS,
        4 * 32 + 0,  # XMM3
        4 * 32 + 13,  # CX16
        4 * 32 + 23,  # POPCNT
    }
)

#: ``struct paravirt_patch_site``.
_PATCH_SITE: Final = struct.Struct("<QBB6x")
#: Paravirtual operations that are an instruction.
_PARAVIRT: Final = {
    "cpu.read_cr0": "0f20c0",
    "cpu.write_cr0": "0f22c7",
    "cpu.write_cr4": "0f22e7",
    "cpu.wbinvd": "0f09",
    "cpu.io_delay": "",
    "irq.save_fl": "9c58",
    "irq.irq_disable": "fa",
    "irq.irq_enable": "fb",
    "irq.safe_halt": "fbf4",
    "mmu.read_cr2": "0f20d0",
    "mmu.write_cr2": "0f22d7",
    "mmu.read_cr3": "0f20d8",
    "mmu.write_cr3": "0f22df",
}

_ALTINSTR_FLAG_INV: Final = 1 << 15
_ALT_INSTR: Final = struct.Struct("<iiHBB")
_REL32: Final = struct.Struct("<i")
_JUMP_ENTRY: Final = struct.Struct("<iiq")
_CALL, _JMP32, _JMP8, _RET, _INT3 = 0xE8, 0xE9, 0xEB, b"\xc3", b"\xcc"

#: ``x86_nops``: one instruction of each length.
_NOPS: Final = (
    b"",
    b"\x90",
    b"\x66\x90",
    b"\x0f\x1f\x00",
    b"\x0f\x1f\x40\x00",
    b"\x0f\x1f\x44\x00\x00",
    b"\x66\x0f\x1f\x44\x00\x00",
    b"\x0f\x1f\x80\x00\x00\x00\x00",
    b"\x0f\x1f\x84\x00\x00\x00\x00\x00",
)


def _nops(length: int) -> bytes:
    """``add_nops()``."""
    longest = len(_NOPS) - 1
    return _NOPS[longest] * (length // longest) + _NOPS[length % longest]


def module_finalize(kernel: Kernel, mod: Module) -> None:
    """``module_finalize()`` and ``ftrace_module_init()``: make the module's code what this processor runs.

    :raises OSError: EFAULT where a table leads out of the module
    """
    apply_paravirt(kernel, mod)
    apply_returns(kernel, mod)
    apply_alternatives(kernel, mod)
    ftrace_module_init(kernel, mod)


def _patch(kernel: Kernel, mod: Module, address: int, code: bytes) -> None:
    """``text_poke_early()``, within the module."""
    for layout in (mod.core_layout, mod.init_layout):
        if layout.base <= address and address + len(code) <= layout.base + layout.size:
            kernel.memory.poke(address, code)
            return


def _places(kernel: Kernel, mod: Module, section: str) -> Iterator[int]:
    """The addresses in a table of 32-bit offsets, each from where it stands."""
    table = mod.section(section)
    if table is not None:
        data = kernel.memory.read(table.address, table.size - table.size % 4)
        for index, (offset,) in enumerate(_REL32.iter_unpack(data)):
            yield table.address + 4 * index + offset


def apply_paravirt(kernel: Kernel, mod: Module) -> None:
    """``apply_paravirt()``: on bare hardware, what a hypervisor could want to know of is but an instruction."""
    table = mod.section(".parainstructions")
    if table is None:
        return
    struct_ = kernel.image.structs["paravirt_patch_template"]
    native = {struct_.offset(member) // 8: bytes.fromhex(code) for member, code in _PARAVIRT.items()}
    for at in range(table.address, table.address + table.size - _PATCH_SITE.size + 1, _PATCH_SITE.size):
        address, kind, length = _PATCH_SITE.unpack(kernel.memory.read(at, _PATCH_SITE.size))
        code = native.get(kind)
        if code is not None and len(code) <= length:
            _patch(kernel, mod, address, code + _nops(length - len(code)))


def apply_returns(kernel: Kernel, mod: Module) -> None:
    """``apply_returns()``: no return thunk is needed here, a plain return does."""
    for address in _places(kernel, mod, ".return_sites"):
        if kernel.memory.read(address, 1)[0] == _JMP32:
            _patch(kernel, mod, address, _RET + _INT3 * 4)


def apply_alternatives(kernel: Kernel, mod: Module) -> None:
    """``apply_alternatives()``: put in the code for the features that the processor has."""
    table = mod.section(".altinstructions")
    if table is None:
        return
    memory = kernel.memory
    for at in range(table.address, table.address + table.size - _ALT_INSTR.size + 1, _ALT_INSTR.size):
        instr_offset, repl_offset, cpuid, length, repl_length = _ALT_INSTR.unpack(memory.read(at, _ALT_INSTR.size))
        present = cpuid & ~_ALTINSTR_FLAG_INV in CPU_FEATURES
        if present is bool(cpuid & _ALTINSTR_FLAG_INV) or repl_length > length:
            continue
        address, replacement = at + instr_offset, at + 4 + repl_offset
        code = memory.read(replacement, repl_length)
        if repl_length == 5 and code[0] in (_CALL, _JMP32):
            (displacement,) = _REL32.unpack_from(code, 1)
            code = code[:1] + _REL32.pack(displacement + replacement - address)
        _patch(kernel, mod, address, code + _nops(length - repl_length))


def ftrace_module_init(kernel: Kernel, mod: Module) -> None:
    """``ftrace_module_init()``: nobody traces, so the calls at the start of each function become nops."""
    table = mod.section("__mcount_loc")
    if table is None:
        return
    memory = kernel.memory
    for (address,) in struct.iter_unpack("<Q", memory.read(table.address, table.size - table.size % 8)):
        if address and memory.read(address, 1)[0] == _CALL:
            _patch(kernel, mod, address, _NOPS[5])


# Static keys


class _JumpEntry(NamedTuple):
    """``struct jump_entry``: a branch that a key decides."""

    code: int
    target: int
    key: int
    #: Whether the branch is taken while the key is false.
    branch: bool


def _jump_entries(kernel: Kernel, mod: Module) -> Iterator[_JumpEntry]:
    table = mod.section("__jump_table")
    if table is None:
        return
    data = kernel.memory.read(table.address, table.size - table.size % _JUMP_ENTRY.size)
    for index, (code, target, key) in enumerate(_JUMP_ENTRY.iter_unpack(data)):
        at = table.address + _JUMP_ENTRY.size * index
        address = at + 8 + key
        yield _JumpEntry(at + code, at + 4 + target, address & ~3, bool(address & 1))


def _transform(kernel: Kernel, mod: Module, entry: _JumpEntry, enabled: bool) -> None:
    """``jump_label_transform()``: make the place a jump or a nop."""
    first = kernel.memory.read(entry.code, 2)
    long = first[0] == _JMP32 or first == b"\x0f\x1f"
    size = 5 if long else 2
    if enabled != entry.branch:
        displacement = entry.target - entry.code - size
        code = bytes((_JMP32,)) + _REL32.pack(displacement) if long else bytes((_JMP8, displacement & 0xFF))
    else:
        code = _NOPS[size]
    _patch(kernel, mod, entry.code, code)


def jump_label_add_module(kernel: Kernel, mod: Module) -> None:
    """``jump_label_add_module()``: the module's branches are as its keys and the kernel's stand now."""
    memory = kernel.memory
    for entry in _jump_entries(kernel, mod):
        if kernel.modules.address(entry.key) is not None:
            _transform(kernel, mod, entry, memory.read_int(entry.key, 4, signed=True) > 0)


def jump_label_update(kernel: Kernel, key: int, enabled: bool) -> None:
    """``__jump_label_update()``: all branches that *key* decides, wherever they are."""
    for mod in kernel.modules:
        for entry in _jump_entries(kernel, mod):
            # What only the start needed may be gone.
            if entry.key == key and (entry.code in mod.core_layout or entry.code in mod.init_layout):
                _transform(kernel, mod, entry, enabled)
    kernel.cpu.code_changed()


def static_call_update(kernel: Kernel, trampoline: int, function: int) -> None:
    """``__static_call_update()``: calls go through the trampoline, which jumps to *function*, or returns."""
    mod = kernel.modules.address(trampoline)
    if mod is not None:
        code = bytes((_JMP32,)) + _REL32.pack(function - trampoline - 5) if function else _RET + _INT3 * 4
        _patch(kernel, mod, trampoline, code)
        kernel.cpu.code_changed()
