"""Sleeping by ticks (kernel/time/timer.c, ``schedule_timeout()``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.kernel.sched.core import TaskState

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

__all__ = ["MAX_SCHEDULE_TIMEOUT", "schedule_timeout"]

#: As long as it takes.
MAX_SCHEDULE_TIMEOUT: Final = (1 << 63) - 1


def schedule_timeout(kernel: Kernel, timeout: int) -> int:
    """``schedule_timeout()``: sleep for so many ticks at most.

    :returns: those that were left
    """
    if timeout == MAX_SCHEDULE_TIMEOUT:
        kernel.sched.schedule()
        return timeout
    if timeout < 0:
        kernel.log.pr_err(f"schedule_timeout: wrong timeout value {timeout & (1 << 64) - 1:x}")
        kernel.traps.dump_stack("schedule_timeout")
        kernel.current.state = TaskState.RUNNING
        return 0
    expire = kernel.sched.jiffies + timeout
    kernel.sched.schedule(kernel.sched.seconds_until(expire))
    return max(0, expire - kernel.sched.jiffies)
