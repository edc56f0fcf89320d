"""Timers and high-resolution timers, tasklets."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.softirq import HARDIRQ, KSOFTIRQD

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("timer", "kernel/time/timer.c, kernel/time/hrtimer.c, kernel/softirq.c")

_NSEC: Final = 1_000_000_000
_KTIME_MAX: Final = (1 << 63) - 1
_CLOCK_REALTIME: Final = 0
_CLOCK_MONOTONIC: Final = 1
_CLOCK_TAI: Final = 11
#: The clocks of timers, by their numbers: which function tells the time.
_CLOCKS: Final = {
    _CLOCK_REALTIME: "ktime_get_real",
    _CLOCK_MONOTONIC: "ktime_get",
    7: "ktime_get_boottime",
    _CLOCK_TAI: "ktime_get_clocktai",
}
_HRTIMER_MODE_REL: Final = 1
_HRTIMER_RESTART: Final = 1
_TASKLET_STATE_SCHED: Final = 1
_TASKLET_STATE_RUN: Final = 2
#: Flags of a timer that say nothing about where it is queued.
_TIMER_INIT_FLAGS: Final = 0x00380000


# struct timer_list


@export(
    "void init_timer_key(struct timer_list *timer, void (*func)(struct timer_list *), unsigned int flags,"
    " const char *name, struct lock_class_key *key)"
)
def init_timer_key(kernel: Kernel, timer: StructView, func: int, flags: int, name: bytes, key: StructView) -> None:
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


# struct hrtimer


class _ClockBases:
    """``hrtimer_bases``: the clocks that timers go by, which hrtimer_forward_now() asks for their time."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._bases: dict[int, int] = {}

    def base(self, clock_id: int) -> int:
        """The address of the ``struct hrtimer_clock_base`` of a clock."""
        clock_id = clock_id if clock_id in _CLOCKS else _CLOCK_MONOTONIC
        if clock_id not in self._bases:
            kernel = self._kernel
            size = kernel.image.structs["hrtimer_clock_base"].size
            base = kernel.struct("hrtimer_clock_base", kernel.slab.kmalloc(size))
            base["clockid"] = clock_id
            base["get_time"] = kernel.exports.internal(
                f"ktime_t {_CLOCKS[clock_id]}(void)", lambda kernel: _clock(kernel, clock_id)
            )
            self._bases[clock_id] = base.address
        return self._bases[clock_id]


def _clock(kernel: Kernel, clock_id: int) -> int:
    """The time of a clock (nanoseconds)."""
    if clock_id == _CLOCK_REALTIME:
        return time.time_ns()
    return time.clock_gettime_ns(time.CLOCK_TAI) if clock_id == _CLOCK_TAI else kernel.log.clock()


def _now(kernel: Kernel, timer: StructView) -> int:
    """``hrtimer_cb_get_time()``."""
    return _clock(kernel, timer.to("base")["clockid"])


@export("void hrtimer_init(struct hrtimer *timer, clockid_t clock_id, enum hrtimer_mode mode)")
def hrtimer_init(kernel: Kernel, timer: StructView, clock_id: int, mode: int) -> None:
    kernel.memory.write(timer.address, bytes(timer.struct.size))
    timer["base"] = kernel.state(_ClockBases).base(clock_id)
    timer["node.node.__rb_parent_color"] = timer.at("node")


def _hrtimer_run(kernel: Kernel, timer: StructView) -> None:
    """``__run_hrtimer()``."""
    timer["state"] = 0
    if kernel.cpu.call(timer["function"], timer.address, site="hrtimer") == _HRTIMER_RESTART and not timer["state"]:
        _hrtimer_enqueue(kernel, timer)


def _hrtimer_enqueue(kernel: Kernel, timer: StructView) -> None:
    timer["state"] = 1
    deadline = time.monotonic() + (timer["node.expires"] - _now(kernel, timer)) / _NSEC
    kernel.softirq.arm(timer.address, deadline, lambda: _hrtimer_run(kernel, timer), HARDIRQ)


@export("void hrtimer_start_range_ns(struct hrtimer *timer, ktime_t tim, u64 delta_ns, const enum hrtimer_mode mode)")
def hrtimer_start_range_ns(kernel: Kernel, timer: StructView, tim: int, delta_ns: int, mode: int) -> None:
    now = _now(kernel, timer)
    expires = min(now + tim, _KTIME_MAX) if mode & _HRTIMER_MODE_REL else tim
    timer["_softexpires"] = timer["node.expires"] = expires
    timer["is_rel"] = mode & _HRTIMER_MODE_REL
    _hrtimer_enqueue(kernel, timer)


