"""Wait queues, completions, and sleeping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import ERESTARTSYS
from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.sched.core import TaskState
from sysfsd.linux.kernel.sched.core_exports import default_wake_function
from sysfsd.linux.kernel.time.timer import schedule_timeout
from sysfsd.linux.lib.list import (
    INIT_LIST_HEAD,
    list_add,
    list_add_tail,
    list_del,
    list_del_init,
    list_empty,
    list_entries,
)

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/sched/wait.c", "kernel/sched/swait.c")

_WQ_FLAG_EXCLUSIVE: Final = 1

_WQ_FLAG_WOKEN: Final = 2


# Wait queues


@export("void __init_waitqueue_head(struct wait_queue_head *wq_head, const char *name, struct lock_class_key *key)")
def __init_waitqueue_head(kernel: Kernel, wq_head: StructView, name: bytes | None, key: StructView) -> None:
    wq_head["lock.rlock.raw_lock.val.counter"] = 0
    INIT_LIST_HEAD(kernel.memory, wq_head.at("head"))


@export("void init_wait_entry(struct wait_queue_entry *wq_entry, int flags)")
def init_wait_entry(kernel: Kernel, wq_entry: StructView, flags: int) -> None:
    wq_entry["flags"] = flags
    wq_entry["private"] = kernel.current.address
    wq_entry["func"] = kernel.exports.address_of("autoremove_wake_function")
    INIT_LIST_HEAD(kernel.memory, wq_entry.at("entry"))


@export(
    "void prepare_to_wait(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry, int state)",
)
def prepare_to_wait(kernel: Kernel, wq_head: StructView, wq_entry: StructView, state: int) -> None:
    wq_entry["flags"] &= ~_WQ_FLAG_EXCLUSIVE
    if list_empty(kernel.memory, wq_entry.at("entry")):
        list_add(kernel.memory, wq_entry.at("entry"), wq_head.at("head"))
    kernel.current.state = state


@export("bool prepare_to_wait_exclusive(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry, int state)")
def prepare_to_wait_exclusive(kernel: Kernel, wq_head: StructView, wq_entry: StructView, state: int) -> bool:
    wq_entry["flags"] |= _WQ_FLAG_EXCLUSIVE
    was_empty = False
    if list_empty(kernel.memory, wq_entry.at("entry")):
        was_empty = list_empty(kernel.memory, wq_head.at("head"))
        list_add_tail(kernel.memory, wq_entry.at("entry"), wq_head.at("head"))
    kernel.current.state = state
    return was_empty


@export("long prepare_to_wait_event(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry, int state)")
def prepare_to_wait_event(kernel: Kernel, wq_head: StructView, wq_entry: StructView, state: int) -> int:
    entry = wq_entry.at("entry")
    if kernel.current.signal_pending_state(state):
        list_del_init(kernel.memory, entry)
        return -ERESTARTSYS
    if list_empty(kernel.memory, entry):
        add = list_add_tail if wq_entry["flags"] & _WQ_FLAG_EXCLUSIVE else list_add
        add(kernel.memory, entry, wq_head.at("head"))
    kernel.current.state = state
    return 0


@export("void finish_wait(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry)")
def finish_wait(kernel: Kernel, wq_head: StructView, wq_entry: StructView) -> None:
    kernel.current.state = TaskState.RUNNING
    if not list_empty(kernel.memory, wq_entry.at("entry")):
        list_del_init(kernel.memory, wq_entry.at("entry"))


@export(
    "void add_wait_queue(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry)",
    "void add_wait_queue_priority(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry)",
)
def add_wait_queue(kernel: Kernel, wq_head: StructView, wq_entry: StructView) -> None:
    wq_entry["flags"] &= ~_WQ_FLAG_EXCLUSIVE
    list_add(kernel.memory, wq_entry.at("entry"), wq_head.at("head"))


@export("void add_wait_queue_exclusive(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry)")
def add_wait_queue_exclusive(kernel: Kernel, wq_head: StructView, wq_entry: StructView) -> None:
    wq_entry["flags"] |= _WQ_FLAG_EXCLUSIVE
    list_add_tail(kernel.memory, wq_entry.at("entry"), wq_head.at("head"))


@export("void remove_wait_queue(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry)")
def remove_wait_queue(kernel: Kernel, wq_head: StructView, wq_entry: StructView) -> None:
    list_del(kernel.memory, wq_entry.at("entry"))


def wake_up(kernel: Kernel, head: StructView, mode: int, nr_exclusive: int, key: int = 0) -> int:
    """``__wake_up_common()``: call each waiter's function, until so many exclusive ones have been woken."""
    memory = kernel.memory
    offset = kernel.image.offset("wait_queue_entry", "entry")
    woken = 0
    for entry in list_entries(memory, head.at("head")):
        waiter = kernel.struct("wait_queue_entry", entry - offset)
        flags = waiter["flags"]
        ret = kernel.cpu.call(waiter["func"], waiter.address, mode, 0, key)
        if ret < 0:
            break
        woken += bool(ret)
        if ret and flags & _WQ_FLAG_EXCLUSIVE:
            nr_exclusive -= 1
            if not nr_exclusive:
                break
    return woken


