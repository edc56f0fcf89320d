"""Work in hard interrupt context (kernel/irq_work.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.sched.core import HARDIRQ_OFFSET

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/irq_work.c")

_IRQ_WORK_PENDING: Final = 1


@export("bool irq_work_queue(struct irq_work *work)")
def irq_work_queue(kernel: Kernel, work: StructView) -> bool:
    """The processor interrupts itself: the function has run when this returns."""
    flags = "node.u_flags"
    if work[flags] & _IRQ_WORK_PENDING:
        return False
    interrupts = kernel.cpu.set_interrupts(False)
    kernel.sched.preempt_count += HARDIRQ_OFFSET + 1
    try:
        kernel.cpu.call(work["func"], work.address, site="hrtimer")
    finally:
        kernel.sched.preempt_count -= HARDIRQ_OFFSET + 1
        kernel.cpu.set_interrupts(bool(interrupts & 0x200))
    return True


@export("void irq_work_sync(struct irq_work *work)")
def irq_work_sync(kernel: Kernel, work: StructView) -> None:
    """It never runs when somebody can ask."""
