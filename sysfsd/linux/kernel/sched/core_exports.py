"""Giving up the processor, priorities and affinities of tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.sched.core import TaskState
from sysfsd.linux.kernel.time.timer import schedule_timeout

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/sched/core.c")


@export("void set_user_nice(struct task_struct *p, long nice)")
def set_user_nice(kernel: Kernel, p: StructView, nice: int) -> None:
    if -20 <= nice <= 19:
        p["static_prio"] = p["prio"] = p["normal_prio"] = 120 + nice


@export("void sched_set_fifo(struct task_struct *p)", "void sched_set_fifo_low(struct task_struct *p)")
def sched_set_fifo(kernel: Kernel, p: StructView) -> None:
    p["policy"] = 1


@export("void sched_set_normal(struct task_struct *p, int nice)")
def sched_set_normal(kernel: Kernel, p: StructView, nice: int) -> None:
    p["policy"] = 0
    set_user_nice(kernel, p, nice)


@export("int set_cpus_allowed_ptr(struct task_struct *p, const struct cpumask *new_mask)")
def set_cpus_allowed_ptr(kernel: Kernel, p: StructView, new_mask: StructView) -> int:
    return 0


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


@export("int wake_up_process(struct task_struct *p)")
def wake_up_process(kernel: Kernel, p: StructView) -> int:
    task = kernel.sched.task(p.address)
    return int(task is not None and kernel.sched.wake_up(task, TaskState.NORMAL | TaskState.PARKED))


@export("int default_wake_function(struct wait_queue_entry *curr, unsigned int mode, int wake_flags, void *key)")
def default_wake_function(kernel: Kernel, curr: StructView, mode: int, wake_flags: int, key: int) -> int:
    task = kernel.sched.task(curr["private"])
    return int(task is not None and kernel.sched.wake_up(task, mode))


@export("long io_schedule_timeout(long timeout)")
def io_schedule_timeout(kernel: Kernel, timeout: int) -> int:
    return schedule_timeout(kernel, timeout)
