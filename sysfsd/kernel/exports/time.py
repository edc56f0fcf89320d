"""Clocks and delays."""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING

from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.sched import HZ, INITIAL_JIFFIES

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("time", "kernel/time/, arch/x86/lib/delay.c")

NSEC_PER_SEC = 1_000_000_000
_JIFFY_NS = NSEC_PER_SEC // HZ
_MAX_JIFFY_OFFSET = (1 << 63) // 2 - 1

export.data("unsigned long jiffies", INITIAL_JIFFIES)
export.data("u64 jiffies_64", INITIAL_JIFFIES)
export.data("unsigned int tsc_khz", 2_400_000)
export.data("unsigned int cpu_khz", 2_400_000)
export.data("unsigned long loops_per_jiffy", 4_800_000)


@export(
    "ktime_t ktime_get(void)",
    "ktime_t ktime_get_raw(void)",
    "u64 ktime_get_mono_fast_ns(void)",
    "u64 ktime_get_raw_fast_ns(void)",
    "u64 sched_clock(void)",
)
def ktime_get(kernel: Kernel) -> int:
    return kernel.log.clock()


@export("ktime_t ktime_get_with_offset(enum tk_offsets offs)")
def ktime_get_with_offset(kernel: Kernel, offs: int) -> int:
    return time.time_ns() if offs == 0 else time.clock_gettime_ns(time.CLOCK_TAI) if offs == 2 else kernel.log.clock()


@export("ktime_t ktime_get_coarse_with_offset(enum tk_offsets offs)")
def ktime_get_coarse_with_offset(kernel: Kernel, offs: int) -> int:
    return ktime_get_with_offset(kernel, offs) // _JIFFY_NS * _JIFFY_NS  # type: ignore[no-any-return]


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


def _timespec(kernel: Kernel, ts: StructView, ns: int) -> None:
    kernel.memory.write(ts.address, struct.pack("<qq", *divmod(ns, NSEC_PER_SEC)))


@export("void ktime_get_real_ts64(struct timespec64 *ts)", "void ktime_get_coarse_real_ts64(struct timespec64 *ts)")
def ktime_get_real_ts64(kernel: Kernel, ts: StructView) -> None:
    _timespec(kernel, ts, time.time_ns())


@export(
    "void ktime_get_ts64(struct timespec64 *ts)",
    "void ktime_get_raw_ts64(struct timespec64 *ts)",
    "void ktime_get_coarse_ts64(struct timespec64 *ts)",
)
def ktime_get_ts64(kernel: Kernel, ts: StructView) -> None:
    _timespec(kernel, ts, kernel.log.clock())


# Jiffies


@export("unsigned int jiffies_to_msecs(const unsigned long j)")
def jiffies_to_msecs(kernel: Kernel, j: int) -> int:
    return j * (1000 // HZ)


@export("unsigned int jiffies_to_usecs(const unsigned long j)")
def jiffies_to_usecs(kernel: Kernel, j: int) -> int:
    return j * (1_000_000 // HZ)


def msecs_to_jiffies(ms: int) -> int:
    """Milliseconds as ticks, rounded up; what is negative as an int is for ever."""
    return _MAX_JIFFY_OFFSET if ms >= 1 << 31 else (ms * HZ + 999) // 1000


@export("unsigned long __msecs_to_jiffies(const unsigned int m)")
def __msecs_to_jiffies(kernel: Kernel, m: int) -> int:
    return msecs_to_jiffies(m)


@export("unsigned long __usecs_to_jiffies(const unsigned int u)")
def __usecs_to_jiffies(kernel: Kernel, u: int) -> int:
    return (u * HZ + 999_999) // 1_000_000


@export("unsigned long nsecs_to_jiffies(u64 n)", "u64 nsecs_to_jiffies64(u64 n)")
def nsecs_to_jiffies(kernel: Kernel, n: int) -> int:
    return n * HZ // NSEC_PER_SEC


@export("u64 jiffies64_to_nsecs(u64 j)")
def jiffies64_to_nsecs(kernel: Kernel, j: int) -> int:
    return j * _JIFFY_NS


@export("u64 jiffies64_to_msecs(u64 j)")
def jiffies64_to_msecs(kernel: Kernel, j: int) -> int:
    return j * 1000 // HZ


@export("unsigned long timespec64_to_jiffies(const struct timespec64 *value)")
def timespec64_to_jiffies(kernel: Kernel, value: StructView) -> int:
    return value["tv_sec"] * HZ + -(-value["tv_nsec"] // _JIFFY_NS)


@export("void jiffies_to_timespec64(const unsigned long jiffies, struct timespec64 *value)")
def jiffies_to_timespec64(kernel: Kernel, jiffies: int, value: StructView) -> None:
    _timespec(kernel, value, jiffies * _JIFFY_NS)


@export("unsigned long round_jiffies(unsigned long j)", "unsigned long round_jiffies_relative(unsigned long j)")
def round_jiffies(kernel: Kernel, j: int) -> int:
    return j


@export(
    "unsigned long round_jiffies_up(unsigned long j)",
    "unsigned long round_jiffies_up_relative(unsigned long j)",
    "unsigned long __round_jiffies(unsigned long j, int cpu)",
    "unsigned long __round_jiffies_up(unsigned long j, int cpu)",
)
def round_jiffies_up(kernel: Kernel, j: int, *_: int) -> int:
    return j


@export("void time64_to_tm(time64_t totalsecs, int offset, struct tm *result)")
def time64_to_tm(kernel: Kernel, totalsecs: int, offset: int, result: StructView) -> None:
    days, rest = divmod(totalsecs + offset, 86400)
    result["tm_hour"], result["tm_min"], result["tm_sec"] = rest // 3600, rest % 3600 // 60, rest % 60
    result["tm_wday"] = (4 + days) % 7
    parts = time.gmtime(days * 86400)
    result["tm_year"], result["tm_mon"], result["tm_mday"] = parts.tm_year - 1900, parts.tm_mon - 1, parts.tm_mday
    result["tm_yday"] = parts.tm_yday - 1


# Delays


def _busy(kernel: Kernel, seconds: float) -> None:
    """Wait without giving the processor to others."""
    if seconds > 0:
        before = kernel.sched.jiffies
        time.sleep(min(seconds, kernel.sched.softlockup_thresh))
        kernel.sched.update_jiffies()
        if kernel.sched.jiffies != before:
            kernel.softirq.interrupt()


@export("void __const_udelay(unsigned long xloops)")
def __const_udelay(kernel: Kernel, xloops: int) -> None:
    _busy(kernel, xloops / (1 << 32))


@export("void __udelay(unsigned long usecs)")
def __udelay(kernel: Kernel, usecs: int) -> None:
    _busy(kernel, usecs / 1_000_000)


@export("void __ndelay(unsigned long nsecs)")
def __ndelay(kernel: Kernel, nsecs: int) -> None:
    _busy(kernel, nsecs / NSEC_PER_SEC)


@export("void __delay(unsigned long loops)")
def __delay(kernel: Kernel, loops: int) -> None:
    _busy(kernel, loops / 2.4e9)
