"""What is known of the processor and of the layout of memory since boot (arch/x86/kernel/setup.c, cpu/common.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.arch.x86.alternative import CPU_FEATURES
from sysfsd.linux.exports import Area
from sysfsd.linux.mm.memory import DIRECT_MAP, VMALLOC_START, VMEMMAP

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area(
    "arch/x86/kernel/cpu/common.c",
    "arch/x86/kernel/setup_percpu.c",
    "arch/x86/kernel/head64.c",
    "arch/x86/kernel/head_64.S",
    "arch/x86/kernel/setup.c",
    "arch/x86/xen/enlighten.c",
    "arch/x86/kernel/cpu/match.c",
    "arch/x86/kernel/tsc.c",
)

export.data("struct task_struct *current_task")

export.data("int __preempt_count")

export.data("int cpu_number")

export.data("unsigned long this_cpu_off")

export.data("unsigned long page_offset_base", DIRECT_MAP)

export.data("unsigned long vmalloc_base", VMALLOC_START)

export.data("unsigned long vmemmap_base", VMEMMAP)

export.data("unsigned long phys_base", 0)


def _boot_cpu_data(kernel: Kernel, address: int) -> None:
    cpu = kernel.struct("cpuinfo_x86", address)
    words = cpu.at("x86_capability")
    for feature in CPU_FEATURES:
        word = words + 4 * (feature // 32)
        kernel.memory.write_int(word, kernel.memory.read_int(word) | 1 << feature % 32)
    cpu["x86"], cpu["x86_model"] = 6, 6
    cpu["x86_vendor_id"] = b"GenuineIntel"
    cpu["x86_model_id"] = b"QEMU Virtual CPU version 2.5+"
    cpu["loops_per_jiffy"] = 4_000_000


export.data("struct cpuinfo_x86 boot_cpu_data", _boot_cpu_data)


def _per_cpu_offset(kernel: Kernel, address: int) -> None:
    for cpu, base in enumerate(kernel.percpu.offsets):
        kernel.memory.write_pointer(address + 8 * cpu, base)


export.data("unsigned long __per_cpu_offset[8192]", _per_cpu_offset)

export.data("enum xen_domain_type xen_domain_type")


@export("const struct x86_cpu_id *x86_match_cpu(const struct x86_cpu_id *match)")
def x86_match_cpu(kernel: Kernel, match: StructView) -> int:
    cpu = kernel.struct("cpuinfo_x86", kernel.exports.data_address("boot_cpu_data"))
    while any(match[member] for member in ("vendor", "family", "model", "steppings", "feature")):
        feature = match["feature"]
        word = kernel.memory.read_int(cpu.at("x86_capability") + 4 * (feature // 32)) if feature else 0
        if (
            match["vendor"] in (0xFFFF, cpu["x86_vendor"])
            and match["family"] in (0, cpu["x86"])
            and match["model"] in (0, cpu["x86_model"])
            and (not match["steppings"] or match["steppings"] >> cpu["x86_stepping"] & 1)
            and (not feature or word >> feature % 32 & 1)
        ):
            return match.address
        match = kernel.struct("x86_cpu_id", match.address + match.struct.size)
    return 0


export.data("unsigned int tsc_khz", 2_400_000)

export.data("unsigned int cpu_khz", 2_400_000)