@export(
    "int __wake_up(struct wait_queue_head *wq_head, unsigned int mode, int nr_exclusive, void *key)",
)
def __wake_up(kernel: Kernel, wq_head: StructView, mode: int, nr_exclusive: int, key: int = 0) -> int:
    return wake_up(kernel, wq_head, mode, nr_exclusive, key)


@export("void __wake_up_sync_key(struct wait_queue_head *wq_head, unsigned int mode, void *key)")
def __wake_up_sync_key(kernel: Kernel, wq_head: StructView, mode: int, key: int) -> int:
    return wake_up(kernel, wq_head, mode, 1, key) if wq_head else 0


@export("void __wake_up_locked(struct wait_queue_head *wq_head, unsigned int mode, int nr)")
def __wake_up_locked(kernel: Kernel, wq_head: StructView, mode: int, nr: int) -> None:
    wake_up(kernel, wq_head, mode, nr)


@export("void __wake_up_locked_key(struct wait_queue_head *wq_head, unsigned int mode, void *key)")
def __wake_up_locked_key(kernel: Kernel, wq_head: StructView, mode: int, key: int) -> None:
    wake_up(kernel, wq_head, mode, 1, key)


@export("void __wake_up_sync(struct wait_queue_head *wq_head, unsigned int mode)")
def __wake_up_sync(kernel: Kernel, wq_head: StructView, mode: int) -> None:
    wake_up(kernel, wq_head, mode, 1)


@export("int autoremove_wake_function(struct wait_queue_entry *wq_entry, unsigned int mode, int sync, void *key)")
def autoremove_wake_function(kernel: Kernel, wq_entry: StructView, mode: int, sync: int, key: int) -> int:
    ret: int = default_wake_function(kernel, wq_entry, mode, sync, key)
    if ret:
        list_del_init(kernel.memory, wq_entry.at("entry"))
    return ret


@export("int woken_wake_function(struct wait_queue_entry *wq_entry, unsigned int mode, int sync, void *key)")
def woken_wake_function(kernel: Kernel, wq_entry: StructView, mode: int, sync: int, key: int) -> int:
    wq_entry["flags"] |= _WQ_FLAG_WOKEN
    return default_wake_function(kernel, wq_entry, mode, sync, key)


@export("long wait_woken(struct wait_queue_entry *wq_entry, unsigned int mode, long timeout)")
def wait_woken(kernel: Kernel, wq_entry: StructView, mode: int, timeout: int) -> int:
    kernel.current.state = mode
    if not wq_entry["flags"] & _WQ_FLAG_WOKEN:
        timeout = schedule_timeout(kernel, timeout)
    kernel.current.state = TaskState.RUNNING
    wq_entry["flags"] &= ~_WQ_FLAG_WOKEN
    return timeout


# Simple wait queues and completions


@export("void __init_swait_queue_head(struct swait_queue_head *q, const char *name, struct lock_class_key *key)")
def __init_swait_queue_head(kernel: Kernel, q: StructView, name: bytes | None, key: StructView) -> None:
    q["lock.raw_lock.val.counter"] = 0
    INIT_LIST_HEAD(kernel.memory, q.at("task_list"))
