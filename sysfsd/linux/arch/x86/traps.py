"""What happens when code does what it must not: oops, BUG, WARN.

Follows arch/x86/kernel/traps.c and dumpstack.c, arch/x86/mm/fault.c, lib/bug.c, kernel/panic.c.
"""

from __future__ import annotations

import signal
import struct
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from sysfsd.linux.kernel.panic import Taint, print_tainted
from sysfsd.linux.kernel.printk.printk import Level
from sysfsd.linux.mm.memory import PAGE_SIZE, Prot
from sysfsd.linux.mm.uaccess import Uaccess

if TYPE_CHECKING:
    from sysfsd.linux.kernel.sched.core import Task
    from sysfsd.linux.system import Kernel

__all__ = ["Access", "Regs", "TaskKilled", "Trap", "Traps", "Unmodelled"]

CUT_HERE: Final = "------------[ cut here ]------------"
END_TRACE: Final = "---[ end trace 0000000000000000 ]---"
_UD2: Final = b"\x0f\x0b"
_PROLOGUE: Final = 42
_EPILOGUE: Final = 21

# struct bug_entry's flags (include/linux/bug.h).
_BUGFLAG_WARNING: Final = 1 << 0
_BUGFLAG_ONCE: Final = 1 << 1
_BUGFLAG_DONE: Final = 1 << 2
_BUGFLAG_NO_CUT_HERE: Final = 1 << 3
_BUG_ENTRY: Final = struct.Struct("<iiHH")
_EXTABLE_ENTRY: Final = struct.Struct("<iii")

#: Selectors and control registers of a kernel that runs; nothing here depends on them.
_KERNEL_CS, _KERNEL_DS = 0x10, 0x18
_CR0, _CR4 = 0x80050033, 0x6F0


class Regs(NamedTuple):
    """``struct pt_regs``."""

    rax: int = 0
    rbx: int = 0
    rcx: int = 0
    rdx: int = 0
    rsi: int = 0
    rdi: int = 0
    rbp: int = 0
    rsp: int = 0
    r8: int = 0
    r9: int = 0
    r10: int = 0
    r11: int = 0
    r12: int = 0
    r13: int = 0
    r14: int = 0
    r15: int = 0
    rip: int = 0
    flags: int = 0


class Access(Enum):
    """How memory was used when it faulted."""

    READ = 0
    WRITE = 2
    FETCH = 16


class Trap(IntEnum):
    """Exceptions by their numbers (arch/x86/include/asm/trapnr.h); what Unicorn can raise besides counts as #GP."""

    DE = 0
    DB = 1
    NMI = 2
    BP = 3
    OF = 4
    BR = 5
    UD = 6
    NM = 7
    DF = 8
    OLD_MF = 9
    TS = 10
    NP = 11
    SS = 12
    GP = 13
    PF = 14
    SPURIOUS = 15
    MF = 16
    AC = 17
    MC = 18
    XF = 19

    @classmethod
    def _missing_(cls, value: object) -> Trap:
        return cls.GP


_DIE_TEXT: Final = {
    Trap.DE: "divide error",
    Trap.BP: "int3",
    Trap.UD: "invalid opcode",
    Trap.DF: "double fault",
    Trap.GP: "general protection fault",
    Trap.SS: "stack segment",
    Trap.NP: "segment not present",
    Trap.TS: "invalid TSS",
    Trap.OF: "overflow",
    Trap.BR: "bounds",
    Trap.MF: "fpu exception",
    Trap.XF: "simd exception",
    Trap.AC: "alignment check",
}


class TaskKilled(BaseException):
    """The current task is dead; whoever it worked for gets *signum*."""

    def __init__(self, task: Task, signum: int = signal.SIGKILL) -> None:
        super().__init__(f"{task.comm}[{task.pid}]")
        self.task = task
        self.signum = signum


class Unmodelled(BaseException):
    """Module code needs something of the kernel that is not modelled; this run of it is over."""


