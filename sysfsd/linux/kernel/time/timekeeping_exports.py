"""Clocks."""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.sched.core import HZ

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/time/timekeeping.c", "kernel/sched/clock.c")

NSEC_PER_SEC = 1_000_000_000

TICK_NSEC = NSEC_PER_SEC // HZ


@export(
    "ktime_t ktime_get(void)",
    "ktime_t ktime_get_raw(void)",
    "u64 ktime_get_mono_fast_ns(void)",
    "u64 ktime_get_raw_fast_ns(void)",
)
def ktime_get(kernel: Kernel) -> int:
    return kernel.log.clock()


@export("ktime_t ktime_get_with_offset(enum tk_offsets offs)")
def ktime_get_with_offset(kernel: Kernel, offs: int) -> int:
    return time.time_ns() if offs == 0 else time.clock_gettime_ns(time.CLOCK_TAI) if offs == 2 else kernel.log.clock()


@export("ktime_t ktime_get_coarse_with_offset(enum tk_offsets offs)")
def ktime_get_coarse_with_offset(kernel: Kernel, offs: int) -> int:
    return ktime_get_with_offset(kernel, offs) // TICK_NSEC * TICK_NSEC


@export("u64 ktime_get_real_fast_ns(void)")
def ktime_get_real_fast_ns(kernel: Kernel) -> int:
    return time.time_ns()


@export("u64 ktime_get_boot_fast_ns(void)")
def ktime_get_boot_fast_ns(kernel: Kernel) -> int:
    return kernel.log.clock()


@export("time64_t ktime_get_seconds(void)")
def ktime_get_seconds(kernel: Kernel) -> int:
    return kernel.log.clock() // NSEC_PER_SEC


@export("time64_t ktime_get_real_seconds(void)")
def ktime_get_real_seconds(kernel: Kernel) -> int:
    return int(time.time())


def put_timespec(kernel: Kernel, ts: StructView, ns: int) -> None:
    kernel.memory.write(ts.address, struct.pack("<qq", *divmod(ns, NSEC_PER_SEC)))


@export("void ktime_get_real_ts64(struct timespec64 *ts)", "void ktime_get_coarse_real_ts64(struct timespec64 *ts)")
def ktime_get_real_ts64(kernel: Kernel, ts: StructView) -> None:
    put_timespec(kernel, ts, time.time_ns())


@export(
    "void ktime_get_ts64(struct timespec64 *ts)",
    "void ktime_get_raw_ts64(struct timespec64 *ts)",
    "void ktime_get_coarse_ts64(struct timespec64 *ts)",
)
def ktime_get_ts64(kernel: Kernel, ts: StructView) -> None:
    put_timespec(kernel, ts, kernel.log.clock())
