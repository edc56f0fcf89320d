"""Soft interrupts: tasklets, and keeping them off."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.sched.core import SOFTIRQ_DISABLE_OFFSET
from sysfsd.linux.kernel.softirq import KSOFTIRQD

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/softirq.c")


def local_bh(kernel: Kernel, count: int) -> None:
    """Change the preempt_count by *count*; where that allows soft interrupts again, they happen."""
    kernel.sched.preempt_count += count
    if count < 0 and not kernel.current.in_interrupt:
        kernel.softirq.do_softirq()


@export("void __local_bh_enable_ip(unsigned long ip, unsigned int cnt)")
def __local_bh_enable_ip(kernel: Kernel, ip: int, cnt: int) -> None:
    local_bh(kernel, -cnt)


@export("void _local_bh_enable(void)")
def _local_bh_enable(kernel: Kernel) -> None:
    local_bh(kernel, -SOFTIRQ_DISABLE_OFFSET)


_TASKLET_STATE_RUN: Final = 2


# Tasklets


@export("void tasklet_setup(struct tasklet_struct *t, void (*callback)(struct tasklet_struct *))")
def tasklet_setup(kernel: Kernel, t: StructView, callback: int) -> None:
    kernel.memory.write(t.address, bytes(t.struct.size))
    t["callback"] = callback
    t["use_callback"] = 1


@export("void tasklet_init(struct tasklet_struct *t, void (*func)(unsigned long), unsigned long data)")
def tasklet_init(kernel: Kernel, t: StructView, func: int, data: int) -> None:
    kernel.memory.write(t.address, bytes(t.struct.size))
    t["func"] = func
    t["data"] = data


def _tasklet_action(kernel: Kernel, t: StructView) -> None:
    """``tasklet_action_common()``; one that is disabled waits for its turn again."""
    if t["count.counter"]:
        deadline = time.monotonic() + 1 / 250
        kernel.softirq.arm(t.address, deadline, lambda: _tasklet_action(kernel, t), KSOFTIRQD)
        return
    t["state"] = _TASKLET_STATE_RUN
    argument = t.address if t["use_callback"] else t["data"]
    try:
        kernel.cpu.call(t["callback"] if t["use_callback"] else t["func"], argument, site="tasklet")
    finally:
        t["state"] &= ~_TASKLET_STATE_RUN


@export("void __tasklet_schedule(struct tasklet_struct *t)")
def __tasklet_schedule(kernel: Kernel, t: StructView) -> None:
    kernel.softirq.soon(t.address, lambda: _tasklet_action(kernel, t))


@export("void __tasklet_hi_schedule(struct tasklet_struct *t)")
def __tasklet_hi_schedule(kernel: Kernel, t: StructView) -> None:
    kernel.softirq.soon(t.address, lambda: _tasklet_action(kernel, t), high=True)


@export("void tasklet_kill(struct tasklet_struct *t)")
def tasklet_kill(kernel: Kernel, t: StructView) -> None:
    while kernel.softirq.armed(t.address) and not t["count.counter"]:
        kernel.sched.relax()
    kernel.softirq.disarm(t.address)
    t["state"] = 0


@export(
    "void tasklet_unlock_wait(struct tasklet_struct *t)",
    "void tasklet_unlock_spin_wait(struct tasklet_struct *t)",
)
def tasklet_unlock_wait(kernel: Kernel, t: StructView) -> None:
    while t["state"] & _TASKLET_STATE_RUN:
        kernel.sched.relax()


@export("void tasklet_unlock(struct tasklet_struct *t)")
def tasklet_unlock(kernel: Kernel, t: StructView) -> None:
    t["state"] &= ~_TASKLET_STATE_RUN
