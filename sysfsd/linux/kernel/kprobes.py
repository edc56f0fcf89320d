"""Probes of functions: what modules have called when the processor gets somewhere.

Follows kernel/kprobes.c, arch/x86/kernel/kprobes/ and rethook.c. A place in a module's code, or in one of the kernel's
functions that have machine code here, gets a breakpoint; what Python carries out is told before it is called.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from sysfsd.linux.arch.x86.insn import insn_length
from sysfsd.linux.arch.x86.syscall_table import place_sys_call_table
from sysfsd.linux.arch.x86.traps import Regs
from sysfsd.linux.err import err
from sysfsd.linux.kernel.module.module import Module, ModuleState
from sysfsd.linux.kernel.sched.core import HARDIRQ_OFFSET
from sysfsd.linux.lib.list import INIT_LIST_HEAD

if TYPE_CHECKING:
    from sysfsd.linux.kernel.sched.core import Task
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = ["Kprobes", "Redirect"]

_INT3: Final = b"\xcc"
#: The call of the function tracer that functions begin with.
_MCOUNT_INSN_SIZE: Final = 5
_NOP5: Final = b"\x0f\x1f\x44\x00\x00"
_KSYM_NAME_LEN: Final = 512
_INSN_MAX: Final = 15

# struct kprobe's flags (include/linux/kprobes.h).
_FLAG_GONE: Final = 1
_FLAG_DISABLED: Final = 2
_FLAG_FTRACE: Final = 8
_FLAG_ON_FUNC_ENTRY: Final = 16

_KRETPROBE_MAX_DATA_SIZE: Final = 4096
_KRETPROBE_MAXACTIVE: Final = 10
#: ``kretprobe_blacklist``.
_NO_KRETPROBE: Final = ("__switch_to",)
#: preempt_count in an exception.
_NMI_OFFSET: Final = 1 << 20
_EFLAGS_IF: Final = 0x200
_EFLAGS_TF: Final = 0x100
_KERNEL_CS, _KERNEL_DS = 0x10, 0x18

#: ``struct pt_regs``, in its order; None: what is not a register.
_PT_REGS: Final = (
    "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi", None, "rip",
    None, "flags", "rsp", None,
)  # fmt: skip
_PT_REGS_FORM: Final = struct.Struct(f"<{len(_PT_REGS)}Q")
#: Where in it the code segment and the stack segment are.
_CS, _SS = 17, 20

#: From where handlers are called (docs/kernel-image.md).
_SITE_FTRACE, _SITE_INT3, _SITE_RETURN = "kprobe_ftrace", "kprobe_int3", "kretprobe"
#: Of what could be optimized, and is a probe of probes for that.
_SITE_OPTIMIZED: Final = "kprobe_int3.optimized"


def _text_of(mod: Module, address: int) -> int:
    """Where the part of a module's code ends that *address* lies in; 0 where it does not lie in it."""
    for layout in (mod.core_layout, mod.init_layout):
        if layout.base <= address < layout.base + layout.text_size:
            return layout.base + layout.text_size
    return 0


class Redirect(BaseException):
    """A function of the kernel is not carried out, or over: the code goes on somewhere else."""

    def __init__(self, rip: int) -> None:
        super().__init__(rip)
        self.rip = rip


class _Place(NamedTuple):
    """Where probes are.

    *probes* are addresses of ``struct kprobe``, the newest first; *code* is the byte that the breakpoint replaces,
    nothing where there is none.
    """

    mod: Module | None
    probes: list[int]
    ftrace: bool
    code: bytes


class _Instance(NamedTuple):
    """A call whose return is awaited: ``struct kretprobe_instance``, and where the return address was."""

    address: int
    sp: int
    ret_addr: int


