"""Per-CPU data of modules: mm/percpu.c."""

from __future__ import annotations

import errno

import pytest

from sysfsd.linux.kernel.panic import Taint
from sysfsd.linux.kernel.printk.printk import PrintkLog
from sysfsd.linux.mm.percpu import PERCPU_MODULE_RESERVE, ReservedPercpu
from sysfsd.linux.system import Kernel
from tests.linux.ko import Ko, module_path
from tests.linux.state import log, state


@pytest.fixture
def percpu() -> ReservedPercpu:
    return ReservedPercpu(1000, PrintkLog(), lambda message: None, size=64)


def test_the_reserve_is_8192_bytes() -> None:
    assert PERCPU_MODULE_RESERVE == 8192


def test_pieces_lie_one_behind_the_other_aligned(percpu: ReservedPercpu) -> None:
    assert percpu.alloc(1, 1) == 1000
    assert percpu.alloc(1, 1) == 1004
    assert percpu.alloc(8, 16) == 1008
    assert percpu.alloc(8, 32) == 1024


def test_a_gap_is_filled(percpu: ReservedPercpu) -> None:
    first = percpu.alloc(16, 4)
    percpu.alloc(16, 4)
    percpu.free(first)
    assert percpu.alloc(16, 4) == first


def test_the_whole_reserve_can_be_used(percpu: ReservedPercpu) -> None:
    assert percpu.alloc(64, 8) == 1000
    with pytest.raises(OSError) as caught:
        percpu.alloc(1, 1)
    assert caught.value.errno == errno.ENOMEM


def test_the_reserve_being_used_up_is_logged_ten_times(kernel: Kernel) -> None:
    percpu = ReservedPercpu(0, kernel.log, kernel.warn, size=8)
    for _ in range(12):
        with pytest.raises(OSError):
            percpu.alloc(16, 8)
    expected = "percpu: allocation failed, size=16 align=8 atomic=0, alloc from reserved chunk failed"
    assert log(kernel).count(expected) == 10


def test_a_module_too_large_for_the_reserve_is_out_of_memory(kernel: Kernel) -> None:
    before = state(kernel)
    with pytest.raises(OSError) as caught:
        kernel.init_module(module_path("per_cpu_reserve").read_bytes())
    assert caught.value.errno == errno.ENOMEM
    assert log(kernel)[-2:] == [
        "percpu: allocation failed, size=8200 align=32 atomic=0, alloc from reserved chunk failed",
        "per_cpu_reserve: Could not allocate 8200 bytes percpu data",
    ]
    assert state(kernel) == before


def test_more_than_a_cpus_smallest_area_is_warned_about(kernel: Kernel) -> None:
    with pytest.raises(OSError) as caught:
        kernel.init_module(module_path("per_cpu_large").read_bytes())
    assert caught.value.errno == errno.ENOMEM
    assert "illegal size (40000) or align (32) for percpu allocation" in log(kernel)
    assert log(kernel)[-1] == "per_cpu_large: Could not allocate 40000 bytes percpu data"
    assert kernel.test_taint(Taint.WARN)


def test_an_alignment_beyond_a_page_is_reduced_to_one(kernel: Kernel) -> None:
    kernel.init_module(bytes(Ko("per_cpu").set(".data..percpu", addralign=8192)))
    assert "per_cpu: per-cpu alignment 8192 > 4096" in log(kernel)
    mod = kernel.modules.find("per_cpu")
    assert mod is not None and mod.percpu is not None and mod.percpu % 4096 == 0


def test_two_halves_do_not_fit_at_once(kernel: Kernel) -> None:
    kernel.init_module(module_path("per_cpu_half").read_bytes())
    second = bytes(Ko("per_cpu_half").rename("other_half"))
    with pytest.raises(OSError):
        kernel.init_module(second)
    kernel.delete_module("per_cpu_half")
    kernel.init_module(second)
