"""The processor: runs module code (Unicorn), and leaves it where the kernel itself has to act.

There is one, and all tasks take turns on it under the kernel lock. Its address space is the kernel's
(:mod:`sysfsd.linux.mm.memory`), page by page: what is not in the page table faults. The text of the kernel proper holds
nothing but ``hlt``: a module that calls an exported function arrives there, and the function is carried out in Python.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from unicorn import (
    UC_ARCH_X86,
    UC_HOOK_CODE,
    UC_HOOK_INSN,
    UC_HOOK_INTR,
    UC_HOOK_MEM_INVALID,
    UC_HOOK_TLB_FILL,
    UC_MODE_64,
    Uc,
)
from unicorn import unicorn_const as uc_const
from unicorn import x86_const as x86
from unicorn.unicorn_py3.unicorn import uc_tlb_entry, uclib

from sysfsd.linux.arch.x86.ports import Ports
from sysfsd.linux.arch.x86.traps import Access, Regs, TaskKilled, Trap, Unmodelled
from sysfsd.linux.kernel.kprobes import Kprobes, Redirect
from sysfsd.linux.mm.memory import PAGE_SIZE, PageFault, Prot

if TYPE_CHECKING:
    from sysfsd.linux.kernel.sched.core import Task
    from sysfsd.linux.system import Kernel

__all__ = ["CallSite", "Cpu"]

_HLT: Final = b"\xf4"
#: A physical page behind which there is nothing.
_NOWHERE: Final = 1 << 40
#: One where whatever is read is zero.
_DEVICES: Final = 1 << 41
#: Without this bit in CR0, what may be read may be written.
_CR0_WP: Final = 1 << 16
_CR0: Final = 0x80050033
_EFLAGS_IF: Final = 0x202
#: Vectors of exceptions; those above are interrupts.
_EXCEPTIONS: Final = range(32)
_U64: Final = (1 << 64) - 1
#: Bytes of a return address, and of a call instruction.
_RETURN: Final = 8
_CALL_SIZE: Final = 5
#: Arguments that go by registers. Others lie above the return address, where a function that a module has called calls.
_REGISTER_ARGS: Final = 6

#: The registers that make up a task's state, in the order of :class:`Regs`.
_CONTEXT: Final = tuple(
    getattr(x86, f"UC_X86_REG_{name.upper()}") for name in ("eflags" if f == "flags" else f for f in Regs._fields)
)
#: What a call of an exported function is read from.
_CALL: Final = tuple(
    getattr(x86, f"UC_X86_REG_{name}") for name in ("RIP", "RSP", "RDI", "RSI", "RDX", "RCX", "R8", "R9")
)
#: What module code has no business to change, and others depend on.
_SYSTEM: Final = tuple(
    getattr(x86, f"UC_X86_REG_{name}") for name in ("CR0", "CR3", "CR4", "CS", "SS", "DS", "GS_BASE", "FS_BASE")
)
_START: Final = (x86.UC_X86_REG_RSP, *_CALL[2:])

_TLB_FILL: Final = ctypes.CFUNCTYPE(
    ctypes.c_bool,
    ctypes.c_void_p,
    ctypes.c_uint64,
    ctypes.c_int,
    ctypes.POINTER(uc_tlb_entry),
    ctypes.c_void_p,
)
#: What a page must be good for.
_PROT: Final = {
    uc_const.UC_MEM_READ: Prot.READ,
    uc_const.UC_MEM_WRITE: Prot.WRITE,
    uc_const.UC_MEM_FETCH: Prot.EXEC,
}

# Called millions of times, each of these costs a third of what the binding's own methods do.
_emu_start: Final = uclib.uc_emu_start
_reg_read_batch: Final = uclib.uc_reg_read_batch
_reg_write_batch: Final = uclib.uc_reg_write_batch
_ctl: Final = uclib.uc_ctl
_FLUSH_TLB: Final = uc_const.UC_CTL_TLB_FLUSH | uc_const.UC_CTL_IO_WRITE << 30
_FLUSH_TB: Final = uc_const.UC_CTL_TB_FLUSH | uc_const.UC_CTL_IO_WRITE << 30


class _RegisterFile:
    """Some registers, moved between the processor and an array at one stroke."""

    def __init__(self, registers: tuple[int, ...]) -> None:
        self.count = len(registers)
        self.values = (ctypes.c_uint64 * self.count)()
        base = ctypes.addressof(self.values)
        self.ids = (ctypes.c_int * self.count)(*registers)
        self.pointers = (ctypes.c_void_p * self.count)(*(base + 8 * i for i in range(self.count)))


class CallSite(NamedTuple):
    """Where in the kernel a module's function is called from: return addresses, the innermost first."""

    frames: tuple[int, ...]


