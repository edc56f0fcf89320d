"""Calls from one processor to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.cpu_exports import CPU_ALL
from sysfsd.linux.mm.percpu import NR_CPUS

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/smp.c")

export.data("unsigned int nr_cpu_ids", lambda kernel, address: kernel.memory.write_int(address, NR_CPUS, 4))


def _on_cpus(kernel: Kernel, func: int, info: int, cpus: range) -> None:
    for _cpu in cpus:
        kernel.cpu.call(func, info)


@export("int smp_call_function_single(int cpu, smp_call_func_t func, void *info, int wait)")
def smp_call_function_single(kernel: Kernel, cpu: int, func: int, info: int, wait: int) -> int:
    if cpu >= NR_CPUS:
        return -6
    flags = kernel.cpu.set_interrupts(False)
    kernel.sched.preempt_count += 1
    try:
        kernel.cpu.call(func, info)
    finally:
        kernel.sched.preempt_count -= 1
        kernel.cpu.set_interrupts(bool(flags & 0x200))
    return 0


@export("void smp_call_function(smp_call_func_t func, void *info, int wait)")
def smp_call_function(kernel: Kernel, func: int, info: int, wait: int) -> None:
    _on_cpus(kernel, func, info, range(NR_CPUS - 1))


@export(
    "void on_each_cpu_cond_mask(smp_cond_func_t cond_func, smp_call_func_t func, void *info, bool wait,"
    " const struct cpumask *mask)"
)
def on_each_cpu_cond_mask(kernel: Kernel, cond_func: int, func: int, info: int, wait: bool, mask: StructView) -> None:
    count = bin(mask.array("bits")[0] & CPU_ALL).count("1")
    _on_cpus(kernel, func, info, range(count))
