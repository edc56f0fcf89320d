"""Reader-writer semaphores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.locking.mutex_exports import TASK_KILLABLE, mutex_owner, wait_while
from sysfsd.linux.kernel.sched.core import TaskState
from sysfsd.linux.lib.list import INIT_LIST_HEAD

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/locking/rwsem.c", "kernel/locking/percpu-rwsem.c")


# Reader-writer semaphores: the count of readers in units of 0x100, and the lowest bit for a writer

_RWSEM_WRITER: Final = 1

_RWSEM_READER: Final = 0x100


@export("void __init_rwsem(struct rw_semaphore *sem, const char *name, struct lock_class_key *key)")
def __init_rwsem(kernel: Kernel, sem: StructView, name: bytes | None, key: StructView) -> None:
    sem["count.counter"] = 0
    sem["owner.counter"] = 0
    INIT_LIST_HEAD(kernel.memory, sem.at("wait_list"))


def _rwsem_take(kernel: Kernel, sem: StructView, write: bool, state: int) -> int:
    task = kernel.current
    busy = -1 if write else _RWSEM_WRITER
    ret = wait_while(kernel, sem.address, lambda: sem["count.counter"] & busy, state, owner=lambda: mutex_owner(sem))
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
    declare("_killable", "int", TASK_KILLABLE)
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
def __percpu_init_rwsem(kernel: Kernel, sem: StructView, name: bytes | None, key: StructView) -> int:
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