class Kprobes:
    """The probes of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._places: dict[int, _Place] = {}
        #: Probes of returns, by the address of their probe of the call.
        self._returns: dict[int, StructView] = {}
        #: Instances that nobody uses, by the address of the probe of returns.
        self._free: dict[int, list[int]] = {}
        #: Calls whose return is awaited, the innermost last, by task.
        self._awaited: dict[int, list[_Instance]] = {}
        #: Whether a handler runs.
        self._running = False
        #: How many functions of the kernel model have begun that probes are told of.
        self._depth = 0

    @cached_property
    def trampoline(self) -> int:
        """``arch_rethook_trampoline()``, where functions return to whose return is awaited."""
        return self._kernel.exports.internal("void arch_rethook_trampoline(void)", lambda kernel: self._returned())

    # Where

    def _address(self, probe: StructView) -> tuple[int, bool]:
        """``kprobe_addr()``: the address, and whether a function begins there.

        :raises OSError: EINVAL, ENOENT
        """
        kernel = self._kernel
        address = probe["addr"]
        if bool(probe["symbol_name"]) == bool(address):
            raise err(errno.EINVAL)
        if probe["symbol_name"]:
            name = kernel.memory.read_string(probe["symbol_name"], _KSYM_NAME_LEN).decode("latin-1")
            address = self._lookup_name(name)
            if not address:
                raise err(errno.ENOENT)
        address += probe["offset"]
        place = kernel.kallsyms.lookup(address)
        if place is None:
            raise err(errno.ENOENT)
        return address, not place.offset

    def _lookup_name(self, name: str) -> int:
        """``kallsyms_lookup_name()``."""
        kernel = self._kernel
        modname, colon, rest = name.partition(":")
        if not colon:
            found = kernel.kallsyms.address_of(name) if name else None
            if found is not None:
                if name == "kallsyms_lookup_name":  # which is what most who ask want
                    declaration = "unsigned long kallsyms_lookup_name(const char *name)"
                    kernel.exports.internal(declaration, lambda kernel, name: self._lookup_name(name.decode("latin-1")))
                elif name == "sys_call_table":
                    place_sys_call_table(kernel)
                return found
            modules, rest = list(kernel.modules), name
        else:
            modules = [mod for mod in kernel.modules if mod.name == modname]
        for mod in modules:
            if mod.state is not ModuleState.UNFORMED and rest:
                found = kernel.kallsyms.module_address_of(mod, rest)
                if found:
                    return found
        return 0

    @cached_property
    def _no_ranges(self) -> list[range]:
        """Text of the kernel that must not be probed."""
        address_of = self._kernel.kallsyms.address_of
        names = ("noinstr_text", "kprobes_text", "entry_text")
        ends = [(address_of(f"__{name}_start"), address_of(f"__{name}_end")) for name in names]
        return [range(start, end) for start, end in ends if start is not None and end is not None]

    def _blacklisted(self, address: int) -> bool:
        """``within_kprobe_blacklist()``."""
        if any(address in forbidden for forbidden in self._no_ranges):
            return True
        kallsyms = self._kernel.kallsyms
        place = kallsyms.lookup(address)
        if place is None or place.module:
            return False
        return kallsyms.address_of(f"_kbl_addr_{place.name}") is not None or place.name.startswith(
            ("__x86_indirect_", "__cfi_", "__pfx_")
        )

    def _check(self, address: int) -> Module | None:
        """``check_kprobe_address_safe()``: the module whose code it is.

        :raises OSError: EINVAL, ENOENT
        """
        kernel = self._kernel
        mod: Module | None = None
        if address not in range(*kernel.image.text):
            mod = kernel.modules.address(address)
            if mod is None or not _text_of(mod, address):
                raise err(errno.EINVAL)
        if self._blacklisted(address) or kernel.traps.find_bug(address) is not None:
            raise err(errno.EINVAL)
        if mod is not None:
            if not mod.live and mod.state is not ModuleState.COMING:
                raise err(errno.ENOENT)
            if address in mod.init_layout and mod.state is not ModuleState.COMING:
                raise err(errno.ENOENT)
        return mod

    def _can_probe(self, address: int, mod: Module | None, start: int) -> None:
        """``can_probe()``: whether an instruction begins there.

        :raises OSError: EILSEQ
        """
        if mod is None:
            # What is behind a function's beginning is not there to be looked at.
            if 0 < address - start < _MCOUNT_INSN_SIZE:
                raise err(errno.EILSEQ)
            return
        at = start
        while at < address:
            code = bytearray(self._kernel.memory.read(at, min(_INSN_MAX, _text_of(mod, at) - at)))
            if at in self._places and self._places[at].mod is mod:
                code[:1] = self._places[at].code
            try:
                at += insn_length(bytes(code))
            except IndexError:
                break
        if at != address:
            raise err(errno.EILSEQ)

    def _uses_ftrace(self, address: int, mod: Module | None) -> bool:
        """``ftrace_location()``: whether the tracer can be called there."""
        kernel = self._kernel
        if mod is not None:
            return kernel.memory.read(address, _MCOUNT_INSN_SIZE) == _NOP5
        if any(address in forbidden for forbidden in self._no_ranges):
            return False
        place = kernel.kallsyms.lookup(address)
        # What is in lib/ is not traced, nor is what is written in assembler.
        return place is not None and not place.offset and not kernel.exports.untraced(address)

    # Registering

    def _valid(self, probe: StructView) -> _Place | None:
        """``__get_valid_kprobe()``: the place of a probe that is registered."""
        place = self._places.get(probe["addr"])
        if place is None or self._is_gone(probe["addr"], place):
            return None
        return place if probe.address in place.probes else None

    def _is_gone(self, address: int, place: _Place) -> bool:
        """Whether the module in whose code the place was is no more."""
        return place.mod is not None and self._kernel.modules.address(address) is not place.mod

    def register(self, probe: StructView) -> int:
        """``register_kprobe()``.

        :raises OSError: EINVAL, ENOENT, EILSEQ
        """
        kernel = self._kernel
        address, on_func_entry = self._address(probe)
        probe["addr"] = address
        if self._valid(probe) is not None:
            kernel.traps.warn_at("kernel/kprobes.c", 1532, site="register_kprobe+0x47f", once=True)
            raise err(errno.EINVAL)
        probe["flags"] &= _FLAG_DISABLED
        probe["nmissed"] = 0
        INIT_LIST_HEAD(kernel.memory, probe.at("list"))
        mod = kernel.modules.address(address)
        ftrace = on_func_entry and (address in range(*kernel.image.text) or mod is not None)
        ftrace = ftrace and self._uses_ftrace(address, mod)
        if ftrace:
            probe["flags"] |= _FLAG_FTRACE
        mod = self._check(address)
        if on_func_entry:
            probe["flags"] |= _FLAG_ON_FUNC_ENTRY
        place = self._places.get(address)
        if place is not None and place.mod is not mod:  # of a module that is no more
            place = None
        if place is None:
            found = kernel.kallsyms.lookup(address)
            self._can_probe(address, mod, address - found.offset if found is not None else address)
            code = self._arm(address, mod)
            place = self._places[address] = _Place(mod, [], ftrace, code)
        place.probes.insert(0, probe.address)
        return 0

    def _arm(self, address: int, mod: Module | None) -> bytes:
        """``arm_kprobe()``.

        :returns: the byte that the breakpoint replaces
        """
        kernel = self._kernel
        if mod is None and (not kernel.exports.is_native(address) or address == kernel.cpu.return_thunk):
            kernel.cpu.rebind(address)
            return b""
        kernel.cpu.populate(address)
        code = kernel.memory.read(address, 1)
        kernel.memory.poke(address, _INT3)
        kernel.cpu.code_changed()
        return code

    def _disarm(self, address: int, place: _Place) -> None:
        kernel = self._kernel
        del self._places[address]
        if not place.code:
            kernel.cpu.rebind(address)
        elif not self._is_gone(address, place):
            kernel.memory.poke(address, place.code)
            kernel.cpu.code_changed()

    def unregister(self, probe: StructView) -> None:
        """``unregister_kprobe()``."""
        place = self._valid(probe)
        if place is None:
            probe["addr"] = 0
            return
        probe["flags"] |= _FLAG_DISABLED
        place.probes.remove(probe.address)
        if not place.probes:
            self._disarm(probe["addr"], place)

    def set_enabled(self, probe: StructView, enabled: bool) -> int:
        """``enable_kprobe()``, ``disable_kprobe()``.

        :raises OSError: EINVAL for one that is not registered
        """
        if self._valid(probe) is None or (enabled and probe["flags"] & _FLAG_GONE):
            raise err(errno.EINVAL)
        if enabled:
            probe["flags"] &= ~_FLAG_DISABLED
        else:
            probe["flags"] |= _FLAG_DISABLED
        return 0

    def listing(self, show_value: bool) -> bytes:
        """``show_kprobe_addr()``: address, kind, symbol, state of each probe.

        :param show_value: addresses, too
        """
        lines = []
        for address, place in self._places.items():
            found = self._kernel.kallsyms.lookup(address)
            symbol = f"{found.name}+0x{found.offset:x}  {found.module or ' '}" if found is not None else f"{address:#x}"
            gone = self._is_gone(address, place)
            for probe in place.probes:
                view = self._kernel.struct("kprobe", probe)
                kind = "r" if probe in self._returns else "k"
                state = "[GONE]" if gone else "[DISABLED]" * bool(view["flags"] & _FLAG_DISABLED)
                state += "[FTRACE]" * place.ftrace
                lines.append(f"{address if show_value else 0:016x}  {kind}  {symbol} {state}\n")
        return "".join(lines).encode("latin-1")

    # The processor gets there

    def wrap(self, address: int, stub: Callable[[list[int]], int]) -> Callable[[list[int]], int]:
        """What carries out the kernel's function at *address*, where that is probed."""
        place = self._places.get(address)
        if place is None:
            return stub

        mask = (1 << 8 * self._kernel.exports.result_size(address)) - 1

        def call(args: list[int]) -> int:
            kernel = self._kernel
            task = kernel.current
            sp = task.sp
            regs, go_on = self._hit(task, address, place, kernel.cpu.regs()._replace(rip=address))
            kernel.cpu.set_regs(task, regs)
            task.sp = sp
            if not go_on:
                raise Redirect(regs.rip)
            return mask & stub([regs.rdi, regs.rsi, regs.rdx, regs.rcx, regs.r8, regs.r9])

        return call

    def int3(self, task: Task, regs: Regs) -> int | None:
        """``kprobe_int3_handler()``: a breakpoint that is behind *regs*.rip by a byte.

        :returns: where the code goes on; None where the breakpoint is none of a probe
        """
        address = regs.rip - 1
        place = self._places.get(address)
        if place is None or not place.code:
            return None
        regs, go_on = self._hit(task, address, place, regs._replace(rip=address))
        cpu = self._kernel.cpu
        cpu.set_regs(task, regs)
        if not go_on:
            return regs.rip
        if self._places.get(address) is not place:
            return address  # the handler has taken it away
        if place.ftrace and place.mod is not None:
            return address + _MCOUNT_INSN_SIZE
        rip = cpu.step(task, address, place.code, _INT3)
        self._post(task, address, place, cpu.regs()._replace(rip=rip))
        return rip

    def _hit(self, task: Task, address: int, place: _Place, regs: Regs) -> tuple[Regs, bool]:
        """Call the handlers.

        :returns: the registers as they leave them, and whether the code goes on as if nothing had been
        """
        probes = [self._kernel.struct("kprobe", probe) for probe in list(place.probes)]
        if self._running:
            for probe in probes:
                probe["nmissed"] += 1
            return regs, True
        site = _SITE_FTRACE if place.ftrace else _SITE_INT3
        if not place.ftrace and not any(probe["post_handler"] for probe in probes):
            site = _SITE_OPTIMIZED
        with _Handlers(self, task, place.ftrace, regs._replace(rip=address + 1)) as frame:
            for probe in probes:
                if probe["flags"] & _FLAG_DISABLED:
                    continue
                returns = self._returns.get(probe.address)
                if returns is not None:
                    self._entry(task, returns, frame, site)
                elif probe["pre_handler"] and self._kernel.cpu.call(
                    probe["pre_handler"], probe.address, frame.address, site=site
                ):
                    return self._left(frame, place, regs, False), False
            changed = self._left(frame, place, regs, True)
            if place.ftrace or not place.code:
                # How long a function's first instruction is nobody knows who does not have it; most push a register.
                length = _MCOUNT_INSN_SIZE if place.ftrace else 1
                frame.write(changed._replace(rip=address + length))
                self._post_handlers(probes, frame, site)
                changed = self._left(frame, place, regs, True)
        return changed._replace(rip=address), True

    def _left(self, frame: _Handlers, place: _Place, before: Regs, go_on: bool) -> Regs:
        """The registers as handlers have left them; where the tracer was called, the stack is what it was."""
        regs = frame.read()
        return regs._replace(rsp=before.rsp) if place.ftrace else regs

    def _post_handlers(self, probes: list[StructView], frame: _Handlers, site: str) -> None:
        for probe in probes:
            if probe["post_handler"] and not probe["flags"] & _FLAG_DISABLED:
                self._kernel.cpu.call(probe["post_handler"], probe.address, frame.address, 0, site=site)

    def _post(self, task: Task, address: int, place: _Place, regs: Regs) -> None:
        """Behind an instruction that has been carried out by itself."""
        probes = [self._kernel.struct("kprobe", probe) for probe in place.probes]
        if self._running or not any(probe["post_handler"] for probe in probes):
            return
        if place.ftrace:
            return
        with _Handlers(self, task, False, regs) as frame:
            self._post_handlers(probes, frame, _SITE_INT3)
            regs = frame.read()._replace(rip=regs.rip)
        self._kernel.cpu.set_regs(task, regs)

    # Returns

    def register_return(self, rp: StructView) -> int:
        """``register_kretprobe()``.

        :raises OSError: EINVAL, ENOENT, E2BIG
        """
        kernel = self._kernel
        probe = rp.sub("kp")
        address, on_func_entry = self._address(probe)
        if not on_func_entry:
            raise err(errno.EINVAL)
        if probe["addr"] and self._valid(probe) is not None:
            kernel.traps.warn_at("kernel/kprobes.c", 1532, once=True)
            raise err(errno.EINVAL)
        if address in {kernel.kallsyms.address_of(name) for name in _NO_KRETPROBE}:
            raise err(errno.EINVAL)
        if rp["data_size"] > _KRETPROBE_MAX_DATA_SIZE:
            raise err(errno.E2BIG)
        pre_handler = kernel.kallsyms.address_of("pre_handler_kretprobe")
        probe["pre_handler"], probe["post_handler"] = pre_handler or 0, 0
        if rp["maxactive"] <= 0:
            rp["maxactive"] = _KRETPROBE_MAXACTIVE
        self._new_instances(rp)
        rp["nmissed"] = 0
        try:
            self.register(probe)
        except OSError:
            self._free_instances(rp)
            raise
        self._returns[probe.address] = rp
        assert self.trampoline
        return 0

    def _new_instances(self, rp: StructView) -> None:
        """``rethook_alloc()`` and ``rethook_add_node()``."""
        kernel, structs = self._kernel, self._kernel.image.structs
        rethook = kernel.struct("rethook", kernel.slab.kmalloc(structs["rethook"].size))
        rethook["data"], rp["rh"] = rp.address, rethook.address
        instances = self._free[rp.address] = []
        for _ in range(rp["maxactive"]):
            instance = kernel.slab.kmalloc(structs["kretprobe_instance"].size + rp["data_size"])
            kernel.struct("kretprobe_instance", instance)["node.rethook"] = rethook.address
            instances.append(instance)

    def _free_instances(self, rp: StructView) -> None:
        for instance in self._free.pop(rp.address, []):
            self._kernel.slab.kfree(instance)
        if rp["rh"]:
            self._kernel.slab.kfree(rp["rh"])
            rp["rh"] = 0

    def unregister_return(self, rp: StructView) -> None:
        """``unregister_kretprobe()``; calls that have begun return as ever."""
        self._returns.pop(rp.at("kp"), None)
        self.unregister(rp.sub("kp"))
        awaited = {instance.address for calls in self._awaited.values() for instance in calls}
        if awaited:  # whoever returns finds that the probe is gone
            for instance in awaited:
                view = self._kernel.struct("kretprobe_instance", instance)
                if view["node.rethook"] == rp["rh"]:
                    view["node.rethook"] = 0
        self._free_instances(rp)

    def _entry(self, task: Task, rp: StructView, frame: _Handlers, site: str) -> None:
        """``pre_handler_kretprobe()``."""
        kernel, free = self._kernel, self._free[rp.address]
        if not free:
            rp["nmissed"] += 1
            return
        instance = free.pop()
        handler = rp["entry_handler"]
        if handler and kernel.cpu.call(handler, instance, frame.address, site=site):
            free.append(instance)
            return
        node = kernel.struct("kretprobe_instance", instance)
        sp = frame.read().rsp
        ret_addr = kernel.memory.read_pointer(sp)
        node["node.ret_addr"], node["node.frame"] = ret_addr, sp
        kernel.memory.write_pointer(sp, self.trampoline)
        self._awaited.setdefault(task.address, []).append(_Instance(instance, sp, ret_addr))

    def ret_addr(self, sp: int) -> int:
        """``rethook_find_ret_addr()``: where the function really returns to whose return address was at *sp*."""
        calls = (call for calls in self._awaited.values() for call in calls)
        return next((call.ret_addr for call in calls if call.sp == sp and call.ret_addr != self.trampoline), 0)

    def unwind(self, ip: int, sp: int) -> tuple[int, int, int, int] | None:
        """What is above a handler, in a backtrace.

        :param ip: the return address into the kernel, which was right below *sp*
        :returns: what to show, and the instruction, stack and base pointer to go on from; None where no handler is
        """
        for site in (_SITE_FTRACE, _SITE_RETURN):
            frames = self._kernel.image.call_sites[site]
            if frames[0] == ip:
                regs = self._kernel.struct("pt_regs", sp + 8 * len(frames))
                if site == _SITE_RETURN:
                    return self.trampoline, regs["ip"], regs["sp"], regs["bp"]
                place = self._kernel.kallsyms.lookup(regs["ip"])
                start = regs["ip"] - (place.offset if place is not None else 0)
                return start + _MCOUNT_INSN_SIZE, start + _MCOUNT_INSN_SIZE, regs["sp"], regs["bp"]
        return None

    def _returned(self) -> int:
        """``arch_rethook_trampoline_callback()``: a function has returned."""
        kernel = self._kernel
        task = kernel.current
        regs, ret_addr = self._finish(task, kernel.cpu.regs())
        kernel.cpu.set_regs(task, regs)
        raise Redirect(ret_addr)

    def _finish(self, task: Task, regs: Regs) -> tuple[Regs, int]:
        """``rethook_trampoline_handler()``: the innermost function whose return is awaited has returned.

        :returns: the registers, and where it returns to
        """
        calls = self._awaited[task.address]
        mine = [call for call in calls if call.sp == calls[-1].sp]
        del calls[len(calls) - len(mine) :]
        if not calls:
            del self._awaited[task.address]
        ret_addr = mine[0].ret_addr
        with _Handlers(self, task, True, regs._replace(rip=ret_addr)) as frame:
            for call in reversed(mine):
                self._handle_return(call, frame)
            regs = frame.read()._replace(rip=ret_addr, rsp=regs.rsp)
        return regs, ret_addr

    def _handle_return(self, call: _Instance, frame: _Handlers) -> None:
        """``kretprobe_rethook_handler()``."""
        kernel = self._kernel
        rethook = kernel.struct("kretprobe_instance", call.address)["node.rethook"]
        rp = kernel.struct("kretprobe", kernel.struct("rethook", rethook)["data"]) if rethook else None
        if rp is not None and rp["handler"] and not rp["kp.flags"] & _FLAG_DISABLED:
            kernel.cpu.call(rp["handler"], call.address, frame.address, site=_SITE_RETURN)
        if rp is not None and rp.address in self._free:
            self._free[rp.address].append(call.address)
        else:
            kernel.slab.kfree(call.address)

    # What the kernel model does by itself

    @contextmanager
    def called(self, name: str, *args: int) -> Iterator[list[int]]:
        """A function of the kernel proper that does its work in Python begins, and ends with the context.

        :returns: a list for its result
        """
        result = [0]
        kernel = self._kernel
        address = kernel.kallsyms.address_of(name) if self._places else None
        place = self._places.get(address or 0)
        if address is None or place is None:
            yield result
            return
        task = kernel.current
        task.on_cpu()
        kernel.cpu.load(task)
        sp = ((task.sp or task.stack_top) & -16) - 8 - 16 * self._depth
        kernel.memory.write_pointer(sp, kernel.image.call_sites["syscall"][0])
        arguments = dict(zip(("rdi", "rsi", "rdx"), args, strict=False))
        regs = Regs(rsp=sp, rip=address, flags=_EFLAGS_IF | 2, **arguments)
        self._hit(task, address, place, regs)
        self._depth += 1
        try:
            yield result
        finally:
            self._depth -= 1
        if any(call.sp == sp for call in self._awaited.get(task.address, ())):
            kernel.cpu.load(task)
            self._finish(task, Regs(rax=result[0] & (1 << 32) - 1, rsp=sp + 8, flags=_EFLAGS_IF | 2))


