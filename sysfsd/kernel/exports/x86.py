"""What compiled code itself needs: entries of functions, returns, indirect calls, the stack protector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.kernel.alternative import CPU_FEATURES
from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.memory import DIRECT_MAP, VMALLOC_START, VMEMMAP

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel

export = Area("x86", "arch/x86/lib/retpoline.S, arch/x86/kernel/cpu/common.c")

export.native("void __fentry__(void)", "c3")
export.native("void __x86_return_thunk(void)", "c3")
# jmp *%reg
for _register, _code in {
    "rax": "ffe0", "rcx": "ffe1", "rdx": "ffe2", "rbx": "ffe3", "rbp": "ffe5", "rsi": "ffe6", "rdi": "ffe7",
    "r8": "41ffe0", "r9": "41ffe1", "r10": "41ffe2", "r11": "41ffe3", "r12": "41ffe4", "r13": "41ffe5",
    "r14": "41ffe6", "r15": "41ffe7",
}.items():  # fmt: skip
    export.native(f"void __x86_indirect_thunk_{_register}(void)", _code)

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


@export("void __stack_chk_fail(void)")
def __stack_chk_fail(kernel: Kernel) -> None:
    caller = kernel.memory.read_pointer(kernel.current.sp)
    symbol = kernel.kallsyms.sprint_symbol(caller, backtrace=True)
    kernel.traps.panic(f"stack-protector: Kernel stack is corrupted in: {symbol}", "stack_chk_fail")
