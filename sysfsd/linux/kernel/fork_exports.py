"""References to tasks and their memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.sched.core import PF_KTHREAD

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/fork.c")


@export("void __put_task_struct(struct task_struct *tsk)")
def __put_task_struct(kernel: Kernel, tsk: StructView) -> None:
    """The model frees tasks by itself."""


# Address spaces


@export("struct mm_struct *get_task_mm(struct task_struct *task)")
def get_task_mm(kernel: Kernel, task: StructView) -> int:
    address: int = task["mm"]
    if not address or task["flags"] & PF_KTHREAD:
        return 0
    kernel.struct("mm_struct", address)["mm_users.counter"] += 1
    return address


@export("void mmput(struct mm_struct *mm)")
def mmput(kernel: Kernel, mm: StructView) -> None:
    """The process itself holds it as long as it is there."""
    mm["mm_users.counter"] -= 1
