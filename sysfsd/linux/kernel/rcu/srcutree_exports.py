"""Sleepable RCU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.rcu.tree_exports import call_rcu

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/rcu/srcutree.c")


# Sleepable


@export("int init_srcu_struct(struct srcu_struct *ssp)")
def init_srcu_struct(kernel: Kernel, ssp: StructView) -> int:
    ssp["srcu_idx"] = 0
    return 0


@export("void cleanup_srcu_struct(struct srcu_struct *ssp)")
def cleanup_srcu_struct(kernel: Kernel, ssp: StructView) -> None:
    kernel.srcu_readers.pop(ssp.address, None)


@export(
    "void synchronize_srcu(struct srcu_struct *ssp)",
    "void synchronize_srcu_expedited(struct srcu_struct *ssp)",
    "void srcu_barrier(struct srcu_struct *ssp)",
)
def synchronize_srcu(kernel: Kernel, ssp: StructView) -> None:
    while kernel.srcu_readers.get(ssp.address):
        kernel.current.state = 2
        with kernel.sched.waiting(ssp.address):
            kernel.sched.schedule()


@export("void call_srcu(struct srcu_struct *ssp, struct callback_head *rhp, rcu_callback_t func)")
def call_srcu(kernel: Kernel, ssp: StructView, rhp: StructView, func: int) -> None:
    call_rcu(kernel, rhp, func)


@export("void __srcu_read_unlock(struct srcu_struct *ssp, int idx)")
def __srcu_read_unlock(kernel: Kernel, ssp: StructView, idx: int) -> None:
    left = kernel.srcu_readers.get(ssp.address, 0) - 1
    if left > 0:
        kernel.srcu_readers[ssp.address] = left
    else:
        kernel.srcu_readers.pop(ssp.address, None)
        kernel.sched.wake_waiters(ssp.address)
