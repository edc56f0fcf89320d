"""The scheduler's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("kernel/sched/clock.c")


@export("u64 sched_clock(void)")
def sched_clock(kernel: Kernel) -> int:
    return kernel.log.clock()
