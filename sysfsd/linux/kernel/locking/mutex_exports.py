"""Mutexes."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.sched.core import TaskState
from sysfsd.linux.kernel.time.timer import MAX_SCHEDULE_TIMEOUT, schedule_timeout
from sysfsd.linux.lib.list import INIT_LIST_HEAD

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/locking/mutex.c", "kernel/locking/rtmutex_api.c")

#: Where locks say who owns them, if not in ``owner.counter``. Whoever waits for an rt_mutex lends its owner a priority:
#: that does not matter where tasks take turns.
_OWNER_MEMBERS: Final = {"rt_mutex": "rtmutex.owner"}

#: The address of a task in that.
_OWNER: Final = (1 << 64) - 8

TASK_KILLABLE: Final = TaskState.UNINTERRUPTIBLE | TaskState.WAKEKILL


# Mutexes


@export("void __mutex_init(struct mutex *lock, const char *name, struct lock_class_key *key)")
def __mutex_init(kernel: Kernel, lock: StructView, name: bytes | None, key: StructView) -> None:
    lock["owner.counter"] = 0
    lock["wait_lock.raw_lock.val.counter"] = 0
    INIT_LIST_HEAD(kernel.memory, lock.at("wait_list"))


def mutex_owner(lock: StructView) -> int:
    """The task that holds a mutex or a semaphore; 0: none."""
    return int(lock[owner_member(lock)]) & _OWNER


def owner_member(lock: StructView) -> str:
    return _OWNER_MEMBERS.get(lock.struct.name, "owner.counter")


def _mutex_let_go(kernel: Kernel, lock: StructView) -> None:
    try:
        lock[owner_member(lock)] = 0
    except OSError:
        return
    kernel.sched.wake_waiters(lock.address, 1)


def wait_while(
    kernel: Kernel,
    address: int,
    busy: Callable[[], int],
    state: int,
    timeout: int = MAX_SCHEDULE_TIMEOUT,
    owner: Callable[[], int] = lambda: 0,
) -> int:
    """Sleep as long as the lock at *address* is *busy*.

    :param owner: the task that holds it, where that is known
    :returns: 0, -EINTR after a signal that *state* is open to, -ETIME when time is up
    """
    task = kernel.current
    while busy():
        if task.signal_pending_state(state):
            return -errno.EINTR
        if timeout <= 0:
            return -errno.ETIME
        if state == TaskState.UNINTERRUPTIBLE and owner() == task.address:
            kernel.sched.hung_task(task)  # it would wait for itself for ever
        task.state = state
        with kernel.sched.waiting(address):
            timeout = schedule_timeout(kernel, timeout)
    return 0


def mutex_lock_state(kernel: Kernel, lock: StructView, state: int) -> int:
    """``__mutex_lock()``.

    :returns: 0, or -EINTR after a signal that the state is open to
    """
    ret = wait_while(kernel, lock.address, lambda: mutex_owner(lock), state, owner=lambda: mutex_owner(lock))
    if ret == 0:
        task = kernel.current
        lock[owner_member(lock)] = task.address
        task.held[lock.address] = lambda: _mutex_let_go(kernel, lock)
    return ret


@export(
    "void mutex_lock(struct mutex *lock)",
    "void mutex_lock_io(struct mutex *lock)",
    "void rt_mutex_lock(struct rt_mutex *lock)",
)
def mutex_lock(kernel: Kernel, lock: StructView) -> None:
    mutex_lock_state(kernel, lock, TaskState.UNINTERRUPTIBLE)


@export("int mutex_lock_interruptible(struct mutex *lock)", "int rt_mutex_lock_interruptible(struct rt_mutex *lock)")
def mutex_lock_interruptible(kernel: Kernel, lock: StructView) -> int:
    return mutex_lock_state(kernel, lock, TaskState.INTERRUPTIBLE)


@export("int mutex_lock_killable(struct mutex *lock)", "int rt_mutex_lock_killable(struct rt_mutex *lock)")
def mutex_lock_killable(kernel: Kernel, lock: StructView) -> int:
    return mutex_lock_state(kernel, lock, TASK_KILLABLE)


@export("int mutex_trylock(struct mutex *lock)", "int rt_mutex_trylock(struct rt_mutex *lock)")
def mutex_trylock(kernel: Kernel, lock: StructView) -> int:
    if mutex_owner(lock):
        return 0
    mutex_lock_state(kernel, lock, TaskState.UNINTERRUPTIBLE)
    return 1


@export("void mutex_unlock(struct mutex *lock)", "void rt_mutex_unlock(struct rt_mutex *lock)")
def mutex_unlock(kernel: Kernel, lock: StructView) -> None:
    owner = kernel.sched.task(mutex_owner(lock))
    if owner is not None:
        owner.held.pop(lock.address, None)
    _mutex_let_go(kernel, lock)


@export("bool mutex_is_locked(struct mutex *lock)")
def mutex_is_locked(kernel: Kernel, lock: StructView) -> bool:
    return bool(mutex_owner(lock))


@export("int atomic_dec_and_mutex_lock(atomic_t *cnt, struct mutex *lock)")
def atomic_dec_and_mutex_lock(kernel: Kernel, cnt: StructView, lock: StructView) -> int:
    value = cnt["counter"] - 1
    if not value:
        mutex_lock(kernel, lock)
    cnt["counter"] = value
    return int(not value)