class Cpu:
    """The processor of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.memory = kernel.memory
        self._uc: Any = Uc(UC_ARCH_X86, UC_MODE_64)
        self._uc.ctl_set_tlb_mode(uc_const.UC_TLB_VIRTUAL)
        # Nothing stops it but hlt: a last address would cost a look at its page at the end of each stretch.
        self._uc.ctl_exits_enabled(True)
        self._uc.ctl_set_exits([])
        self._handle = self._uc._uch
        for area in self.memory.areas:
            self._uc.mem_map_ptr(area.physical, area.size, uc_const.UC_PROT_ALL, area.host_address)
        self._fill_callback = _TLB_FILL(self._tlb_fill)
        hook = ctypes.c_size_t()
        uclib.uc_hook_add(
            self._handle,
            ctypes.byref(hook),
            UC_HOOK_TLB_FILL,
            ctypes.cast(self._fill_callback, ctypes.c_void_p),
            None,
            ctypes.c_uint64(1),
            ctypes.c_uint64(0),
        )
        # Only where faults are: a hook anywhere else would make each write there ten times slower.
        self._uc.hook_add(UC_HOOK_MEM_INVALID, self._invalid, None, _NOWHERE, _NOWHERE + PAGE_SIZE - 1)
        self._uc.hook_add(UC_HOOK_INTR, self._interrupt)
        ports = kernel.state(Ports)
        for insn, function in ((x86.UC_X86_INS_IN, ports.inward), (x86.UC_X86_INS_OUT, ports.outward)):
            self._uc.hook_add(UC_HOOK_INSN, function, None, 1, 0, insn)
        self._uc.mmio_map(_DEVICES, PAGE_SIZE, lambda *_: 0, None, lambda *_: None, None)
        if kernel.first_called is not None:
            for address, name in kernel.exports.native_functions():
                self._uc.hook_add(UC_HOOK_CODE, self._first_called(name), None, address, address)
        self._context = _RegisterFile(_CONTEXT)
        self._call = _RegisterFile(_CALL)
        self._start = _RegisterFile(_START)
        self._rax = _RegisterFile((x86.UC_X86_REG_RAX,))
        #: Where there is a return instruction: an exported function ends there.
        self._ret = self.return_thunk = kernel.exports.address_of("__x86_return_thunk")
        self._system = _RegisterFile(_SYSTEM)
        #: What the last stretch of code ended with, if not with a call: a page fault, an exception's number.
        self._fault: tuple[int, Access] | None = None
        self._fault_page = 0
        self._exception: int | None = None
        self._tlb = -1
        self._known = self.memory.shootdowns.known
        self._code_changed = False
        #: The kernel's text from where it begins, and the pages of it that hold their hlts already.
        self._text = range(kernel.image.text[0], kernel.image.text[1])
        self._stubs: dict[int, Callable[[list[int]], int]] = {}
        self._text_pages: set[int] = set()
        #: Whose registers the processor holds, and whether it runs.
        self.loaded: Task | None = None
        self.running = False
        self._uc.reg_write(x86.UC_X86_REG_CR0, _CR0)
        self._uc.reg_write(x86.UC_X86_REG_GS_BASE, kernel.percpu.cpu_base(0))
        self._pristine = self._uc.context_save()
        self._read(self._system)
        self._system_values = tuple(self._system.values)
        self._handle = self._uc._uch

    # Memory

    def _tlb_fill(self, _uc: Any, vaddr: int, access: int, entry: Any, _data: Any) -> bool:
        """A page that the processor does not know yet: where it lies and what it may be used for."""
        found = entry.contents
        page = vaddr & -PAGE_SIZE
        area = self.memory.area(page)
        if area is not None:
            prot = area.prot[(page - area.base) >> 12]
            if page in self._text:
                self._populate(page)
                prot = Prot.RX
            if not prot & _PROT[access] and prot and access == uc_const.UC_MEM_WRITE and not self.reg("cr0") & _CR0_WP:
                prot |= Prot.WRITE
            if prot & _PROT[access]:
                found.paddr = area.physical + page - area.base if not prot & Prot.IO else _DEVICES
                found.perms = prot & ~Prot.IO
                self._known.add(page)
                return True
        # The address within the page comes from where Unicorn misses the memory behind it.
        self._fault_page = page
        found.paddr = _NOWHERE
        found.perms = uc_const.UC_PROT_ALL
        return True

    def populate(self, address: int) -> None:
        """Have the code of kernel functions around *address* be there, for whoever looks at it."""
        page = address & -PAGE_SIZE
        if page in self._text:
            self._populate(page)

    def _populate(self, page: int) -> None:
        """Put the code of kernel functions into a page of kernel text: each stops the processor."""
        if page not in self._text_pages:
            self._text_pages.add(page)
            image = self.memory.kernel_image
            offset = page - image.base
            image.view[offset : offset + PAGE_SIZE] = _HLT * PAGE_SIZE
            image.set_prot(page, PAGE_SIZE, Prot.RX)
            for address, code in self.kernel.exports.native_code(page):
                image.view[address - image.base : address - image.base + len(code)] = code

    def place_text(self, address: int, code: bytes) -> None:
        """Have the kernel's text at *address*, where no function begins, be *code*: for whoever looks at it."""
        for end in (address, address + len(code) - 1):
            self.populate(end)
        self.memory.poke(address, code)

    def rebind(self, address: int) -> None:
        """What carries out the kernel function at *address* is to be found anew."""
        self._stubs.pop(address, None)

    def _first_called(self, name: str) -> Callable[..., None]:
        """What tells that the machine code of the kernel function *name* has been called."""
        told: list[str] = []

        def called(*_: object) -> None:
            first_called = self.kernel.first_called
            if not told and first_called is not None:
                told.append(name)
                first_called(name)

        return called

    def _invalid(self, _uc: Any, access: int, address: int, _size: int, _value: int, _data: Any) -> bool:
        if self._fault is None:
            kind = {
                uc_const.UC_MEM_READ_UNMAPPED: Access.READ,
                uc_const.UC_MEM_WRITE_UNMAPPED: Access.WRITE,
            }.get(access, Access.FETCH)
            self._fault = (self._fault_page + (address & PAGE_SIZE - 1), kind)
        return False

    def _interrupt(self, _uc: Any, number: int, _data: Any) -> None:
        self._exception = number
        self._uc.emu_stop()

    def forget(self) -> None:
        """The task whose registers the processor holds is no more."""
        self.loaded = None

    def code_changed(self) -> None:
        """Some code that may have run has been replaced."""
        self._code_changed = True

    def stop(self) -> None:
        """Have whatever runs stop soon; for another thread."""
        self._uc.emu_stop()

    def _reset(self) -> None:
        """Make the processor what it was at first: code can have left it in any state."""
        self._uc.context_restore(self._pristine)
        self.loaded = None

    # Registers

    def _read(self, registers: _RegisterFile) -> None:
        _reg_read_batch(self._handle, registers.ids, registers.pointers, registers.count)

    def _write(self, registers: _RegisterFile) -> None:
        _reg_write_batch(self._handle, registers.ids, registers.pointers, registers.count)

    def regs(self) -> Regs:
        """All registers of the task that the processor holds."""
        self._read(self._context)
        return Regs(*self._context.values)

    def reg(self, name: str) -> int:
        """One register."""
        return int(self._uc.reg_read(getattr(x86, f"UC_X86_REG_{name.upper()}")))

    def set_reg(self, name: str, value: int) -> None:
        """Change one register."""
        self._uc.reg_write(getattr(x86, f"UC_X86_REG_{name.upper()}"), value)

    def set_regs(self, task: Task, regs: Regs) -> None:
        """Change all registers of the current task."""
        self.load(task)
        self._context.values[:] = list(regs)
        self._write(self._context)

    def set_interrupts(self, enabled: bool) -> int:
        """Turn interrupts on or off.

        :returns: the flags as they were
        """
        flags = int(self._uc.reg_read(x86.UC_X86_REG_EFLAGS))
        self._uc.reg_write(x86.UC_X86_REG_EFLAGS, flags | _EFLAGS_IF if enabled else flags & ~0x200)
        return flags

    def load(self, task: Task) -> None:
        """``__switch_to()``: make *task* the one whose registers the processor holds."""
        previous = self.loaded
        if previous is task:
            return
        if previous is not None:
            previous.regs = self.regs()
        if task.regs is not None:
            self._context.values[:] = list(task.regs)
            self._write(self._context)
        else:
            self._uc.reg_write(x86.UC_X86_REG_EFLAGS, _EFLAGS_IF)
        self.loaded = task
        self.kernel.sched.switch_to(previous, task)

    # Running

    def call(self, function: int, *args: int, site: str = "") -> int:
        """Call the function at address *function*, on behalf of the current task.

        :param args: integer or pointer arguments
        :param site: the place in the kernel that calls, as the image names it, for a backtrace
        :returns: what it returns, as a signed int
        :raises TaskKilled: where that was the end of the task
        """
        value = self.call_long(function, *args, site=site) & 0xFFFFFFFF
        return value - (1 << 32) if value >> 31 else value

    def call_long(self, function: int, *args: int, site: str = "") -> int:
        """The same for a function that returns a long or a pointer, unsigned.

        A function of the kernel proper that is not modelled ends the run, which then counts as having returned 0.
        """
        task = self.kernel.current
        nested, ip = task.sp, task.ip
        try:
            value = self._enter(task, function, args, site)
            if not nested:
                self._read(self._system)
                if tuple(self._system.values) != self._system_values:
                    self._reset()
            elif site or len(args) > _REGISTER_ARGS:
                self.set_reg("rsp", nested)  # the site's frames are gone, or the arguments
            return value
        except TaskKilled:
            self._reset()
            raise
        except Unmodelled:
            if nested:
                raise
            self.kernel.sched.release_locks(task)
            return 0
        finally:
            task.sp = nested
            if nested:
                task.ip = ip
            else:
                task.run_ended()

    def _enter(self, task: Task, function: int, args: tuple[int, ...], site: str) -> int:
        sched = self.kernel.sched
        if not task.sp:
            sched.run_begins(task)
        self.load(task)
        if task.sp and not site:
            # Called back by the exported function that the task is in, from somewhere near its beginning.
            frames: tuple[int, ...] = (task.ip + _CALL_SIZE, *args[_REGISTER_ARGS:])
            rsp = task.sp - _RETURN * len(frames)
        else:
            frames = self.kernel.image.call_sites[site or "syscall"]
            rsp = ((task.sp or task.stack_top) & -16) - 16 * (len(frames) // 2 + 1)
            rsp += _RETURN * (len(frames) % 2 == 0)
        self.memory.write(rsp, b"".join(frame.to_bytes(8, "little") for frame in frames))
        start = self._start
        start.values[0] = rsp
        for i, arg in enumerate(args[:_REGISTER_ARGS]):
            start.values[1 + i] = arg & _U64
        for i in range(len(args), _REGISTER_ARGS):
            start.values[1 + i] = 0
        self._write(start)
        return self._run(task, function, frames[0], rsp + _RETURN)

    def _run(self, task: Task, rip: int, return_address: int, return_sp: int) -> int:
        """Run until the function at *rip* returns, and all that it calls.

        :returns: RAX
        """
        handle, stubs, shootdowns, ret = self._handle, self._stubs, self.memory.shootdowns, self._ret
        ids, pointers, values = self._call.ids, self._call.pointers, self._call.values
        rax, rax_ids, rax_pointers = self._rax.values, self._rax.ids, self._rax.pointers
        sched = self.kernel.sched
        while True:
            if self._tlb != shootdowns.count:
                self._tlb = shootdowns.count
                self._known.clear()
                _ctl(handle, _FLUSH_TLB)
            if self._code_changed:
                self._code_changed = False
                _ctl(handle, _FLUSH_TB)
            self.running = True
            if sched.ticker is None:
                sched.start_ticks()
            failed = _emu_start(handle, rip, 0, 0, 0)
            self.running = False
            _reg_read_batch(handle, ids, pointers, 8)
            rip, rsp, *args = values
            if failed or self._exception is not None:
                rip = self._trap(task)
                continue
            rip -= 1
            stub = stubs.get(rip)
            if stub is None:
                if rsp == return_sp and return_address - 1 <= rip <= return_address:
                    return int(self._uc.reg_read(x86.UC_X86_REG_RAX))
                found = self._stub(rip)
                if found is None:
                    # Asked to stop, or a hlt of the module's own: others may go on.
                    rip = self._resched(task, rip + 1)
                    continue
                rip, stub = found
            task.sp = rsp
            task.ip = rip
            try:
                rax[0] = stub(args)
            except Redirect as redirect:
                rip = redirect.rip
                continue
            except PageFault as fault:
                access = Access.WRITE if fault.write else Access.READ
                self.load(task)
                regs = self.regs()._replace(rip=rip + fault.offset)
                # Where that was only to be reported, the function begins again.
                rip = self.kernel.traps.page_fault(task, regs, fault.address, access) - fault.offset
                continue
            if self.loaded is not task:
                self.load(task)
            _reg_write_batch(handle, rax_ids, rax_pointers, 1)
            rip = ret

    def _stub(self, rip: int) -> tuple[int, Callable[[list[int]], int]] | None:
        """What carries out the kernel function at *rip*, or at the next byte if the processor was about to begin it.

        :returns: the function's address and what carries it out; None where this is no call
        """
        exports = self.kernel.exports
        if rip + 1 in self._stubs or exports.function_at(rip + 1) is not None:
            rip += 1
        elif rip not in self._text or exports.is_native(rip) or exports.is_native(rip + 1):
            return None
        stub = self.kernel.state(Kprobes).wrap(rip, exports.bind(rip))
        if exports.function_at(rip) is not None:  # the kernel's own return addresses are no functions
            self._stubs[rip] = stub
        return rip, stub

    def step(self, task: Task, rip: int, code: bytes, breakpoint_: bytes) -> int:
        """Carry out the one instruction at *rip*, which begins with *code*, where a breakpoint is.

        :returns: where to go on
        """
        self.memory.poke(rip, code)
        _ctl(self._handle, _FLUSH_TB)
        self.running = True
        failed = _emu_start(self._handle, rip, 0, 0, 1)
        self.running = False
        self.memory.poke(rip, breakpoint_)
        _ctl(self._handle, _FLUSH_TB)
        if failed or self._exception is not None:
            return self._trap(task)
        return int(self._uc.reg_read(x86.UC_X86_REG_RIP))

    def _resched(self, task: Task, rip: int) -> int:
        """Let others have the processor for a moment."""
        self.kernel.sched.tick(task, self.regs)
        self.load(task)
        return rip

    def _trap(self, task: Task) -> int:
        """Something that the code must not do, or that the kernel does for it.

        :returns: where to go on
        """
        fault, self._fault = self._fault, None
        exception, self._exception = self._exception, None
        _ctl(self._handle, _FLUSH_TLB)
        regs = self.regs()
        task.sp = regs.rsp
        handle = self.kernel.traps.handle
        if fault is not None:
            address, access = fault
            if access is Access.FETCH:
                address = regs.rip
            return handle(task, Trap.PF, regs, address, access)
        if exception == Trap.BP:
            try:
                place = self.kernel.state(Kprobes).int3(task, regs)
            except PageFault as lost:  # what registered the probe is no more
                self.load(task)
                return handle(task, Trap.PF, regs, lost.address, Access.WRITE if lost.write else Access.READ)
            if place is not None:
                return place
        if exception is not None and exception >= len(_EXCEPTIONS):
            return self.kernel.traps.spurious_interrupt(task, exception, regs)
        if exception is not None:
            return handle(task, Trap(exception), regs)
        return handle(task, Trap.UD, regs)
