"""Rate limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.exports.time import msecs_to_jiffies
from sysfsd.kernel.printk import Level
from sysfsd.kernel.sched import HZ

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("ratelimit", "lib/ratelimit.c, kernel/printk/printk.c, net/core/utils.c")

_RATELIMIT_MSG_ON_RELEASE: Final = 1


class _OwnRatelimits:
    """The kernel's own states: that of printk, whose limits are in /proc/sys/kernel, and that of the network."""

    def __init__(self, kernel: Kernel) -> None:
        size = kernel.image.structs["ratelimit_state"].size
        self.printk = kernel.struct("ratelimit_state", kernel.slab.kmalloc(size))
        self.net = kernel.struct("ratelimit_state", kernel.slab.kmalloc(size))
        self.net["interval"], self.net["burst"] = 5 * HZ, 10


def _ratelimit(kernel: Kernel, rs: StructView, func: bytes) -> bool:
    interval, burst = rs["interval"], rs["burst"]
    if not interval:
        return True
    jiffies = kernel.sched.jiffies
    begin = rs["begin"]
    if not begin:
        rs["begin"] = begin = jiffies
    if begin + interval < jiffies:
        missed = rs["missed"]
        if missed and not rs["flags"] & _RATELIMIT_MSG_ON_RELEASE:
            text = b"%s: %d callbacks suppressed\n" % (func, missed)
            kernel.log.emit(text, Level.WARNING, caller=kernel.current.pid)
            rs["missed"] = 0
        rs["begin"] = jiffies
        rs["printed"] = 0
    if burst > rs["printed"]:
        rs["printed"] += 1
        return True
    rs["missed"] += 1
    return False


@export("int ___ratelimit(struct ratelimit_state *rs, const char *func)")
def ___ratelimit(kernel: Kernel, rs: StructView, func: bytes) -> bool:
    return _ratelimit(kernel, rs, func)


@export("int __printk_ratelimit(const char *func)")
def __printk_ratelimit(kernel: Kernel, func: bytes) -> bool:
    rs = kernel.state(_OwnRatelimits).printk
    rs["interval"] = kernel.tunables.printk_ratelimit
    rs["burst"] = kernel.tunables.printk_ratelimit_burst
    return _ratelimit(kernel, rs, func)


@export("int net_ratelimit(void)")
def net_ratelimit(kernel: Kernel) -> bool:
    return _ratelimit(kernel, kernel.state(_OwnRatelimits).net, b"net_ratelimit")


@export("bool printk_timed_ratelimit(unsigned long *caller_jiffies, unsigned int interval_msecs)")
def printk_timed_ratelimit(kernel: Kernel, caller_jiffies: int, interval_msecs: int) -> bool:
    last, now = kernel.memory.read_pointer(caller_jiffies), kernel.sched.jiffies
    if last and now - last <= msecs_to_jiffies(interval_msecs):
        return False
    kernel.memory.write_pointer(caller_jiffies, now)
    return True
