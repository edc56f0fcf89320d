"""Conversions between clocks, ticks and calendars (kernel/time/time.c, timeconv.c)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.sched.core import HZ
from sysfsd.linux.kernel.time.timekeeping_exports import NSEC_PER_SEC, TICK_NSEC, put_timespec

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/time/time.c", "kernel/time/timeconv.c")

export.data("struct timezone sys_tz")

_MAX_JIFFY_OFFSET = (1 << 63) // 2 - 1


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
    return j * TICK_NSEC


@export("u64 jiffies64_to_msecs(u64 j)")
def jiffies64_to_msecs(kernel: Kernel, j: int) -> int:
    return j * 1000 // HZ


@export("unsigned long timespec64_to_jiffies(const struct timespec64 *value)")
def timespec64_to_jiffies(kernel: Kernel, value: StructView) -> int:
    return value["tv_sec"] * HZ + -(-value["tv_nsec"] // TICK_NSEC)


@export("void jiffies_to_timespec64(const unsigned long jiffies, struct timespec64 *value)")
def jiffies_to_timespec64(kernel: Kernel, jiffies: int, value: StructView) -> None:
    put_timespec(kernel, value, jiffies * TICK_NSEC)


@export("void time64_to_tm(time64_t totalsecs, int offset, struct tm *result)")
def time64_to_tm(kernel: Kernel, totalsecs: int, offset: int, result: StructView) -> None:
    days, rest = divmod(totalsecs + offset, 86400)
    result["tm_hour"], result["tm_min"], result["tm_sec"] = rest // 3600, rest % 3600 // 60, rest % 60
    result["tm_wday"] = (4 + days) % 7
    parts = time.gmtime(days * 86400)
    result["tm_year"], result["tm_mon"], result["tm_mday"] = parts.tm_year - 1900, parts.tm_mon - 1, parts.tm_mday
    result["tm_yday"] = parts.tm_yday - 1
