"""Semaphores that count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.locking.mutex_exports import TASK_KILLABLE, wait_while
from sysfsd.linux.kernel.sched.core import TaskState
from sysfsd.linux.kernel.time.timer import MAX_SCHEDULE_TIMEOUT

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/locking/semaphore.c")


# Semaphores


def _down(kernel: Kernel, sem: StructView, state: int, timeout: int = MAX_SCHEDULE_TIMEOUT) -> int:
    """``__down_common()``.

    :returns: 0, -EINTR after a signal, -ETIME when time is up
    """
    ret = wait_while(kernel, sem.address, lambda: not sem["count"], state, timeout)
    if ret == 0:
        sem["count"] -= 1
    return ret


@export("void down(struct semaphore *sem)")
def down(kernel: Kernel, sem: StructView) -> None:
    _down(kernel, sem, TaskState.UNINTERRUPTIBLE)


@export("int down_interruptible(struct semaphore *sem)")
def down_interruptible(kernel: Kernel, sem: StructView) -> int:
    return _down(kernel, sem, TaskState.INTERRUPTIBLE)


@export("int down_killable(struct semaphore *sem)")
def down_killable(kernel: Kernel, sem: StructView) -> int:
    return _down(kernel, sem, TASK_KILLABLE)


@export("int down_timeout(struct semaphore *sem, long timeout)")
def down_timeout(kernel: Kernel, sem: StructView, timeout: int) -> int:
    return _down(kernel, sem, TaskState.UNINTERRUPTIBLE, timeout)


@export("int down_trylock(struct semaphore *sem)")
def down_trylock(kernel: Kernel, sem: StructView) -> int:
    if not sem["count"]:
        return 1
    sem["count"] -= 1
    return 0


@export("void up(struct semaphore *sem)")
def up(kernel: Kernel, sem: StructView) -> None:
    sem["count"] += 1
    kernel.sched.wake_waiters(sem.address, 1)