class _Handlers:
    """While handlers run: ``struct pt_regs`` on the task's stack, and what is off.

    :param ftrace: the tracer has called, not an exception
    """

    def __init__(self, kprobes: Kprobes, task: Task, ftrace: bool, regs: Regs) -> None:
        self._kprobes = kprobes
        self._kernel = kprobes._kernel
        self._task = task
        self._ftrace = ftrace
        self._before = regs
        self._sp = task.sp
        self._count = 0
        self.address = (regs.rsp - _PT_REGS_FORM.size) & -16

    def __enter__(self) -> _Handlers:
        sched = self._kernel.sched
        self._kprobes._running = True
        self._count = sched.preempt_count
        sched.preempt_count = self._count + (1 if self._ftrace else _NMI_OFFSET + HARDIRQ_OFFSET)
        if not self._ftrace:
            self._kernel.cpu.set_interrupts(False)
        self.write(self._before)
        self._task.sp = self.address
        return self

    def __exit__(self, *_: object) -> None:
        self._kprobes._running = False
        self._kernel.sched.preempt_count = self._count
        self._task.sp = self._sp

    def write(self, regs: Regs) -> None:
        values = [getattr(regs, name) if name is not None else 0 for name in _PT_REGS]
        values[_CS], values[_SS] = _KERNEL_CS, _KERNEL_DS
        self._kernel.memory.write(self.address, _PT_REGS_FORM.pack(*values))

    def read(self) -> Regs:
        values = _PT_REGS_FORM.unpack(self._kernel.memory.read(self.address, _PT_REGS_FORM.size))
        return Regs(**{name: value for name, value in zip(_PT_REGS, values, strict=True) if name is not None})
