"""What compiled code looks at of the machine: paravirtual operations, memory's sections, encryption."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.memory import DIRECT_MAP_LEN, PAGE_SIZE, VMEMMAP

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel

export = Area("arch", "arch/x86/kernel/paravirt.c, arch/x86/coco/core.c, mm/sparse.c")

#: ``1 << SECTION_SIZE_BITS``.
_SECTION_SIZE: Final = 1 << 27
#: Present, with a map, online, there from the beginning.
_SECTION_FLAGS: Final = 0xF
#: Bytes of ``struct mem_section`` and of its ``struct mem_section_usage``.
_SECTION, _USAGE = 32, 32
_SUBSECTION_MAP: Final = 16

export.native("bool cc_platform_has(enum cc_attr attr)", "31c0c3")
export.data("struct static_key_false hugetlb_optimize_vmemmap_key")


def _nothing(kernel: Kernel, *args: int) -> int:
    """Registers that the machine does not have read as 0, and take what is written."""
    return 0


def _read_msr_safe(kernel: Kernel, msr: int, err: int) -> int:
    kernel.memory.write_int(err, 0, 4)
    return 0


#: Operations of the processor that code calls by ``pv_ops``, where it is not patched to do them itself.
_PV_CPU_OPS: Final[dict[str, tuple[str, Callable[..., int]]]] = {
    "io_delay": ("void native_io_delay(void)", _nothing),
    "wbinvd": ("void native_wbinvd(void)", _nothing),
    "read_msr": ("u64 native_read_msr(unsigned int msr)", _nothing),
    "write_msr": ("void native_write_msr(unsigned int msr, u32 low, u32 high)", _nothing),
    "read_msr_safe": ("u64 native_read_msr_safe(unsigned int msr, int *err)", _read_msr_safe),
    "write_msr_safe": ("int native_write_msr_safe(unsigned int msr, u32 low, u32 high)", _nothing),
    "read_pmc": ("u64 native_read_pmc(int counter)", _nothing),
}


def _pv_ops(kernel: Kernel, address: int) -> None:
    template = kernel.struct("paravirt_patch_template", address)
    for member, (declaration, function) in _PV_CPU_OPS.items():
        template[f"cpu.{member}"] = kernel.exports.internal(declaration, function)


export.data("struct paravirt_patch_template pv_ops", _pv_ops)


def _mem_section(kernel: Kernel, address: int) -> None:
    """All memory that there is, in one root."""
    memory = kernel.memory
    root = memory.alloc_pages(PAGE_SIZE)
    for number in range(DIRECT_MAP_LEN // _SECTION_SIZE):
        section, usage = root + _SECTION * number, root + PAGE_SIZE // 2 + _USAGE * number
        memory.write_pointer(section, VMEMMAP | _SECTION_FLAGS)
        memory.write_pointer(section + 8, usage)
        memory.write_pointer(usage + _SUBSECTION_MAP, (1 << 64) - 1)
    roots = memory.alloc_pages(PAGE_SIZE)
    memory.write_pointer(roots, root)
    memory.write_pointer(address, roots)


export.data("struct mem_section **mem_section", _mem_section)
