"""Read-copy-update: there is one processor, and what holds the kernel lock is alone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.sched.core import HZ
from sysfsd.linux.mm.memory import PAGE_SIZE
from sysfsd.linux.mm.util_exports import kvfree

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/rcu/tree.c", "net/core/dev.c")

# A reader cannot be found sleeping: a grace period is over when all that runs has let go of the kernel lock once.
export.native("void __rcu_read_lock(void)", "c3")

export.native("void __rcu_read_unlock(void)", "c3")


@export(
    "void synchronize_rcu(void)",
    "void synchronize_rcu_expedited(void)",
    "void rcu_barrier_tasks(void)",
    "void synchronize_rcu_tasks(void)",
)
def synchronize_rcu(kernel: Kernel) -> None:
    kernel.sched.relax()


@export("void call_rcu(struct callback_head *head, rcu_callback_t func)")
def call_rcu(kernel: Kernel, head: StructView, func: int) -> None:
    kernel.softirq.arm(head.address, time.monotonic() + 1 / HZ, lambda: _invoke(kernel, head.address, func))


def _invoke(kernel: Kernel, head: int, func: int) -> None:
    kernel.cpu.call(func, head, site="tasklet")


@export("void rcu_barrier(void)")
def rcu_barrier(kernel: Kernel) -> None:
    done: list[bool] = []
    kernel.softirq.arm(-1, time.monotonic() + 2 / HZ, lambda: done.append(True))
    while not done:
        kernel.sched.relax()


@export("int __srcu_read_lock(struct srcu_struct *ssp)")
def __srcu_read_lock(kernel: Kernel, ssp: StructView) -> int:
    kernel.srcu_readers[ssp.address] = kernel.srcu_readers.get(ssp.address, 0) + 1
    return 0


@export("void kvfree_call_rcu(struct callback_head *head, void *func)")
def kvfree_call_rcu(kernel: Kernel, head: StructView, func: int) -> None:
    offset = func if func < PAGE_SIZE else 0
    kvfree(kernel, head.address - offset if head.address else func)
