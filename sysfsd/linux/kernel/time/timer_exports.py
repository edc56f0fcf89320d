"""Timers, jiffies, and sleeping by them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.sched.core import HZ, INITIAL_JIFFIES, TaskState
from sysfsd.linux.kernel.time.time_exports import msecs_to_jiffies
from sysfsd.linux.kernel.time.timer import schedule_timeout as schedule_timeout_jiffies

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/time/timer.c", "kernel/sched/core.c")

_TASKLET_STATE_SCHED: Final = 1

#: Flags of a timer that say nothing about where it is queued.
_TIMER_INIT_FLAGS: Final = 0x00380000


# struct timer_list


@export(
    "void init_timer_key(struct timer_list *timer, void (*func)(struct timer_list *), unsigned int flags,"
    " const char *name, struct lock_class_key *key)"
)
def init_timer_key(
    kernel: Kernel, timer: StructView, func: int, flags: int, name: bytes | None, key: StructView
) -> None:
    timer["entry.pprev"] = 0
    timer["function"] = func
    timer["flags"] = flags & _TIMER_INIT_FLAGS


def _expire(kernel: Kernel, timer: StructView) -> None:
    """``expire_timers()``, for one of them."""
    timer["entry.pprev"] = 0
    function = timer["function"]
    if function:
        kernel.cpu.call(function, timer.address, site="timer")


def start_timer(kernel: Kernel, timer: StructView, expires: int) -> bool:
    """``__mod_timer()``: whether it was pending."""
    if not timer["function"]:
        return False
    timer["expires"] = expires
    timer["entry.pprev"] = timer.at("entry")
    left = ((expires - kernel.sched.jiffies) & (1 << 64) - 1 ^ 1 << 63) - (1 << 63)
    deadline = time.monotonic() + kernel.sched.seconds_until(kernel.sched.jiffies + max(0, left))
    return kernel.softirq.arm(timer.address, deadline, lambda: _expire(kernel, timer))


def stop_timer(kernel: Kernel, timer: StructView) -> bool:
    """``timer_delete()``: whether it was pending."""
    if kernel.softirq.disarm(timer.address):
        timer["entry.pprev"] = 0
        return True
    return False


@export("int mod_timer(struct timer_list *timer, unsigned long expires)")
def mod_timer(kernel: Kernel, timer: StructView, expires: int) -> int:
    return start_timer(kernel, timer, expires)


@export("int mod_timer_pending(struct timer_list *timer, unsigned long expires)")
def mod_timer_pending(kernel: Kernel, timer: StructView, expires: int) -> int:
    return kernel.softirq.armed(timer.address) and start_timer(kernel, timer, expires)


@export("int timer_reduce(struct timer_list *timer, unsigned long expires)")
def timer_reduce(kernel: Kernel, timer: StructView, expires: int) -> int:
    if kernel.softirq.armed(timer.address) and timer["expires"] <= expires:
        return 1
    return start_timer(kernel, timer, expires)


@export("void add_timer(struct timer_list *timer)", "void add_timer_on(struct timer_list *timer, int cpu)")
def add_timer(kernel: Kernel, timer: StructView, *_: int) -> None:
    if kernel.softirq.armed(timer.address):
        kernel.traps.bug_at("kernel/time/timer.c", 1160, "add_timer+0x18")
    start_timer(kernel, timer, timer["expires"])


@export(
    "int timer_delete(struct timer_list *timer)",
    "int timer_delete_sync(struct timer_list *timer)",
    "int try_to_del_timer_sync(struct timer_list *timer)",
)
def timer_delete(kernel: Kernel, timer: StructView) -> int:
    return stop_timer(kernel, timer)


@export("int timer_shutdown(struct timer_list *timer)", "int timer_shutdown_sync(struct timer_list *timer)")
def timer_shutdown(kernel: Kernel, timer: StructView) -> int:
    pending = stop_timer(kernel, timer)
    timer["function"] = 0
    return pending


export.data("unsigned long jiffies", INITIAL_JIFFIES)

export.data("u64 jiffies_64", INITIAL_JIFFIES)

export.data("unsigned long loops_per_jiffy", 4_800_000)


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


@export("signed long schedule_timeout(signed long timeout)")
def schedule_timeout(kernel: Kernel, timeout: int) -> int:
    return schedule_timeout_jiffies(kernel, timeout)


def _schedule_timeout_state(name: str, state: int) -> None:
    @export(f"signed long {name}(signed long timeout)")
    def schedule_timeout_state(kernel: Kernel, timeout: int) -> int:
        kernel.current.state = state
        return schedule_timeout_jiffies(kernel, timeout)


for _name, _state in {
    "schedule_timeout_interruptible": TaskState.INTERRUPTIBLE,
    "schedule_timeout_killable": TaskState.UNINTERRUPTIBLE | TaskState.WAKEKILL,
    "schedule_timeout_uninterruptible": TaskState.UNINTERRUPTIBLE,
    "schedule_timeout_idle": TaskState.UNINTERRUPTIBLE | TaskState.NOLOAD,
}.items():
    _schedule_timeout_state(_name, _state)


@export("void msleep(unsigned int msecs)")
def msleep(kernel: Kernel, msecs: int) -> None:
    timeout = msecs_to_jiffies(msecs) + 1
    while timeout:
        kernel.current.state = TaskState.UNINTERRUPTIBLE
        timeout = schedule_timeout_jiffies(kernel, timeout)


@export("unsigned long msleep_interruptible(unsigned int msecs)")
def msleep_interruptible(kernel: Kernel, msecs: int) -> int:
    timeout = msecs_to_jiffies(msecs) + 1
    while timeout and not kernel.current.signal_pending():
        kernel.current.state = TaskState.INTERRUPTIBLE
        timeout = schedule_timeout_jiffies(kernel, timeout)
    return timeout * (1000 // HZ)


@export("void usleep_range_state(unsigned long min, unsigned long max, unsigned int state)")
def usleep_range_state(kernel: Kernel, min: int, max: int, state: int) -> None:
    kernel.sched.sleep(min / 1_000_000, state)
