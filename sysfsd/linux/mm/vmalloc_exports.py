"""Memory that is contiguous by virtual address only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.lib.ratelimit import RatelimitState
from sysfsd.linux.lib.vsprintf import ptr_to_hashval
from sysfsd.linux.mm.gfp import GFP_NOWARN
from sysfsd.linux.mm.memory import PAGE_SIZE, STRUCT_PAGE, VMEMMAP

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("mm/vmalloc.c")


# vmalloc


class _AllocWarnings(RatelimitState):
    """``nopage_rs``."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(interval=10.0, burst=1)


def _warn_alloc(kernel: Kernel, flags: int, text: str) -> None:
    """``warn_alloc()``."""
    if flags & GFP_NOWARN or not kernel.state(_AllocWarnings).ratelimit():
        return
    kernel.log.pr_warn(f"{kernel.current.comm}: {text}, nodemask=(null),cpuset=/,mems_allowed=0")
    kernel.traps.dump_stack()


@export(
    "void *vmalloc(unsigned long size)",
    "void *vzalloc(unsigned long size)",
    "void *vmalloc_user(unsigned long size)",
    "void *vmalloc_node(unsigned long size, int node)",
    "void *vzalloc_node(unsigned long size, int node)",
    "void *vmalloc_32(unsigned long size)",
    "void *vmalloc_32_user(unsigned long size)",
)
def vmalloc(kernel: Kernel, size: int, *_: int) -> int:
    return vmalloc_node_range(kernel, size, 0)


@export(
    "void *__vmalloc(unsigned long size, gfp_t gfp_mask)",
    "void *vmalloc_huge(unsigned long size, gfp_t gfp_mask)",
)
def __vmalloc(kernel: Kernel, size: int, gfp_mask: int) -> int:
    return vmalloc_node_range(kernel, size, gfp_mask)


def vmalloc_node_range(kernel: Kernel, size: int, flags: int) -> int:
    """``__vmalloc_node_range()``."""
    if not size:
        kernel.traps.warn_at("mm/vmalloc.c", 3227, site="__vmalloc_node_range+0x806", once=True)
        return 0
    if size > kernel.memory.limit:
        _warn_alloc(kernel, flags, f"vmalloc error: size {size}, exceeds total pages, mode:0xcc0(GFP_KERNEL)")
        return 0
    try:
        return kernel.memory.vmalloc(size)
    except OSError:
        return 0


@export("void vfree(const void *addr)")
def vfree(kernel: Kernel, addr: int) -> None:
    if not addr:
        return
    if addr & (PAGE_SIZE - 1):
        message = f"Trying to vfree() bad address ({ptr_to_hashval(addr)})"
        kernel.traps.warn_at("mm/vmalloc.c", 2752, message, "__vunmap+0x31a")
        return
    try:
        kernel.memory.vfree(addr)
    except KeyError:
        message = f"Trying to vfree() nonexistent vm area ({ptr_to_hashval(addr)})"
        kernel.traps.warn_at("mm/vmalloc.c", 2758, message, "__vunmap+0x7e")


@export("bool is_vmalloc_addr(const void *x)")
def is_vmalloc_addr(kernel: Kernel, x: int) -> bool:
    return kernel.memory.area(x) is kernel.memory.vmalloc_area


@export("struct page *vmalloc_to_page(const void *vmalloc_addr)")
def vmalloc_to_page(kernel: Kernel, vmalloc_addr: int) -> int:
    area = kernel.memory.vmalloc_area
    offset = vmalloc_addr - area.base
    if kernel.memory.area(vmalloc_addr) is not area or not area.present(offset, 1):
        return 0
    return VMEMMAP + (area.physical + offset) // PAGE_SIZE * STRUCT_PAGE


@export("unsigned long vmalloc_to_pfn(const void *vmalloc_addr)")
def vmalloc_to_pfn(kernel: Kernel, vmalloc_addr: int) -> int:
    return (int(vmalloc_to_page(kernel, vmalloc_addr)) - VMEMMAP) // STRUCT_PAGE
