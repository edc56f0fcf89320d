"""What faults say and what is left of the kernel afterwards: arch/x86/kernel/traps.c, dumpstack.c, arch/x86/mm/fault.c,
lib/bug.c, kernel/panic.c.

What is said is compared with what a real kernel said of the same module (``faults.txt``).
"""

from __future__ import annotations

import errno
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from sysfsd.image.image import KernelImage
from sysfsd.linux.arch.x86.traps import TaskKilled, Trap
from sysfsd.linux.kernel.cred import INIT_CRED
from sysfsd.linux.kernel.module.module import Module, ModuleState
from sysfsd.linux.kernel.panic import Taint
from sysfsd.linux.kernel.params import show_param, store_param
from sysfsd.linux.kernel.sched.core import Identity
from sysfsd.linux.system import Kernel
from tests.conftest import wait_until
from tests.linux.arch.x86.oops import Recording, normalise, recordings
from tests.linux.ko import module_path
from tests.linux.state import log

RECORDINGS: Final = recordings(Path(__file__).with_name("faults.txt").read_text())

#: What is not as on the recorded kernel, and why.
DIFFERENT: Final = {
    "init 34": "printk() faults on behalf of its caller, without frames of its own",
    "init 39": "the second kfree() is found by the watch over all objects, and does no harm",
    "init 40": "so is kfree() of the middle of an object",
    "init 62": "a task has no memory of its own",
    "init 63": "a task has no memory of its own",
    "init 64": "the processor does not mind unaligned operands",
    "trigger 34": "as init 34",
}
LOADING: Final = ("faults: loading out-of-tree module", "faults: module verification failed")
STATES: Final = {ModuleState.COMING: "Loading", ModuleState.LIVE: "Live", ModuleState.GOING: "Unloading"}


class Machine:
    """A kernel and who uses it."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def run(self, comm: str, call: Callable[[], None]) -> int:
        """Make a system call as a process of that name.

        :returns: the process's status: 0, 1 after an error, 128 and the signal that it died of
        """
        try:
            with self.kernel.sched.enter(INIT_CRED, lambda: Identity(100, 100, comm)), self.kernel.lock:
                call()
        except TaskKilled as killed:
            return 128 + killed.signum
        except OSError:
            return 1
        return 0

    def insmod(self, name: str, args: str = "") -> int:
        image = module_path(name).read_bytes()
        return self.run("insmod", lambda: self.kernel.init_module(image, args.encode()))

    def rmmod(self, name: str) -> int:
        return self.run("rmmod", lambda: self.kernel.delete_module(name))

    def write(self, parameter: str, value: str) -> int:
        """Write to a parameter of the module ``faults``."""
        kp = {kp.name: kp for kp in self.module("faults").kp}[parameter]
        return self.run("sh", lambda: store_param(self.kernel, kp, value.encode()))

    def module(self, name: str) -> Module:
        mod = self.kernel.modules.find(name)
        assert mod is not None
        return mod

    def state(self, name: str) -> str:
        """As in /proc/modules."""
        mod = self.kernel.modules.find(name)
        return STATES[mod.state] if mod is not None else "gone"

    def settle(self) -> None:
        """Wait until threads, timers and work of modules are over."""

        def idle() -> bool:
            with self.kernel.lock:
                kernel = self.kernel
                threads = any(task.kthread and not task.kthread.exited for task in kernel.sched.tasks.values())
                return not threads and not kernel.softirq._armed and not kernel.workqueues._items()

        wait_until(idle)

    def lines(self) -> list[str]:
        """The log, a line each, without what loading says."""
        return [line for text in log(self.kernel) if not text.startswith(LOADING) for line in text.split("\n")]

    def works(self) -> bool:
        """Whether another module can be loaded, runs, and can be removed."""
        assert self.insmod("hello", "whom=you count=1") == 0
        assert self.rmmod("hello") == 0
        return log(self.kernel)[-2:] == ["hello: (0) Hello, you", "hello: Goodbye, you, count is now 1"]


@pytest.fixture
def machine(kernel: Kernel) -> Machine:
    return Machine(kernel)


# As recorded


def cases() -> list[object]:
    return [
        pytest.param(
            cause,
            recording,
            id=f"{cause}: {recording.title}",
            marks=[pytest.mark.xfail(reason=DIFFERENT[cause], strict=True)] if cause in DIFFERENT else [],
        )
        for cause, recording in RECORDINGS.items()
    ]


def cause_fault(machine: Machine, kind: str, number: str) -> int:
    """Have the module fault in init, exit, in a parameter's setter, a thread or a work item."""
    if kind == "init":
        status = machine.insmod("faults", f"how={number}")
        if machine.state("faults") == "Live":
            machine.rmmod("faults")
        return status
    assert machine.insmod("faults") == 0
    if kind == "exit":
        assert machine.write("leave", number) == 0
        return machine.rmmod("faults")
    status = machine.write(kind, number)
    machine.settle()
    return status