@export("int hrtimer_cancel(struct hrtimer *timer)", "int hrtimer_try_to_cancel(struct hrtimer *timer)")
def hrtimer_cancel(kernel: Kernel, timer: StructView) -> int:
    pending = kernel.softirq.disarm(timer.address)
    if pending:
        timer["state"] = 0
    return pending


@export("bool hrtimer_active(const struct hrtimer *timer)")
def hrtimer_active(kernel: Kernel, timer: StructView) -> bool:
    return kernel.softirq.armed(timer.address)


@export("u64 hrtimer_forward(struct hrtimer *timer, ktime_t now, ktime_t interval)")
def hrtimer_forward(kernel: Kernel, timer: StructView, now: int, interval: int) -> int:
    expires = timer["node.expires"]
    delta = now - expires
    if delta < 0 or timer["state"] & 1:
        return 0
    interval = max(1, interval)
    overruns = delta // interval + 1
    timer["node.expires"] = timer["_softexpires"] = min(expires + overruns * interval, _KTIME_MAX)
    return overruns


@export("ktime_t __hrtimer_get_remaining(const struct hrtimer *timer, bool adjust)")
def __hrtimer_get_remaining(kernel: Kernel, timer: StructView, adjust: bool) -> int:
    return timer["node.expires"] - _now(kernel, timer)


export.data("unsigned int hrtimer_resolution", 1)


# Tasklets


@export("void tasklet_setup(struct tasklet_struct *t, void (*callback)(struct tasklet_struct *))")
def tasklet_setup(kernel: Kernel, t: StructView, callback: int) -> None:
    kernel.memory.write(t.address, bytes(t.struct.size))
    t["callback"] = callback
    t["use_callback"] = 1


@export("void tasklet_init(struct tasklet_struct *t, void (*func)(unsigned long), unsigned long data)")
def tasklet_init(kernel: Kernel, t: StructView, func: int, data: int) -> None:
    kernel.memory.write(t.address, bytes(t.struct.size))
    t["func"] = func
    t["data"] = data


def _tasklet_action(kernel: Kernel, t: StructView) -> None:
    """``tasklet_action_common()``; one that is disabled waits for its turn again."""
    if t["count.counter"]:
        deadline = time.monotonic() + 1 / 250
        kernel.softirq.arm(t.address, deadline, lambda: _tasklet_action(kernel, t), KSOFTIRQD)
        return
    t["state"] = _TASKLET_STATE_RUN
    argument = t.address if t["use_callback"] else t["data"]
    try:
        kernel.cpu.call(t["callback"] if t["use_callback"] else t["func"], argument, site="tasklet")
    finally:
        t["state"] &= ~_TASKLET_STATE_RUN


@export("void __tasklet_schedule(struct tasklet_struct *t)")
def __tasklet_schedule(kernel: Kernel, t: StructView) -> None:
    kernel.softirq.soon(t.address, lambda: _tasklet_action(kernel, t))


@export("void __tasklet_hi_schedule(struct tasklet_struct *t)")
def __tasklet_hi_schedule(kernel: Kernel, t: StructView) -> None:
    kernel.softirq.soon(t.address, lambda: _tasklet_action(kernel, t), high=True)


@export("void tasklet_kill(struct tasklet_struct *t)")
def tasklet_kill(kernel: Kernel, t: StructView) -> None:
    while kernel.softirq.armed(t.address) and not t["count.counter"]:
        kernel.sched.relax()
    kernel.softirq.disarm(t.address)
    t["state"] = 0


@export(
    "void tasklet_unlock_wait(struct tasklet_struct *t)",
    "void tasklet_unlock_spin_wait(struct tasklet_struct *t)",
)
def tasklet_unlock_wait(kernel: Kernel, t: StructView) -> None:
    while t["state"] & _TASKLET_STATE_RUN:
        kernel.sched.relax()


@export("void tasklet_unlock(struct tasklet_struct *t)")
def tasklet_unlock(kernel: Kernel, t: StructView) -> None:
    t["state"] &= ~_TASKLET_STATE_RUN
