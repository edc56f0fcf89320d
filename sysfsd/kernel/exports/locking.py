"""Locks: spinlocks, reader-writer locks, mutexes, semaphores.

A lock's word in memory says what code that looks at it sees; who holds it is known to the task, so that the locks of
one that is killed can be let go.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.exports.wait import MAX_SCHEDULE_TIMEOUT, schedule_timeout_jiffies
from sysfsd.kernel.list import INIT_LIST_HEAD
from sysfsd.kernel.sched import SOFTIRQ_DISABLE_OFFSET, TaskState

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("locking", "kernel/locking/, kernel/softirq.c")

_LOCKED: Final = 1
_READER: Final = 0x200
_WRITER: Final = 0xFF
#: Where locks say who owns them, if not in ``owner.counter``. Whoever waits for an rt_mutex lends its owner a priority:
#: that does not matter where tasks take turns.
_OWNER_MEMBERS: Final = {"rt_mutex": "rtmutex.owner"}
#: The address of a task in that.
_OWNER: Final = (1 << 64) - 8
_EFLAGS_IF: Final = 0x200
_KILLABLE: Final = TaskState.UNINTERRUPTIBLE | TaskState.WAKEKILL


# What spinning locks turn off meanwhile


def _plain(kernel: Kernel, enter: bool) -> None:
    kernel.sched.preempt_count += 1 if enter else -1


def _bh(kernel: Kernel, enter: bool) -> None:
    _local_bh(kernel, SOFTIRQ_DISABLE_OFFSET + 1 if enter else -SOFTIRQ_DISABLE_OFFSET - 1)


def _local_bh(kernel: Kernel, count: int) -> None:
    """Change the preempt_count by *count*; where that allows soft interrupts again, they happen."""
    kernel.sched.preempt_count += count
    if count < 0 and not kernel.current.in_interrupt:
        kernel.softirq.do_softirq()


def _irq(kernel: Kernel, enter: bool) -> None:
    kernel.cpu.set_interrupts(not enter)
    _plain(kernel, enter)


_FLAVOURS: Final[dict[str, Callable[[Kernel, bool], None]]] = {"": _plain, "_bh": _bh, "_irq": _irq}


def _spin_until(kernel: Kernel, free: Callable[[], bool]) -> None:
    """Another task holds the lock, and sleeps with it, or it is the same task, which then spins for ever."""
    task = kernel.current
    deadline = time.monotonic() + kernel.sched.softlockup_thresh
    while not free():
        if time.monotonic() > deadline:
            kernel.sched.softlockup(task, task.caller_regs())
        kernel.sched.relax()


_TRYLOCKS: Final = {"_raw_spin_trylock", "_raw_spin_trylock_bh", "_raw_read_trylock", "_raw_write_trylock"}


class _SpinningLock:
    """A kind of lock that is waited for by spinning: its word in memory and how it changes."""

    def __init__(self, prefix: str, type_: str, name: str, taken: int, busy: int) -> None:
        for suffix, around in _FLAVOURS.items():
            self._declare(f"_raw_{prefix}", suffix, type_, name, taken, busy, around)
            if f"_raw_{prefix}_trylock{suffix}" in _TRYLOCKS:
                self._declare_trylock(f"_raw_{prefix}", suffix, type_, name, taken, busy, around)
        self._declare_irqsave(f"_raw_{prefix}", type_, name, taken, busy)

    def _declare(
        self,
        prefix: str,
        suffix: str,
        type_: str,
        name: str,
        taken: int,
        busy: int,
        around: Callable[[Kernel, bool], None],
    ) -> None:
        @export(f"void {prefix}_lock{suffix}({type_} *lock)")
        def lock(kernel: Kernel, lock: StructView) -> None:
            around(kernel, True)
            _take(kernel, lock.address, name, taken, busy)

        @export(f"void {prefix}_unlock{suffix}({type_} *lock)")
        def unlock(kernel: Kernel, lock: StructView) -> None:
            _drop(kernel, lock.address, taken)
            around(kernel, False)

    def _declare_trylock(
        self,
        prefix: str,
        suffix: str,
        type_: str,
        name: str,
        taken: int,
        busy: int,
        around: Callable[[Kernel, bool], None],
    ) -> None:
        @export(f"int {prefix}_trylock{suffix}({type_} *lock)")
        def trylock(kernel: Kernel, lock: StructView) -> int:
            if kernel.memory.read_int(lock.address) & busy:
                return 0
            around(kernel, True)
            _take(kernel, lock.address, name, taken, busy)
            return 1

    def _declare_irqsave(self, prefix: str, type_: str, name: str, taken: int, busy: int) -> None:
        @export(f"unsigned long {prefix}_lock_irqsave({type_} *lock)")
        def lock_irqsave(kernel: Kernel, lock: StructView) -> int:
            flags = kernel.cpu.set_interrupts(False)
            _plain(kernel, True)
            _take(kernel, lock.address, name, taken, busy)
            return flags

        @export(f"void {prefix}_unlock_irqrestore({type_} *lock, unsigned long flags)")
        def unlock_irqrestore(kernel: Kernel, lock: StructView, flags: int) -> None:
            _drop(kernel, lock.address, taken)
            kernel.cpu.set_interrupts(bool(flags & _EFLAGS_IF))
            _plain(kernel, False)


def _take(kernel: Kernel, address: int, name: str, taken: int, busy: int) -> None:
    memory = kernel.memory
    if memory.read_int(address) & busy:
        _spin_until(kernel, lambda: not memory.read_int(address) & busy)
    memory.write_int(address, memory.read_int(address) + taken)
    kernel.current.held[address] = lambda: _let_go(kernel, address, taken)


def _drop(kernel: Kernel, address: int, taken: int) -> None:
    value = kernel.memory.read_int(address)
    kernel.memory.write_int(address, value - taken if taken == _READER else value & ~0xFF)
    kernel.current.held.pop(address, None)


def _let_go(kernel: Kernel, address: int, taken: int) -> None:
    try:
        value = kernel.memory.read_int(address)
        kernel.memory.write_int(address, value - taken if taken == _READER else value & ~0xFF)
    except OSError:
        pass  # it was freed meanwhile


_SpinningLock("spin", "struct raw_spinlock", "val", _LOCKED, _LOCKED)
_SpinningLock("read", "rwlock_t", "cnts", _READER, _WRITER)
_SpinningLock("write", "rwlock_t", "cnts", _WRITER, 0xFFFFFFFF)


@export("void __local_bh_enable_ip(unsigned long ip, unsigned int cnt)")
def __local_bh_enable_ip(kernel: Kernel, ip: int, cnt: int) -> None:
    _local_bh(kernel, -cnt)


@export("void _local_bh_enable(void)")
def _local_bh_enable(kernel: Kernel) -> None:
    _local_bh(kernel, -SOFTIRQ_DISABLE_OFFSET)


# Mutexes


@export("void __mutex_init(struct mutex *lock, const char *name, struct lock_class_key *key)")
def __mutex_init(kernel: Kernel, lock: StructView, name: bytes, key: StructView) -> None:
    lock["owner.counter"] = 0
    lock["wait_lock.raw_lock.val.counter"] = 0
    INIT_LIST_HEAD(kernel.memory, lock.at("wait_list"))


@export("void __rt_mutex_init(struct rt_mutex *lock, const char *name, struct lock_class_key *key)")
def __rt_mutex_init(kernel: Kernel, lock: StructView, name: bytes, key: int) -> None:
    kernel.memory.write(lock.address, bytes(lock.struct.size))


def _mutex_owner(lock: StructView) -> int:
    """The task that holds a mutex or a semaphore; 0: none."""
    return int(lock[_owner_member(lock)]) & _OWNER


def _owner_member(lock: StructView) -> str:
    return _OWNER_MEMBERS.get(lock.struct.name, "owner.counter")


def _mutex_let_go(kernel: Kernel, lock: StructView) -> None:
    try:
        lock[_owner_member(lock)] = 0
    except OSError:
        return
    kernel.sched.wake_waiters(lock.address, 1)


def _wait_while(
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
            timeout = schedule_timeout_jiffies(kernel, timeout)
    return 0


def mutex_lock_state(kernel: Kernel, lock: StructView, state: int) -> int:
    """``__mutex_lock()``.

    :returns: 0, or -EINTR after a signal that the state is open to
    """
    ret = _wait_while(kernel, lock.address, lambda: _mutex_owner(lock), state, owner=lambda: _mutex_owner(lock))
    if ret == 0:
        task = kernel.current
        lock[_owner_member(lock)] = task.address
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
    return mutex_lock_state(kernel, lock, _KILLABLE)


@export("int mutex_trylock(struct mutex *lock)", "int rt_mutex_trylock(struct rt_mutex *lock)")
def mutex_trylock(kernel: Kernel, lock: StructView) -> int:
    if _mutex_owner(lock):
        return 0
    mutex_lock_state(kernel, lock, TaskState.UNINTERRUPTIBLE)
    return 1


@export("void mutex_unlock(struct mutex *lock)", "void rt_mutex_unlock(struct rt_mutex *lock)")
def mutex_unlock(kernel: Kernel, lock: StructView) -> None:
    owner = kernel.sched.task(_mutex_owner(lock))
    if owner is not None:
        owner.held.pop(lock.address, None)
    _mutex_let_go(kernel, lock)


@export("bool mutex_is_locked(struct mutex *lock)")
def mutex_is_locked(kernel: Kernel, lock: StructView) -> bool:
    return bool(_mutex_owner(lock))


@export("int atomic_dec_and_mutex_lock(atomic_t *cnt, struct mutex *lock)")
def atomic_dec_and_mutex_lock(kernel: Kernel, cnt: StructView, lock: StructView) -> int:
    value = cnt["counter"] - 1
    if not value:
        mutex_lock(kernel, lock)
    cnt["counter"] = value
    return int(not value)


# Semaphores


def _down(kernel: Kernel, sem: StructView, state: int, timeout: int = MAX_SCHEDULE_TIMEOUT) -> int:
    """``__down_common()``.

    :returns: 0, -EINTR after a signal, -ETIME when time is up
    """
    ret = _wait_while(kernel, sem.address, lambda: not sem["count"], state, timeout)
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
    return _down(kernel, sem, _KILLABLE)


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


# Reader-writer semaphores: the count of readers in units of 0x100, and the lowest bit for a writer

_RWSEM_WRITER: Final = 1
_RWSEM_READER: Final = 0x100


@export("void __init_rwsem(struct rw_semaphore *sem, const char *name, struct lock_class_key *key)")
def __init_rwsem(kernel: Kernel, sem: StructView, name: bytes, key: StructView) -> None:
    sem["count.counter"] = 0
    sem["owner.counter"] = 0
    INIT_LIST_HEAD(kernel.memory, sem.at("wait_list"))


def _rwsem_take(kernel: Kernel, sem: StructView, write: bool, state: int) -> int:
    task = kernel.current
    busy = -1 if write else _RWSEM_WRITER
    ret = _wait_while(kernel, sem.address, lambda: sem["count.counter"] & busy, state, owner=lambda: _mutex_owner(sem))
    if ret == 0:
        sem["count.counter"] += _RWSEM_WRITER if write else _RWSEM_READER
        if write:
            sem["owner.counter"] = task.address
        task.held[sem.address] = lambda: _rwsem_drop(kernel, sem, write)
    return ret


def _rwsem_drop(kernel: Kernel, sem: StructView, write: bool) -> None:
    try:
        sem["count.counter"] -= _RWSEM_WRITER if write else _RWSEM_READER
        if write:
            sem["owner.counter"] = 0
    except OSError:
        return
    kernel.sched.wake_waiters(sem.address)


def _rwsem(mode: str) -> None:
    write = mode == "write"

    def declare(suffix: str, returns: str, state: int) -> None:
        @export(f"{returns} down_{mode}{suffix}(struct rw_semaphore *sem)")
        def down_rwsem(kernel: Kernel, sem: StructView) -> int:
            return _rwsem_take(kernel, sem, write, state)

    declare("", "void", TaskState.UNINTERRUPTIBLE)
    declare("_killable", "int", _KILLABLE)
    if not write:
        declare("_interruptible", "int", TaskState.INTERRUPTIBLE)

    @export(f"int down_{mode}_trylock(struct rw_semaphore *sem)")
    def trylock(kernel: Kernel, sem: StructView) -> int:
        if sem["count.counter"] & (-1 if write else _RWSEM_WRITER):
            return 0
        _rwsem_take(kernel, sem, write, TaskState.UNINTERRUPTIBLE)
        return 1

    @export(f"void up_{mode}(struct rw_semaphore *sem)")
    def up_rwsem(kernel: Kernel, sem: StructView) -> None:
        kernel.current.held.pop(sem.address, None)
        _rwsem_drop(kernel, sem, write)


_rwsem("read")
_rwsem("write")


@export("void downgrade_write(struct rw_semaphore *sem)")
def downgrade_write(kernel: Kernel, sem: StructView) -> None:
    sem["count.counter"] += _RWSEM_READER - _RWSEM_WRITER
    sem["owner.counter"] = 0
    kernel.current.held[sem.address] = lambda: _rwsem_drop(kernel, sem, False)
    kernel.sched.wake_waiters(sem.address)


@export("int __percpu_init_rwsem(struct percpu_rw_semaphore *sem, const char *name, struct lock_class_key *key)")
def __percpu_init_rwsem(kernel: Kernel, sem: StructView, name: bytes, key: StructView) -> int:
    counts = kernel.percpu.dynamic.alloc(4, 4)
    kernel.percpu.initialise(counts, bytes(4))
    sem["read_count"] = counts
    sem["block.counter"] = 0
    return 0


@export("void percpu_free_rwsem(struct percpu_rw_semaphore *sem)")
def percpu_free_rwsem(kernel: Kernel, sem: StructView) -> None:
    if sem["read_count"]:
        kernel.percpu.dynamic.free(sem["read_count"])
        sem["read_count"] = 0