@pytest.mark.parametrize(("cause", "recording"), cases())
def test_a_real_kernel_said_the_same(machine: Machine, cause: str, recording: Recording) -> None:
    kind, _, number = cause.partition(" ")
    status = cause_fault(machine, kind, number)
    lines = [line for line in machine.lines() if kind == "init" or line != "faults: loaded, 0"]
    assert normalise(lines) == recording.lines
    assert status == recording.status
    died = any("[#N]" in line for line in recording.lines)
    assert machine.kernel.test_taint(Taint.DIE) is died
    warned = any(line.startswith(("WARNING:", "BUG: scheduling")) for line in recording.lines)
    assert machine.kernel.test_taint(Taint.WARN) is (warned and number != "28")
    if recording.state == "Loading" or kind != "init":
        assert machine.state("faults") == recording.state
    assert machine.works()


REGISTERS = [
    r"RSP: 0018:ffff[0-9a-f]{12} EFLAGS: 00000[0-9a-f]{3}",
    *(
        " ".join(rf"{name}: [0-9a-f]{{16}}" for name in names.split())
        for names in ("RAX RBX RCX", "RDX RSI RDI", "RBP R08 R09", "R10 R11 R12", "R13 R14 R15")
    ),
    r"FS:  0{16}\(0000\) GS:ffff[0-9a-f]{12}\(0000\) knlGS:0{16}",
    r"CS:  0010 DS: 0000 ES: 0000 CR0: 0000000080050033",
    r"CR2: 0000000000000088 CR3: [0-9a-f]{16} CR4: [0-9a-f]{16}",
]


def test_the_whole_of_an_oops(machine: Machine) -> None:
    assert machine.insmod("faults", "how=3") == 128 + signal.SIGKILL
    place = [re.escape("RIP: 0010:write_at+0x5/0x10 [faults]"), r"Code: ([0-9a-f]{2} ){42}<c7>( [0-9a-f]{2}){21}"]
    expected = [
        "BUG: kernel NULL pointer dereference, address: 0000000000000088",
        "#PF: supervisor write access in kernel mode",
        re.escape("#PF: error_code(0x0002) - not-present page"),
        "PGD [0-9a-f]+ P4D [0-9a-f]+ ",
        re.escape("Oops: 0002 [#1] PREEMPT SMP NOPTI"),
        "CPU: 0 PID: 100 Comm: insmod Tainted: G           OE      6.1.0-56-amd64 #1  Debian 6.1.192-2",
        "Hardware name: .*",
        *place,
        *REGISTERS,
        "Call Trace:",
        " <TASK>",
        *(
            re.escape(f" {frame}")
            for frame in (
                "fault+0x46e/0xc10 [faults]",
                "start+0x46/0xff1 [faults]",
                "do_one_initcall+0x59/0x220",
                "do_init_module+0x4a/0x1f0",
                "__do_sys_finit_module+0xac/0x120",
                "do_syscall_64+0x5d/0xb0",
                "entry_SYSCALL_64_after_hwframe+0x6e/0xd8",
            )
        ),
        " </TASK>",
        re.escape("Modules linked in: faults(OE+)"),
        "CR2: 0000000000000088",
        "---.* end trace 0000000000000000 .*---",
        *place,
        *REGISTERS,
        re.escape("note: insmod[100] exited with irqs disabled"),
    ]
    lines = log(machine.kernel)[2:]
    for line, pattern in zip(lines, expected, strict=False):
        assert re.fullmatch(pattern, line), (line, pattern)
    assert len(lines) == len(expected)


def test_registers_are_those_of_the_fault(machine: Machine) -> None:
    machine.insmod("faults", "how=9")
    registers = dict(re.findall(r"(\w+): +([0-9a-f]{16})", "\n".join(machine.lines())))
    assert registers["RDI"] == "ffffffff12345678"
    assert registers["CR2"] == "ffffffff12345678"


# Which signal


