"""Wait queues, completions, and sleeping."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.kernel.err import ERESTARTSYS
from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.exports.time import msecs_to_jiffies
from sysfsd.kernel.list import (
    INIT_LIST_HEAD,
    list_add,
    list_add_tail,
    list_del,
    list_del_init,
    list_empty,
    list_entries,
)
from sysfsd.kernel.sched import HZ, TaskState

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("wait", "kernel/sched/wait.c, kernel/sched/completion.c, kernel/time/timer.c")

_HRTIMER_MODE_REL: Final = 1
_NSEC: Final = 1_000_000_000

MAX_SCHEDULE_TIMEOUT: Final = (1 << 63) - 1
_WQ_FLAG_EXCLUSIVE: Final = 1
_WQ_FLAG_WOKEN: Final = 2
_UINT_MAX: Final = (1 << 32) - 1

# schedule()


@export("void schedule(void)", "void io_schedule(void)")
def schedule(kernel: Kernel) -> None:
    kernel.sched.schedule()


@export("void yield(void)")
def yield_(kernel: Kernel) -> None:
    kernel.sched.schedule()


def cond_resched(kernel: Kernel) -> None:
    """Let others run, if there are any; what asks so often is not stuck."""
    kernel.sched.cond_resched()


@export("int __SCT__cond_resched(void)", "int __SCT__might_resched(void)", "int __cond_resched(void)")
def __cond_resched(kernel: Kernel) -> int:
    cond_resched(kernel)
    return 0


@export("int __cond_resched_lock(void *lock)")
def __cond_resched_lock(kernel: Kernel, lock: int) -> int:
    return 0


# Nothing is preempted where it enables preemption: others have their turn at the next tick.
export.native("void __SCT__preempt_schedule(void)", "c3")
export.native("void __SCT__preempt_schedule_notrace(void)", "c3")
export.native("void preempt_schedule(void)", "c3")
export.native("void preempt_schedule_notrace(void)", "c3")


def schedule_timeout_jiffies(kernel: Kernel, timeout: int) -> int:
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


@export("signed long schedule_timeout(signed long timeout)", "long io_schedule_timeout(long timeout)")
def schedule_timeout(kernel: Kernel, timeout: int) -> int:
    return schedule_timeout_jiffies(kernel, timeout)


def _schedule_timeout_state(name: str, state: int) -> None:
    @export(f"signed long {name}(signed long timeout)")
    def schedule_timeout_state(kernel: Kernel, timeout: int) -> int:
        kernel.current.state = state
        return schedule_timeout_jiffies(kernel, timeout)


for _name, _state in {
    "schedule_timeout_interruptible": TaskState.INTERRUPTIBLE,
    "schedule_timeout_killable": TaskState.UNINTERRUPTIBLE | TaskState.WAKEKILL,
    "schedule_timeout_uninterruptible": TaskState.UNINTERRUPTIBLE,
    "schedule_timeout_idle": TaskState.UNINTERRUPTIBLE | TaskState.NOLOAD,
}.items():
    _schedule_timeout_state(_name, _state)


@export("void msleep(unsigned int msecs)")
def msleep(kernel: Kernel, msecs: int) -> None:
    timeout = msecs_to_jiffies(msecs) + 1
    while timeout:
        kernel.current.state = TaskState.UNINTERRUPTIBLE
        timeout = schedule_timeout_jiffies(kernel, timeout)


@export("unsigned long msleep_interruptible(unsigned int msecs)")
def msleep_interruptible(kernel: Kernel, msecs: int) -> int:
    timeout = msecs_to_jiffies(msecs) + 1
    while timeout and not kernel.current.signal_pending():
        kernel.current.state = TaskState.INTERRUPTIBLE
        timeout = schedule_timeout_jiffies(kernel, timeout)
    return timeout * (1000 // HZ)


@export("void usleep_range_state(unsigned long min, unsigned long max, unsigned int state)")
def usleep_range_state(kernel: Kernel, min: int, max: int, state: int) -> None:
    kernel.sched.sleep(min / 1_000_000, state)


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


@export("int wake_up_process(struct task_struct *p)")
def wake_up_process(kernel: Kernel, p: StructView) -> int:
    task = kernel.sched.task(p.address)
    return int(task is not None and kernel.sched.wake_up(task, TaskState.NORMAL | TaskState.PARKED))


# Wait queues


@export("void __init_waitqueue_head(struct wait_queue_head *wq_head, const char *name, struct lock_class_key *key)")
def __init_waitqueue_head(kernel: Kernel, wq_head: StructView, name: bytes, key: StructView) -> None:
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
    "void __wake_up_sync_key(struct wait_queue_head *wq_head, unsigned int mode, void *key)",
)
def __wake_up(kernel: Kernel, wq_head: StructView, mode: int, nr_exclusive: int, key: int = 0) -> int:
    return wake_up(kernel, wq_head, mode, nr_exclusive, key)


@export("void __wake_up_locked(struct wait_queue_head *wq_head, unsigned int mode, int nr)")
def __wake_up_locked(kernel: Kernel, wq_head: StructView, mode: int, nr: int) -> None:
    wake_up(kernel, wq_head, mode, nr)


@export("void __wake_up_locked_key(struct wait_queue_head *wq_head, unsigned int mode, void *key)")
def __wake_up_locked_key(kernel: Kernel, wq_head: StructView, mode: int, key: int) -> None:
    wake_up(kernel, wq_head, mode, 1, key)


@export("void __wake_up_sync(struct wait_queue_head *wq_head, unsigned int mode)")
def __wake_up_sync(kernel: Kernel, wq_head: StructView, mode: int) -> None:
    wake_up(kernel, wq_head, mode, 1)


@export("int default_wake_function(struct wait_queue_entry *curr, unsigned int mode, int wake_flags, void *key)")
def default_wake_function(kernel: Kernel, curr: StructView, mode: int, wake_flags: int, key: int) -> int:
    task = kernel.sched.task(curr["private"])
    return int(task is not None and kernel.sched.wake_up(task, mode))


@export("int autoremove_wake_function(struct wait_queue_entry *wq_entry, unsigned int mode, int sync, void *key)")
def autoremove_wake_function(kernel: Kernel, wq_entry: StructView, mode: int, sync: int, key: int) -> int:
    ret: int = default_wake_function(kernel, wq_entry, mode, sync, key)
    if ret:
        list_del_init(kernel.memory, wq_entry.at("entry"))
    return ret


@export("int woken_wake_function(struct wait_queue_entry *wq_entry, unsigned int mode, int sync, void *key)")
def woken_wake_function(kernel: Kernel, wq_entry: StructView, mode: int, sync: int, key: int) -> int:
    wq_entry["flags"] |= _WQ_FLAG_WOKEN
    return default_wake_function(kernel, wq_entry, mode, sync, key)  # type: ignore[no-any-return]


@export("long wait_woken(struct wait_queue_entry *wq_entry, unsigned int mode, long timeout)")
def wait_woken(kernel: Kernel, wq_entry: StructView, mode: int, timeout: int) -> int:
    kernel.current.state = mode
    if not wq_entry["flags"] & _WQ_FLAG_WOKEN:
        timeout = schedule_timeout_jiffies(kernel, timeout)
    kernel.current.state = TaskState.RUNNING
    wq_entry["flags"] &= ~_WQ_FLAG_WOKEN
    return timeout


# Simple wait queues and completions


@export("void __init_swait_queue_head(struct swait_queue_head *q, const char *name, struct lock_class_key *key)")
def __init_swait_queue_head(kernel: Kernel, q: StructView, name: bytes, key: StructView) -> None:
    q["lock.raw_lock.val.counter"] = 0
    INIT_LIST_HEAD(kernel.memory, q.at("task_list"))


@export("void complete(struct completion *x)")
def complete(kernel: Kernel, x: StructView) -> None:
    if x["done"] != _UINT_MAX:
        x["done"] += 1
    kernel.sched.wake_waiters(x.address, 1)


@export("void complete_all(struct completion *x)")
def complete_all(kernel: Kernel, x: StructView) -> None:
    x["done"] = _UINT_MAX
    kernel.sched.wake_waiters(x.address)


def wait_for_common(kernel: Kernel, x: StructView, timeout: int, state: int) -> int:
    """``do_wait_for_common()``: until it is done.

    :returns: the ticks that were left, at least 1; 0 when time is up, -ERESTARTSYS after a signal
    """
    while not x["done"]:
        if kernel.current.signal_pending_state(state):
            return -ERESTARTSYS
        if timeout == 0:
            return 0
        kernel.current.state = state
        with kernel.sched.waiting(x.address):
            timeout = schedule_timeout_jiffies(kernel, timeout)
        kernel.current.state = TaskState.RUNNING
    if x["done"] != _UINT_MAX:
        x["done"] -= 1
    return timeout or 1


def _wait_for(name: str, state: int, timed: bool, returns: str) -> None:
    timeout_ = ", unsigned long timeout" if timed else ""

    @export(f"{returns} {name}(struct completion *x{timeout_})")
    def wait_for(kernel: Kernel, x: StructView, timeout: int = MAX_SCHEDULE_TIMEOUT) -> int:
        left = wait_for_common(kernel, x, min(timeout, MAX_SCHEDULE_TIMEOUT), state)
        return left if timed or left < 0 else 0


_KILLABLE = TaskState.UNINTERRUPTIBLE | TaskState.WAKEKILL
_wait_for("wait_for_completion", TaskState.UNINTERRUPTIBLE, False, "void")
_wait_for("wait_for_completion_io", TaskState.UNINTERRUPTIBLE, False, "void")
_wait_for("wait_for_completion_timeout", TaskState.UNINTERRUPTIBLE, True, "unsigned long")
_wait_for("wait_for_completion_io_timeout", TaskState.UNINTERRUPTIBLE, True, "unsigned long")
_wait_for("wait_for_completion_interruptible", TaskState.INTERRUPTIBLE, False, "int")
_wait_for("wait_for_completion_interruptible_timeout", TaskState.INTERRUPTIBLE, True, "long")
_wait_for("wait_for_completion_killable", _KILLABLE, False, "int")
_wait_for("wait_for_completion_killable_timeout", _KILLABLE, True, "long")


@export("bool try_wait_for_completion(struct completion *x)")
def try_wait_for_completion(kernel: Kernel, x: StructView) -> bool:
    done = x["done"]
    if done and done != _UINT_MAX:
        x["done"] = done - 1
    return bool(done)


@export("bool completion_done(struct completion *x)")
def completion_done(kernel: Kernel, x: StructView) -> bool:
    return bool(x["done"])
