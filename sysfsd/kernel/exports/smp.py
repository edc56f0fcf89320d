"""Processors: their masks, their variables, calls from one to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.percpu import NR_CPUS

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("smp", "kernel/cpu.c, kernel/smp.c, mm/percpu.c")

_ALL = (1 << NR_CPUS) - 1


def _mask(kernel: Kernel, address: int) -> None:
    kernel.memory.write_int(address, _ALL, 8)


for _name in ("possible", "online", "present", "active"):
    export.data(f"struct cpumask __cpu_{_name}_mask", _mask)
export.data("unsigned int nr_cpu_ids", lambda kernel, address: kernel.memory.write_int(address, NR_CPUS, 4))
export.data("unsigned int nr_node_ids", lambda kernel, address: kernel.memory.write_int(address, 1, 4))
export.data("atomic_t __num_online_cpus", lambda kernel, address: kernel.memory.write_int(address, NR_CPUS, 4))


def _per_cpu_offset(kernel: Kernel, address: int) -> None:
    for cpu, base in enumerate(kernel.percpu.offsets):
        kernel.memory.write_pointer(address + 8 * cpu, base)


export.data("unsigned long __per_cpu_offset[8192]", _per_cpu_offset)


def _cpu_bit_bitmap(kernel: Kernel, address: int) -> None:
    """``cpu_bit_bitmap``: a mask for each processor, found by going back from a row that has its bit."""
    row = 8192 // 64 * 8
    for bit in range(64):
        kernel.memory.write_int(address + (bit + 1) * row, 1 << bit, 8)


export.data("unsigned long cpu_bit_bitmap[8320]", _cpu_bit_bitmap)
export.data("unsigned long cpu_all_bits[128]", lambda kernel, address: kernel.memory.write(address, b"\xff" * 1024))


@export("void *__alloc_percpu(size_t size, size_t align)")
def __alloc_percpu(kernel: Kernel, size: int, align: int) -> int:
    try:
        offset = kernel.percpu.dynamic.alloc(size, align)
    except OSError:
        return 0
    kernel.percpu.initialise(offset, bytes(size))
    return offset


@export("void *__alloc_percpu_gfp(size_t size, size_t align, gfp_t gfp)")
def __alloc_percpu_gfp(kernel: Kernel, size: int, align: int, gfp: int) -> int:
    return __alloc_percpu(kernel, size, align)  # type: ignore[no-any-return]


@export("void free_percpu(void *ptr)")
def free_percpu(kernel: Kernel, ptr: int) -> None:
    if ptr:
        kernel.percpu.dynamic.free(ptr)


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
    count = bin(mask.array("bits")[0] & _ALL).count("1")
    _on_cpus(kernel, func, info, range(count))


@export("void cpus_read_lock(void)", "void cpus_read_unlock(void)")
def cpus_read_lock(kernel: Kernel) -> None:
    """Processors neither come nor go."""
