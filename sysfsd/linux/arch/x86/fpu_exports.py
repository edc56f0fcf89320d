"""Floating-point and vector registers in the kernel (arch/x86/kernel/fpu/core.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("arch/x86/kernel/fpu/core.c")


@export("void kernel_fpu_begin_mask(unsigned int kfpu_mask)")
def kernel_fpu_begin_mask(kernel: Kernel, kfpu_mask: int) -> None:
    """Preemption is off meanwhile, so that no other task's code comes near the registers."""
    kernel.sched.preempt_count += 1


@export("void kernel_fpu_end(void)")
def kernel_fpu_end(kernel: Kernel) -> None:
    kernel.sched.preempt_count -= 1


@export("bool irq_fpu_usable(void)")
def irq_fpu_usable(kernel: Kernel) -> bool:
    return not kernel.current.in_interrupt
