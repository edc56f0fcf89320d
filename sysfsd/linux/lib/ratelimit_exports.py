"""Rate limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.printk.printk import Level
from sysfsd.linux.kernel.sched.core import HZ

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/ratelimit.c")

_RATELIMIT_MSG_ON_RELEASE: Final = 1


class OwnRatelimits:
    """The kernel's own states: that of printk, whose limits are in /proc/sys/kernel, and that of the network."""

    def __init__(self, kernel: Kernel) -> None:
        size = kernel.image.structs["ratelimit_state"].size
        self.printk = kernel.struct("ratelimit_state", kernel.slab.kmalloc(size))
        self.net = kernel.struct("ratelimit_state", kernel.slab.kmalloc(size))
        self.net["interval"], self.net["burst"] = 5 * HZ, 10


def ratelimit(kernel: Kernel, rs: StructView, func: bytes) -> bool:
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
    return ratelimit(kernel, rs, func)