@pytest.mark.parametrize("how", [1, 2, 11, 14, 16, 17, 35])
def test_who_reads_or_writes_what_is_not_there_is_killed(machine: Machine, how: int) -> None:
    assert machine.insmod("faults", f"how={how}") == 128 + signal.SIGKILL


@pytest.mark.parametrize("how", [6, 13, 19, 20, 21, 22, 23, 29, 47, 50, 54])
def test_every_other_fault_is_a_segmentation_fault(machine: Machine, how: int) -> None:
    assert machine.insmod("faults", f"how={how}") == 128 + signal.SIGSEGV


# What would be the end of the machine ends only the task


def test_int3_is_no_breakpoint_of_anybody(machine: Machine) -> None:
    machine.insmod("faults", "how=21")
    lines = machine.lines()
    assert lines[0] == "int3: 0000 [#1] PREEMPT SMP NOPTI"
    assert "RIP: 0010:fault+0x507/0xc10 [faults]" in lines
    assert any("cc <31> c0" in line for line in lines if line.startswith("Code: "))
    assert machine.works()


def test_infinite_recursion_runs_into_the_guard_page(machine: Machine) -> None:
    machine.insmod("faults", "how=29")
    lines = normalise(machine.lines())
    assert lines[0].startswith("BUG: TASK stack guard page was hit at ")
    assert re.search(r"\(stack is [0-9a-zA-Z]+\.\.[0-9a-zA-Z]+\)$", lines[0])
    assert lines[1] == "stack guard page: 0000 [#N] PREEMPT SMP NOPTI"
    assert lines[3:5] == ["RIP: 0010:deeper+0x2d/0x90 [faults]", "Code: <f3>"]
    assert 60 <= lines.count(" deeper+0x63/0x90 [faults]") <= 72
    assert machine.state("faults") == "Loading"
    assert machine.works()


def test_a_smashed_stack_is_noticed_before_it_is_used(machine: Machine) -> None:
    assert machine.insmod("faults", "how=30") == 128 + signal.SIGKILL
    where = "smash.constprop.0+0x49/0x50 [faults]"
    assert normalise(machine.lines())[:8] == [
        f"Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: {where}",
        "CPU: N PID: N Comm: insmod Tainted:   6.1.0-56-amd64 #1  Debian 6.1.192-2",
        "Call Trace:",
        " <TASK>",
        " dump_stack_lvl+0x44/0x5c",
        " panic+0x118/0x2f4",
        " __stack_chk_fail+0x10/0x10",
        f" {where}",
    ]
    assert machine.works()


def test_panic_says_so(machine: Machine) -> None:
    machine.insmod("faults", "how=31")
    lines = normalise(machine.lines())
    assert lines[0] == "Kernel panic - not syncing: faults: asked to panic, 31"
    assert lines[2:8] == [
        "Call Trace:",
        " <TASK>",
        " dump_stack_lvl+0x44/0x5c",
        " panic+0x118/0x2f4",
        " fault.cold+0xb7/0xf5 [faults]",
        " start+0x46/0xff1 [faults]",
    ]
    assert lines[-1] == "---[ end Kernel panic - not syncing: faults: asked to panic, 31 ]---"
    assert machine.works()


@pytest.mark.parametrize("how", [1, 22])
def test_a_fault_in_a_timer_is_a_panic(machine: Machine, how: int) -> None:
    machine.insmod("faults")
    machine.write("in_clock", str(how))
    machine.settle()
    wait_until(lambda: any(line.startswith("Kernel panic") for line in machine.lines()))
    lines = machine.lines()
    assert "Kernel panic - not syncing: Fatal exception in interrupt" in lines
    assert " ticked+0x10/0x20 [faults]" in lines
    assert machine.works()
    assert machine.rmmod("faults") == 0


def test_a_timer_may_warn(machine: Machine) -> None:
    machine.insmod("faults")
    machine.write("in_clock", "24")
    machine.settle()
    wait_until(lambda: "faults: the timer ends with 0" in machine.lines())
    lines = machine.lines()
    assert " <IRQ>" in lines and " </IRQ>" in lines
    assert " call_timer_fn+0x27/0x130" in lines


# Warnings that come once


@pytest.mark.parametrize(("how", "once"), [(26, True), (27, True), (24, False), (25, False)])
def test_warn_once_warns_once_as_long_as_the_module_is_loaded(machine: Machine, how: int, once: bool) -> None:
    machine.insmod("faults")
    for _ in range(2):
        machine.write("trigger", str(how))
    assert sum(line.startswith("WARNING: ") for line in machine.lines()) == (1 if once else 2)
    machine.rmmod("faults")
    machine.insmod("faults", f"how={how}")
    assert sum(line.startswith("WARNING: ") for line in machine.lines()) == (2 if once else 3)


