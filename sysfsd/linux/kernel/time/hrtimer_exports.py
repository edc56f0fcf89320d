"""High-resolution timers, and sleeping by them."""

from __future__ import annotations

import errno
import time
from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.sched.core import TaskState
from sysfsd.linux.kernel.softirq import HARDIRQ

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/time/hrtimer.c")

_NSEC: Final = 1_000_000_000

_KTIME_MAX: Final = (1 << 63) - 1

CLOCK_REALTIME: Final = 0

_CLOCK_MONOTONIC: Final = 1

CLOCK_TAI: Final = 11

#: The clocks of timers, by their numbers: which function tells the time.
_CLOCKS: Final = {
    CLOCK_REALTIME: "ktime_get_real",
    _CLOCK_MONOTONIC: "ktime_get",
    7: "ktime_get_boottime",
    CLOCK_TAI: "ktime_get_clocktai",
}

_HRTIMER_MODE_REL: Final = 1

_HRTIMER_RESTART: Final = 1


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
                f"ktime_t {_CLOCKS[clock_id]}(void)", lambda kernel: clock_ns(kernel, clock_id)
            )
            self._bases[clock_id] = base.address
        return self._bases[clock_id]


def clock_ns(kernel: Kernel, clock_id: int) -> int:
    """The time of a clock (nanoseconds)."""
    if clock_id == CLOCK_REALTIME:
        return time.time_ns()
    return time.clock_gettime_ns(time.CLOCK_TAI) if clock_id == CLOCK_TAI else kernel.log.clock()


def hrtimer_cb_get_time(kernel: Kernel, timer: StructView) -> int:
    """``hrtimer_cb_get_time()``."""
    return clock_ns(kernel, timer.to("base")["clockid"])


@export("void hrtimer_init(struct hrtimer *timer, clockid_t clock_id, enum hrtimer_mode mode)")
def hrtimer_init(kernel: Kernel, timer: StructView, clock_id: int, mode: int) -> None:
    kernel.memory.write(timer.address, bytes(timer.struct.size))
    timer["base"] = kernel.state(_ClockBases).base(clock_id)
    timer["node.node.__rb_parent_color"] = timer.at("node")


def _hrtimer_run(kernel: Kernel, timer: StructView) -> None:
    """``__run_hrtimer()``."""
    timer["state"] = 0
    if kernel.cpu.call(timer["function"], timer.address, site="hrtimer") == _HRTIMER_RESTART and not timer["state"]:
        hrtimer_enqueue(kernel, timer)


def hrtimer_enqueue(kernel: Kernel, timer: StructView) -> None:
    timer["state"] = 1
    deadline = time.monotonic() + (timer["node.expires"] - hrtimer_cb_get_time(kernel, timer)) / _NSEC
    kernel.softirq.arm(timer.address, deadline, lambda: _hrtimer_run(kernel, timer), HARDIRQ)


@export("void hrtimer_start_range_ns(struct hrtimer *timer, ktime_t tim, u64 delta_ns, const enum hrtimer_mode mode)")
def hrtimer_start_range_ns(kernel: Kernel, timer: StructView, tim: int, delta_ns: int, mode: int) -> None:
    now = hrtimer_cb_get_time(kernel, timer)
    expires = min(now + tim, _KTIME_MAX) if mode & _HRTIMER_MODE_REL else tim
    timer["_softexpires"] = timer["node.expires"] = expires
    timer["is_rel"] = mode & _HRTIMER_MODE_REL
    hrtimer_enqueue(kernel, timer)


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
    return timer["node.expires"] - hrtimer_cb_get_time(kernel, timer)


export.data("unsigned int hrtimer_resolution", 1)


@export(
    "int schedule_hrtimeout(ktime_t *expires, const enum hrtimer_mode mode)",
    "int schedule_hrtimeout_range(ktime_t *expires, u64 delta, const enum hrtimer_mode mode)",
)
def schedule_hrtimeout(kernel: Kernel, expires: int, *rest: int) -> int:
    """Sleep in the state that the task has; without *expires*, for ever."""
    deadline = kernel.memory.read_int(expires, 8, signed=True) if expires else None
    if deadline == 0:
        kernel.current.state = TaskState.RUNNING
        return 0
    if deadline is None:
        kernel.sched.schedule()
        return -errno.EINTR
    if rest[-1] & _HRTIMER_MODE_REL:
        deadline += kernel.log.clock()
    kernel.sched.schedule(max(0, deadline - kernel.log.clock()) / _NSEC)
    return 0 if kernel.log.clock() >= deadline else -errno.EINTR
