"""Module code that runs: what it is given and gives back, what it may do with memory, and that it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from sysfsd.linux.arch.x86.traps import TaskKilled
from sysfsd.linux.kernel.module.module import Module, ModuleState
from sysfsd.linux.kernel.panic import Taint
from sysfsd.linux.kernel.sched.core import HZ
from sysfsd.linux.mm.memory import PageFault
from sysfsd.linux.system import Kernel
from tests.conftest import HANG
from tests.linux.ko import module_path
from tests.linux.state import log

Load = Callable[..., None]


class Functions:
    """The functions and variables of a module, by name."""

    def __init__(self, kernel: Kernel, name: str) -> None:
        self.kernel = kernel
        mod = kernel.modules.find(name)
        assert mod is not None
        self.mod: Module = mod
        rows = kernel.kallsyms.module_lines(mod, True).decode().splitlines()
        self.symbols = {name: int(address, 16) for address, _kind, name, *_ in (row.split() for row in rows)}

    def __call__(self, name: str, *args: int) -> int:
        """Call a function that returns an int."""
        with self.kernel.lock:
            return self.kernel.cpu.call(self.symbols[name], *args)

    def long(self, name: str, *args: int) -> int:
        """Call a function that returns a long or a pointer; unsigned."""
        with self.kernel.lock:
            return self.kernel.cpu.call_long(self.symbols[name], *args)


@pytest.fixture
def calls(kernel: Kernel, load: Load) -> Functions:
    """The module ``calls``, whose functions are there to be called."""
    load("calls")
    return Functions(kernel, "calls")


# Arguments and results, the kernel calling


def test_six_arguments_arrive_as_their_types(calls: Functions) -> None:
    assert calls.long("digits", 1, 2, 3, 4, 5, 6) == 123456
    assert calls.long("digits", -1, 0, 0, 0, 0, 0) == (1 << 64) - 100000
    assert calls.long("digits", 0, 0, 0x1_0003, 0x104, 0, 0) == 3400


def test_arguments_that_are_not_given_are_zero(calls: Functions) -> None:
    calls.long("digits", 1, 1, 1, 1, 1, 1)
    assert calls.long("digits", 7) == 700000


@pytest.mark.parametrize(("value", "result"), [(5, -5), (-5, 5), (0, 0), (0x7FFFFFFF, -0x7FFFFFFF), (1 << 32 | 1, -1)])
def test_an_int_has_a_sign_and_32_bits(calls: Functions, value: int, result: int) -> None:
    assert calls("minus", value) == result


@pytest.mark.parametrize("value", [0, 1, 0xFEDCBA9876543210, (1 << 64) - 1])
def test_a_long_has_64_bits_and_no_sign(calls: Functions, value: int) -> None:
    assert calls.long("complement", value) == ~value & (1 << 64) - 1


def test_a_bool_is_zero_or_one(calls: Functions) -> None:
    assert [calls("odd", n) & 0xFF for n in (0, 1, 2, 3, -1)] == [0, 1, 0, 1, 1]


def test_a_pointer_is_an_address_in_the_modules_memory(calls: Functions) -> None:
    assert calls.long("text_at", 3) == calls.symbols["text"] + 3
    calls.kernel.memory.write(calls.long("text_at", 3), b"text")
    assert calls.kernel.memory.read(calls.symbols["text"], 7) == b"\0\0\0text"


# The module calling


def test_more_than_six_arguments_lie_on_the_stack(calls: Functions) -> None:
    expected = b"1 -2 -3 4 5 -6 7 8 nine -EIO 0xb 18446744073709551615"
    assert calls("twelve", 1) == len(expected)
    assert calls.kernel.memory.read_string(calls.symbols["text"]) == expected


@pytest.mark.parametrize("count", [2, 3, 9, 16])
def test_the_kernel_calls_the_module_that_calls_the_kernel(calls: Functions, count: int) -> None:
    assert calls.long("sorted", count) == count
    assert calls.kernel.memory.read_int(calls.symbols["calls"], 8) > count


def test_callbacks_leave_the_stack_as_it_was(calls: Functions) -> None:
    task = calls.kernel.current
    for _ in range(50):
        calls.long("sorted", 16)
    assert task.sp == 0
    assert calls("twelve", 0) > 0
    assert not calls.kernel.test_taint(Taint.DIE)


def test_a_call_preserves_the_registers_that_it_has_to(calls: Functions) -> None:
    assert calls.long("preserved") == 0


def test_modules_call_each_other(kernel: Kernel, calls: Functions, load: Load) -> None:
    load("calls_user")
    assert log(kernel)[-1] == "calls_user: 84"
    assert Functions(kernel, "calls_user")("quadruple", -3) == -12


# What is not modelled


def test_an_unmodelled_function_ends_the_call_with_a_word(calls: Functions) -> None:
    log(calls.kernel)
    assert calls("call_unmodelled") == 0
    lines = log(calls.kernel)[2:]
    assert lines[0] == "calls: before"
    (line,) = lines[1:]
    assert "acpi_processor_get_bios_limit() is not modelled: call_unmodelled+0x" in line
    assert "[calls]" in line
    assert calls.kernel.unmodelled == {"acpi_processor_get_bios_limit()": 1}


def test_an_unmodelled_variable_does_too(calls: Functions) -> None:
    assert calls.long("read_unmodelled") == 0
    lines = log(calls.kernel)[2:]
    assert lines[0] == "calls: before"
    (line,) = lines[1:]
    assert "pci_mem_start is not modelled: read_unmodelled+0x" in line


def test_afterwards_the_module_goes_on(calls: Functions) -> None:
    for _ in range(3):
        calls("call_unmodelled")
    assert calls.kernel.unmodelled == {"acpi_processor_get_bios_limit()": 3}
    assert calls("minus", 4) == -4
    assert not calls.kernel.test_taint(Taint.DIE)
    calls.kernel.delete_module("calls")


# Memory and what it may be used for


def test_memory_of_init_is_gone_when_init_has_returned(kernel: Kernel, load: Load) -> None:
    load("ro_after_init")
    (mod,) = kernel.modules
    assert mod.init_layout.size == 0
    with pytest.raises(TaskKilled):
        kernel.cpu.call(mod.init)
    assert "#PF: supervisor instruction fetch in kernel mode" in log(kernel)


def test_code_cannot_be_written(calls: Functions) -> None:
    with pytest.raises(TaskKilled):
        calls("change_text")
    assert "#PF: error_code(0x0003) - permissions violation" in log(calls.kernel)
    assert calls("minus", 1) == -1


def test_constants_cannot_be_written_and_data_cannot_be_run(kernel: Kernel, load: Load) -> None:
    load("ro_after_init")
    symbols = Functions(kernel, "ro_after_init").symbols
    for constant in ("constant", "fixed_after_init"):
        with pytest.raises(PageFault):
            kernel.memory.write_int(symbols[constant], 0)
    for variable in ("plain", "zero", "aligned", "constant", "fixed_after_init"):
        with pytest.raises(TaskKilled):
            kernel.cpu.call(symbols[variable])
    for variable in ("plain", "zero", "aligned", "mostly_read"):
        kernel.memory.write_int(symbols[variable], 9)


@pytest.mark.parametrize(
    "address", [0, 8, 0x1234, 0x7FFF_FFFF_F000, 0xDEAD_0000_0000_0100, (1 << 64) - 4096, (1 << 64) - 1]
)
def test_what_is_no_code_cannot_be_called(calls: Functions, address: int) -> None:
    with pytest.raises(TaskKilled):
        calls.kernel.cpu.call(address)
    assert calls("minus", 1) == -1


# Patched code


def test_a_static_key_decides_a_branch_while_the_module_runs(calls: Functions) -> None:
    assert calls("branch", 1) == 1
    calls("set_key", 1)
    assert calls("branch", 1) == 101
    calls("set_key", 0)
    assert calls("branch", 1) == 1


def test_static_keys_are_as_they_were_defined(kernel: Kernel, load: Load) -> None:
    load("static_key")
    assert Functions(kernel, "static_key")("static_key_value", 40) == 42


def test_code_is_chosen_by_the_processors_features(calls: Functions) -> None:
    assert calls("alternative_for", 1) == 2
    assert calls("alternative_for", 0) == 1
    assert calls("has", 1) & 0xFF == 1
    assert calls("has", 0) & 0xFF == 0


# Per-CPU variables


def test_per_cpu_variables_are_those_of_the_first_processor(calls: Functions) -> None:
    assert calls("which_cpu") == 0
    assert calls.long("count_here", 5) == 5
    assert calls.long("count_here", 2) == 7
    assert (calls.long("counted_on", 0), calls.long("counted_on", 1)) == (7, 0)


# Time, and code without an end


def test_time_passes_while_code_runs(calls: Functions) -> None:
    assert calls.long("wait_for_tick") >= 1


def test_time_goes_on_passing_after_a_pause(calls: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sysfsd.linux.kernel.sched.core._TICKS_IDLE", 0.0)
    for _ in range(5):
        assert calls.long("wait_for_tick") >= 1


def test_jiffies_are_a_clock(kernel: Kernel) -> None:
    assert HZ == 250
    before = kernel.sched.jiffies
    assert kernel.sched.seconds_until(before + HZ * 100) > 50
    assert kernel.sched.jiffies >= before


@pytest.mark.parametrize("name", ["forever", "forever_alone"])
def test_a_loop_without_an_end_is_ended(calls: Functions, name: str) -> None:
    kernel = calls.kernel
    kernel.sched.softlockup_thresh = 0.2
    with pytest.raises(TaskKilled):
        calls(name)
    kernel.sched.softlockup_thresh = 20.0
    lines = log(kernel)[2:]
    assert lines[0].startswith("watchdog: BUG: soft lockup - CPU#0 stuck for ")
    assert lines[0].endswith(f"s! [{kernel.current.comm}:{kernel.current.pid}]")
    assert any(line.startswith(f"RIP: 0010:{name}+0x") for line in lines)
    assert kernel.test_taint(Taint.SOFTLOCKUP)
    assert kernel.sched.preempt_count == 0x80000000
    assert calls("minus", 1) == -1


def test_a_loop_in_one_task_leaves_the_processor_to_others(calls: Functions) -> None:
    ended = threading.Event()

    def loop() -> None:
        with pytest.raises(TaskKilled):
            calls("forever")
        ended.set()

    thread = threading.Thread(target=loop)
    thread.start()
    for _ in range(3):
        calls.kernel.init_module(module_path("hello").read_bytes())
        calls.kernel.delete_module("hello")
    assert log(calls.kernel)[-1].startswith("hello: Goodbye")
    assert not ended.is_set()
    calls.kernel.stop()
    assert ended.wait(HANG)
    thread.join(HANG)


def test_hlt_waits_for_the_next_interrupt_and_goes_on(calls: Functions) -> None:
    assert calls("halted") == 1


# Kernels


def test_kernels_do_not_share_anything(calls: Functions) -> None:
    other = Kernel(calls.kernel.image)
    other.init_module(module_path("calls").read_bytes())
    theirs = Functions(other, "calls")
    assert theirs.symbols["counted"] == calls.symbols["counted"]
    calls.long("count_here", 5)
    assert theirs.long("count_here", 1) == 1
    assert calls.long("count_here", 0) == 5
    other.stop()


def test_a_module_that_has_been_loaded_again_runs_its_new_code(kernel: Kernel, load: Load) -> None:
    for _ in range(3):
        load("hello", "count=1 whom=first")
        assert log(kernel)[-1] == "hello: (0) Hello, first"
        kernel.delete_module("hello")
        load("calls")
        (mod,) = kernel.modules
        assert mod.state is ModuleState.LIVE
        assert Functions(kernel, "calls")("minus", 6) == -6
        kernel.delete_module("calls")
