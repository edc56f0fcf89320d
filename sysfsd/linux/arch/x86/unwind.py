"""Who called whom: the ORC unwinder (arch/x86/kernel/unwind_orc.c)."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple
from weakref import WeakKeyDictionary

from sysfsd.linux.kernel.kprobes import Kprobes

if TYPE_CHECKING:
    from sysfsd.linux.arch.x86.traps import Regs
    from sysfsd.linux.kernel.module.module import Module
    from sysfsd.linux.system import Kernel

__all__ = ["Unwinder"]

#: More frames than a stack of 16 KiB has.
_FRAMES_MAX: Final = 512

# Base registers (arch/x86/include/asm/orc_types.h).
_ORC_REG_PREV_SP, _ORC_REG_DX, _ORC_REG_DI, _ORC_REG_BP, _ORC_REG_SP = 1, 2, 3, 4, 5
_ORC_REG_R10, _ORC_REG_R13, _ORC_REG_BP_INDIRECT, _ORC_REG_SP_INDIRECT = 6, 7, 8, 9


#: Base registers that hold their value only in the innermost frame.
_REGISTERS: Final = {_ORC_REG_R10: "r10", _ORC_REG_R13: "r13", _ORC_REG_DI: "rdi", _ORC_REG_DX: "rdx"}


_ORC: Final = struct.Struct("<hhH")


class _OrcEntry(NamedTuple):
    """``struct orc_entry``: how to get from a place in the code to the frame above it."""

    sp_offset: int
    bp_offset: int
    sp_reg: int
    bp_reg: int


class Unwinder:
    """Walks the stacks of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        #: What was found for places in the code, until that changes.
        self._known: dict[int, _OrcEntry | None] = {}
        #: Where functions return to whose return somebody waits for.
        self._trampoline = kernel.image.symbols.get("arch_rethook_trampoline")
        self._tables: WeakKeyDictionary[Module, tuple[list[int], list[int]]] = WeakKeyDictionary()

    def code_changed(self) -> None:
        """Modules have come or gone."""
        self._known.clear()

    def frames(self, regs: Regs) -> Iterator[int]:
        """The return addresses above the place where a task is, the innermost first."""
        return self.walk(regs.rip, regs.rsp, regs.rbp, regs)

    def walk(self, ip: int, sp: int, bp: int, regs: Regs | None = None) -> Iterator[int]:
        """The same from an instruction, stack and base pointer.

        :param regs: needed only where code that has realigned its stack may be at *ip* itself
        """
        memory = self._kernel.memory
        image = self._kernel.image
        text = range(*image.text)
        first = True
        for _ in range(_FRAMES_MAX):
            try:
                at = ip if first else ip - 1
                entry = self._known[at] if at in self._known else self._find(at)
                if entry is not None:
                    if entry.sp_reg == _ORC_REG_SP:
                        frame = sp + entry.sp_offset
                    elif entry.sp_reg == _ORC_REG_BP:
                        frame = bp + entry.sp_offset
                    elif entry.sp_reg == _ORC_REG_BP_INDIRECT:
                        frame = memory.read_pointer(bp + entry.sp_offset)
                    elif entry.sp_reg == _ORC_REG_SP_INDIRECT:
                        frame = memory.read_pointer(sp) + entry.sp_offset
                    elif regs is not None and entry.sp_reg in _REGISTERS:
                        frame = getattr(regs, _REGISTERS[entry.sp_reg]) + entry.sp_offset
                    else:
                        return
                    if entry.bp_reg == _ORC_REG_PREV_SP:
                        bp = memory.read_pointer(frame + entry.bp_offset)
                    elif entry.bp_reg == _ORC_REG_BP:
                        bp = memory.read_pointer(bp + entry.bp_offset)
                    sp = frame
                elif ip and ip not in text:
                    return
                else:
                    sp += 8
                ip = memory.read_pointer(sp - 8)
                if ip == self._trampoline:
                    ip = self._kernel.state(Kprobes).ret_addr(sp - 8)
            except OSError:
                return
            first = False
            if ip not in text and self._kernel.modules.address(ip) is None:
                return
            yield ip
            site = self._call_site(ip, sp)
            probed = self._kernel.state(Kprobes).unwind(ip, sp) if site is not None else None
            if site is not None and probed is not None:
                yield from site
                shown, ip, sp, bp = probed
                yield shown
            elif site is not None:
                # What called the module is the kernel itself, whose frames stand one behind the other.
                yield from site
                sp += 8 * (len(site) + (len(site) + 1) % 2)
                return

    def _call_site(self, ip: int, sp: int) -> tuple[int, ...] | None:
        """The frames of the kernel proper above the return address *ip*, which lie at *sp*."""
        sites = self._kernel.image.call_sites_at(ip)
        for site in sites if len(sites) > 1 else ():
            with suppress(OSError):
                if struct.unpack(f"<{len(site)}Q", self._kernel.memory.read(sp, 8 * len(site))) == site:
                    return site
        return sites[0] if sites else None

    def _find(self, ip: int) -> _OrcEntry | None:
        """``orc_find()``; None where the return address is on top of the stack: in the kernel proper, and nowhere."""
        found = self._known[ip] = self._search(ip)
        return found

    def _search(self, ip: int) -> _OrcEntry | None:
        mod = self._kernel.modules.address(ip)
        if mod is None:
            return None
        table = self._tables.get(mod)
        if table is None:
            table = self._tables[mod] = self._sorted(mod)
        addresses, places = table
        found = None
        index = bisect_right(addresses, ip) - 1
        # Where one section of code ends and the next begins there are two, of which the one that ends says nothing.
        for at in range(index, -1, -1):
            if addresses[at] != addresses[index] or (found is not None and found.sp_reg):
                break
            sp_offset, bp_offset, bits = _ORC.unpack(self._kernel.memory.read(places[at], _ORC.size))
            found = _OrcEntry(sp_offset, bp_offset, bits & 15, bits >> 4 & 15)
        return found

    def _sorted(self, mod: Module) -> tuple[list[int], list[int]]:
        """``unwind_module_init()``: where in the code entries begin to count, in order, and where they are."""
        table, data = mod.section(".orc_unwind_ip"), mod.section(".orc_unwind")
        if table is None or data is None:
            return [], []
        count = min(table.size // 4, data.size // _ORC.size)
        offsets = struct.unpack(f"<{count}i", self._kernel.memory.read(table.address, 4 * count))
        addresses = [table.address + 4 * i + offset for i, offset in enumerate(offsets)]
        order = sorted(range(count), key=addresses.__getitem__)
        return [addresses[i] for i in order], [data.address + _ORC.size * i for i in order]