def test_oopses_are_counted_and_warnings_are_not(machine: Machine) -> None:
    machine.insmod("faults")
    for how in ("24", "22", "25", "1"):
        machine.write("in_thread", how)
        machine.settle()
    counted = re.findall(r"\[#(\d+)\]", "\n".join(machine.lines()))
    assert counted == ["1", "2"]


def test_the_taints_are_those_before_the_fault(machine: Machine) -> None:
    machine.insmod("faults")
    for _ in range(2):
        machine.write("in_thread", "22")
        machine.settle()
    tainted = [line.split("Tainted: ")[1][:18] for line in machine.lines() if "Tainted" in line]
    assert tainted == ["G           OE    ", "G      D    OE    "]


def test_a_firmwares_fault_is_a_taint_of_its_own(machine: Machine) -> None:
    machine.insmod("faults", "how=28")
    assert machine.kernel.test_taint(Taint.FIRMWARE_WORKAROUND)


# What is left of the module


def test_after_a_fault_in_init_a_module_stays_for_ever(machine: Machine) -> None:
    machine.insmod("faults", "how=1")
    mod = machine.module("faults")
    assert (mod.state, mod.refcount) == (ModuleState.COMING, 1)
    with pytest.raises(OSError) as caught:
        machine.kernel.delete_module("faults")
    assert caught.value.errno == errno.EBUSY
    assert show_param(machine.kernel, next(kp for kp in mod.kp if kp.name == "how")) == b"1\n"


def test_after_a_fault_in_exit_it_stays_too(machine: Machine) -> None:
    machine.insmod("faults")
    machine.write("leave", "22")
    assert machine.rmmod("faults") == 128 + signal.SIGSEGV
    mod = machine.module("faults")
    assert (mod.state, mod.refcount) == (ModuleState.GOING, -1)
    with pytest.raises(OSError) as caught:
        machine.kernel.delete_module("faults")
    assert caught.value.errno == errno.EBUSY
    with pytest.raises(OSError) as caught:
        machine.kernel.init_module(module_path("faults").read_bytes())
    assert caught.value.errno == errno.EBUSY


def test_after_a_fault_in_a_thread_nobody_else_notices(machine: Machine) -> None:
    machine.insmod("faults")
    machine.write("in_thread", "1")
    machine.settle()
    assert machine.state("faults") == "Live"
    assert machine.rmmod("faults") == 0
    assert machine.state("faults") == "gone"


def test_the_report_names_modules_newest_first_and_who_went_last(machine: Machine) -> None:
    machine.insmod("provider")
    machine.insmod("hello")
    machine.rmmod("hello")
    machine.insmod("faults", "how=22")
    (line,) = (line for line in machine.lines() if line.startswith("Modules linked in:"))
    assert line == "Modules linked in: faults(OE+) provider(OE) [last unloaded: hello(OE)]"


# What the dead task held


@pytest.mark.parametrize("how", [60, 61])
def test_what_a_dead_task_held_is_free(machine: Machine, how: int) -> None:
    machine.insmod("faults", f"how={how}")
    assert machine.kernel.sched.preempt_count == 0x80000000
    assert machine.works()


def test_the_kernel_lock_is_free_whoever_has_died(machine: Machine) -> None:
    for kind in ("init", "exit", "trigger", "in_thread", "in_work"):
        machine = Machine(Kernel(machine.kernel.image))
        cause_fault(machine, kind, "1")
        assert machine.kernel.lock.acquire()
        machine.kernel.lock.release()
        assert not machine.kernel.lock._is_owned()
        machine.kernel.stop()


def test_many_faults_one_after_the_other(image: KernelImage) -> None:
    machine = Machine(Kernel(image))
    machine.insmod("faults")
    for how in ("1", "6", "11", "19", "22", "29", "30", "31") * 3:
        machine.write("in_thread", how)
        machine.settle()
    assert machine.kernel.traps.die_counter == 18
    assert machine.works()
    assert machine.rmmod("faults") == 0
    machine.kernel.stop()


# Exceptions by number


def test_unknown_exceptions_count_as_general_protection() -> None:
    assert Trap(13) is Trap(21) is Trap.GP
