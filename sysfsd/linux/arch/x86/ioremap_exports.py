"""Memory of devices, mapped into the kernel (arch/x86/mm/ioremap.c, physaddr.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.resource import is_ram
from sysfsd.linux.lib.vsprintf import ptr_to_hashval
from sysfsd.linux.mm.memory import PAGE_SIZE, Prot, align

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("arch/x86/mm/ioremap.c", "arch/x86/mm/physaddr.c")

_U64: Final = (1 << 64) - 1

#: Physical addresses have fewer bits.
_PHYS_BITS: Final = 52

#: The memory of the screen, which is memory.
_SCREEN: Final = range(0xA0000, 0xC0000)

_HIGH_MEMORY: Final = 0xFFFF888080000000


# Mapping


@export(
    "void *ioremap(resource_size_t phys_addr, unsigned long size)",
    "void *ioremap_uc(resource_size_t phys_addr, unsigned long size)",
    "void *ioremap_wc(resource_size_t phys_addr, unsigned long size)",
    "void *ioremap_wt(resource_size_t phys_addr, unsigned long size)",
    "void *ioremap_cache(resource_size_t phys_addr, unsigned long size)",
)
def ioremap(kernel: Kernel, phys_addr: int, size: int) -> int:
    last = (phys_addr + size - 1) & _U64
    if not size or last < phys_addr:
        return 0
    if phys_addr >> _PHYS_BITS:
        kernel.log.pr_warn(f"ioremap: invalid physical address {phys_addr:x}")
        kernel.traps.warn_at("arch/x86/mm/ioremap.c", 201, site="__ioremap_caller.cold+0x59", once=True)
        return 0
    if is_ram(phys_addr, last):
        text = f"ioremap on RAM at 0x{phys_addr:016x} - 0x{last:016x}"
        kernel.traps.warn_at("arch/x86/mm/ioremap.c", 211, text, "__ioremap_caller+0x345", once=True)
        return 0
    offset = phys_addr % PAGE_SIZE
    prot = Prot.RW if phys_addr in _SCREEN else Prot.RW | Prot.IO
    address = kernel.memory.vmalloc_area.alloc(align(offset + size, PAGE_SIZE), prot=prot)
    return address + offset


@export("void iounmap(volatile void *addr)")
def iounmap(kernel: Kernel, addr: int) -> None:
    if addr <= _HIGH_MEMORY:
        return
    area = kernel.memory.vmalloc_area
    start = addr & -PAGE_SIZE
    if area.piece(start) is None:
        kernel.log.pr_err(f"iounmap: bad address {ptr_to_hashval(addr)}")
        kernel.traps.dump_stack()
        return
    area.free(start)


@export("bool __virt_addr_valid(unsigned long x)")
def __virt_addr_valid(kernel: Kernel, x: int) -> bool:
    return kernel.memory.area(x) in (kernel.memory.direct_map, kernel.memory.kernel_image)