class Traps:
    """The exception handlers of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.die_counter = 0
        self._exec_summary_regs: Regs | None = None
        #: Places that warn only once, and have.
        self._warned: set[tuple[str, int]] = set()

    def _print(self, text: str, level: Level | None = None) -> None:
        """A line of the log; at the default level unless *level* says otherwise."""
        self.kernel.log.emit(text.encode("latin-1", "replace") + b"\n", level, caller=self.kernel.current.pid)

    def handle(self, task: Task, trap: Trap, regs: Regs, address: int = 0, access: Access = Access.READ) -> int:
        """Deal with an exception.

        :param address: of a page fault
        :returns: where the code goes on
        :raises TaskKilled: where it does not
        """
        if trap is Trap.PF:
            return self.page_fault(task, regs, address, access)
        if trap is Trap.UD:
            return self.invalid_op(task, regs)
        return self.die(_DIE_TEXT.get(trap, "general protection fault"), task, regs)

    def spurious_interrupt(self, task: Task, vector: int, regs: Regs) -> int:
        """``common_interrupt()`` of an interrupt that nobody handles.

        :returns: where the code goes on
        """
        self._print(f"__common_interrupt: {task.cpu}.{vector} No irq handler for vector", Level.EMERG)
        return regs.rip

    # Page faults

    def page_fault(self, task: Task, regs: Regs, address: int, access: Access) -> int:
        """``exc_page_fault()`` in kernel mode.

        :returns: where the code goes on: it is repaired, or has a fixup
        """
        kernel = self.kernel
        if kernel.kfence.handle_page_fault(address, access is Access.WRITE, regs):
            return regs.rip
        fixup = self.search_exception_tables(regs.rip)
        if fixup is not None:
            return fixup
        symbol = kernel.exports.unmodelled_data(address)
        if symbol is not None:
            kernel.exports.complain(regs.rip, symbol)
            raise Unmodelled(symbol)
        if not -(1 << 47) <= (address if address < 1 << 63 else address - (1 << 64)) < 1 << 47:
            if access is Access.FETCH:
                self.die("general protection fault", task, regs)
            self.die(f"general protection fault, probably for non-canonical address 0x{address:x}", task, regs)
        if task.stack_guard is not None and address in task.stack_guard:
            self.stack_overflow(task, regs, address)
        return self.page_fault_oops(task, regs, address, access)

    def page_fault_oops(self, task: Task, regs: Regs, address: int, access: Access) -> NoReturn:
        area = self.kernel.memory.area(address)
        if area is not None:
            present = area.prot[(address - area.base) >> 12] != Prot.NONE
        else:  # a process's, which the kernel must not go to without asking
            present = address < 1 << 47 and bool(self.kernel.state(Uaccess).read(address, 1))
        error_code = access.value | present
        if access is Access.FETCH and present:
            uid = task.cred.uid
            self._print(f"kernel tried to execute NX-protected page - exploit attempt? (uid: {uid})", Level.CRIT)
        if address < PAGE_SIZE:
            self._print(f"BUG: kernel NULL pointer dereference, address: {address:016x}", Level.ALERT)
        else:
            self._print(f"BUG: unable to handle page fault for address: {address:016x}", Level.ALERT)
        verb = {Access.READ: "read access", Access.WRITE: "write access", Access.FETCH: "instruction fetch"}[access]
        self._print(f"#PF: supervisor {verb} in kernel mode", Level.ALERT)
        kind = "permissions violation" if present else "not-present page"
        self._print(f"#PF: error_code(0x{error_code:04x}) - {kind}", Level.ALERT)
        self._print("PGD 0 P4D 0 ", Level.INFO)
        self._die_body("Oops", task, regs, error_code, address)
        self._print(f"CR2: {address:016x}")
        self.oops_end(task, signal.SIGKILL, address, irqs_disabled=True)

    def stack_overflow(self, task: Task, regs: Regs, address: int) -> NoReturn:
        """``handle_stack_overflow()``."""
        self._print(
            f"BUG: TASK stack guard page was hit at {address:016x}"
            f" (stack is {task.stack:016x}..{task.stack_end - 1:016x})",
            Level.EMERG,
        )
        self.die("stack guard page", task, regs)

    def search_exception_tables(self, rip: int) -> int | None:
        """Where code that expects to fault at *rip* goes on (mm/extable.c)."""
        mod = self.kernel.modules.address(rip)
        section = mod.section("__ex_table") if mod is not None else None
        if section is None:
            return None
        for at in range(section.address, section.address + section.size, _EXTABLE_ENTRY.size):
            insn, fixup, _data = _EXTABLE_ENTRY.unpack(self.kernel.memory.read(at, _EXTABLE_ENTRY.size))
            if at + insn == rip:
                return int(at + 4 + fixup)
        return None

    # BUG and WARN

    def invalid_op(self, task: Task, regs: Regs) -> int:
        """``exc_invalid_op()``: a BUG() or WARN(), or code that is none."""
        bug = self.find_bug(regs.rip)
        if bug is not None:
            at, file, line, flags = bug
            if flags & _BUGFLAG_WARNING:
                if flags & _BUGFLAG_ONCE:
                    if flags & _BUGFLAG_DONE:
                        return regs.rip + len(_UD2)
                    self.kernel.memory.poke(at + 10, struct.pack("<H", flags | _BUGFLAG_DONE))
                if not flags & _BUGFLAG_NO_CUT_HERE:
                    self._print(CUT_HERE)
                self.warn(task, regs, file, line, regs.rip, flags >> 8)
                return regs.rip + len(_UD2)
            if not flags & _BUGFLAG_NO_CUT_HERE:
                self._print(CUT_HERE)
            self._print(f"kernel BUG at {file}:{line}!", Level.CRIT)
        return self.die("invalid opcode", task, regs)

    def find_bug(self, rip: int) -> tuple[int, str, int, int] | None:
        """The entry of a module's bug table for the instruction at *rip*: its address, file, line, flags."""
        mod = self.kernel.modules.address(rip)
        section = mod.section("__bug_table") if mod is not None else None
        if section is None:
            return None
        memory = self.kernel.memory
        for at in range(section.address, section.address + section.size, _BUG_ENTRY.size):
            bug_addr, file, line, flags = _BUG_ENTRY.unpack(memory.read(at, _BUG_ENTRY.size))
            if at + bug_addr == rip:
                return at, memory.read_string(at + 4 + file).decode("latin-1"), line, flags
        return None

    def warn(self, task: Task, regs: Regs | None, file: str | None, line: int, caller: int, taint: int) -> None:
        """``__warn()``; *regs* None: a plain stack trace."""
        where = f" at {file}:{line}" if file else " at"
        symbol = self.kernel.kallsyms.sprint_symbol(caller)
        self._print(f"WARNING: CPU: {task.cpu} PID: {task.pid}{where} {symbol}", Level.WARNING)
        self.print_modules()
        if regs is not None:
            self.show_regs(task, regs)
        else:
            self.dump_stack()
        self._print(END_TRACE)
        self.kernel.add_taint(Taint(taint) if 0 < taint <= max(Taint) else Taint.WARN)

    # The end

    def die(self, text: str, task: Task, regs: Regs, error_code: int = 0) -> NoReturn:
        """``die()``: say so, and end the task."""
        self._die_body(text, task, regs, error_code, 0)
        self.oops_end(task, signal.SIGSEGV, 0)

    def _die_body(self, text: str, task: Task, regs: Regs, error_code: int, cr2: int) -> None:
        self.kernel.log.console_verbose()
        self.kernel.debug_locks = False
        if self._exec_summary_regs is None:
            self._exec_summary_regs = regs
        self.die_counter += 1
        self._print(f"{text}: {error_code & 0xFFFF:04x} [#{self.die_counter}] PREEMPT SMP NOPTI")
        self.show_regs(task, regs, cr2)
        self.print_modules()

    def oops_end(self, task: Task, signum: int, cr2: int, irqs_disabled: bool = False) -> NoReturn:
        """``oops_end()`` and ``make_task_dead()``."""
        kernel = self.kernel
        self._print(END_TRACE)
        kernel.add_taint(Taint.DIE, lockdep_ok=False)
        if self._exec_summary_regs is not None:
            self._show_regs(self._exec_summary_regs, cr2)
        if task.in_interrupt:
            self._print("Kernel panic - not syncing: Fatal exception in interrupt", Level.EMERG)
        elif irqs_disabled:
            self._print(f"note: {task.comm}[{task.pid}] exited with irqs disabled", Level.INFO)
        if not task.in_interrupt and task.preempt_count:
            self._print(f"note: {task.comm}[{task.pid}] exited with preempt_count {task.preempt_count}", Level.INFO)
        self.kill(task, signum)

    def kill(self, task: Task, signum: int = signal.SIGKILL) -> NoReturn:
        """End a task, and let go of what it held."""
        self.kernel.sched.release_locks(task)
        raise TaskKilled(task, signum)

    def panic(self, text: str, site: str = "panic") -> NoReturn:
        """``panic()``: the whole machine would stop here; only what caused it does."""
        task = self.kernel.current
        self._print(f"Kernel panic - not syncing: {text}", Level.EMERG)
        self.dump_stack(site)
        self._print(f"---[ end Kernel panic - not syncing: {text} ]---", Level.EMERG)
        self.kill(task)

    # Dumps

    def print_modules(self) -> None:
        """``print_modules()``."""
        kernel = self.kernel
        names = "".join(f" {mod.name}{mod.flags()}" for mod in kernel.modules)
        last = kernel.modules.last_unloaded
        self._print(f"Modules linked in:{names}" + (f" [last unloaded: {last}]" if last else ""))

    def print_info(self, task: Task, level: Level | None = None) -> None:
        """``dump_stack_print_info()``."""
        kernel = self.kernel
        version, build = kernel.image.build_version
        self._print(
            f"CPU: {task.cpu} PID: {task.pid} Comm: {task.comm} {print_tainted(kernel.tainted)}"
            f" {kernel.image.release} {version}  {build}",
            level,
        )
        self._print("Hardware name: sysfsd", level)
        work = kernel.workqueues.worker_info(task)
        if work is not None:
            self._print(f"Workqueue: {work}", level)

    def show_regs(self, task: Task, regs: Regs, cr2: int = 0) -> None:
        """``show_regs()``."""
        self.print_info(task)
        self._show_regs(regs, cr2)
        self.show_trace(task, regs)

    def _show_regs(self, regs: Regs, cr2: int) -> None:
        show = self._print
        show(f"RIP: {_KERNEL_CS:04x}:{self._ip_symbol(regs.rip)}")
        self.show_opcodes(regs.rip)
        show(f"RSP: {_KERNEL_DS:04x}:{regs.rsp:016x} EFLAGS: {regs.flags:08x}")
        show(f"RAX: {regs.rax:016x} RBX: {regs.rbx:016x} RCX: {regs.rcx:016x}")
        show(f"RDX: {regs.rdx:016x} RSI: {regs.rsi:016x} RDI: {regs.rdi:016x}")
        show(f"RBP: {regs.rbp:016x} R08: {regs.r8:016x} R09: {regs.r9:016x}")
        show(f"R10: {regs.r10:016x} R11: {regs.r11:016x} R12: {regs.r12:016x}")
        show(f"R13: {regs.r13:016x} R14: {regs.r14:016x} R15: {regs.r15:016x}")
        gs = self.kernel.percpu.cpu_base(0)
        show(f"FS:  {0:016x}(0000) GS:{gs:016x}(0000) knlGS:{0:016x}")
        show(f"CS:  {_KERNEL_CS:04x} DS: 0000 ES: 0000 CR0: {_CR0:016x}")
        show(f"CR2: {cr2:016x} CR3: {0:016x} CR4: {_CR4:016x}")

    def _ip_symbol(self, rip: int) -> str:
        return self.kernel.kallsyms.sprint_symbol(rip)

    def show_opcodes(self, rip: int) -> None:
        """``show_opcodes()``: the code around *rip*."""
        start = (rip - _PROLOGUE) & (1 << 64) - 1
        try:
            code = self.kernel.memory.read(start, _PROLOGUE + 1 + _EPILOGUE)
        except OSError:
            self._print(f"Code: Unable to access opcode bytes at 0x{start:x}.")
            return
        before, at, behind = code[:_PROLOGUE], code[_PROLOGUE], code[_PROLOGUE + 1 :]
        self._print(f"Code: {before.hex(' ')} <{at:02x}> {behind.hex(' ')}")

    def show_trace(self, task: Task, regs: Regs) -> None:
        """``show_trace_log_lvl()``: who called whom, the innermost first."""
        kind = "IRQ" if task.in_interrupt else "TASK"
        self._print("Call Trace:")
        self._print(f" <{kind}>")
        for address in self.kernel.unwinder.frames(regs):
            self._print(f" {self.kernel.kallsyms.sprint_symbol(address, backtrace=True)}")
        self._print(f" </{kind}>")

    def dump_stack(self, site: str = "dump_stack") -> None:
        """``dump_stack()``, called by the current task's module code or from *site* in the kernel."""
        task = self.kernel.current
        self.print_info(task)
        self._print("Call Trace:")
        self._print(" <TASK>")
        frames = self.kernel.image.call_sites[site]
        for address in (*frames, *self.kernel.unwinder.frames(task.caller_regs())):
            self._print(f" {self.kernel.kallsyms.sprint_symbol(address, backtrace=True)}")
        self._print(" </TASK>")

    # What the kernel's own code finds wrong

    def _place(self, site: str) -> int:
        """The address of ``function+0x12``, where there is a ud2."""
        name, _, offset = site.partition("+")
        symbol = self.kernel.image.find_export(name)
        start = symbol.value if symbol is not None else self.kernel.kallsyms.address_of(name)
        place = (start or 0) + int(offset or "0", 16)
        if offset:
            self.kernel.cpu.place_text(place, _UD2)
        return place

    def warn_at(
        self,
        file: str,
        line: int,
        message: str = "",
        site: str = "",
        once: bool = False,
        regs: Regs | None = None,
    ) -> None:
        """``WARN()`` in the kernel's own code.

        :param site: where (``function+0x12``); the function that the module has called if empty
        :param once: only the first time, as WARN_ONCE()
        :param regs: the registers there, where no module's function is being carried out
        """
        if once:
            if (file, line) in self._warned:
                return
            self._warned.add((file, line))
        task = self.kernel.current
        self._print(CUT_HERE, Level.WARNING)
        if message:
            self._print(message, Level.WARNING)
        place = self._place(site) if site else task.ip
        self.warn(task, (regs or task.caller_regs())._replace(rip=place), file, line, place, 0)

    def bug_at(self, file: str, line: int, site: str = "") -> NoReturn:
        """``BUG()`` in the kernel's own code."""
        task = self.kernel.current
        self._print(CUT_HERE)
        self._print(f"kernel BUG at {file}:{line}!", Level.CRIT)
        self.die("invalid opcode", task, task.caller_regs()._replace(rip=self._place(site) if site else task.ip))

    def warn_message(self, message: str, file: str, line: int) -> None:
        self.warn_at(file, line, message)

    def warn_here(self, file: str, line: int) -> None:
        self.warn_at(file, line)

    def bug_here(self, file: str, line: int) -> NoReturn:
        self.bug_at(file, line)

    def warn_once_message(self, key: str, message: str, file: str, line: int) -> None:
        self.warn_at(file, line, message, once=True)
