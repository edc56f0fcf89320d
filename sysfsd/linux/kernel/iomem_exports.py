"""Mapping memory that need not be a device's: memremap()."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.arch.x86.ioremap_exports import ioremap, iounmap
from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.resource import is_ram
from sysfsd.linux.mm.memory import DIRECT_MAP

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("kernel/iomem.c")


@export("void *memremap(resource_size_t offset, size_t size, unsigned long flags)")
def memremap(kernel: Kernel, offset: int, size: int, flags: int) -> int:
    return ioremap(kernel, offset, size) if not is_ram(offset, offset + size - 1) else DIRECT_MAP + offset


@export("void memunmap(void *addr)")
def memunmap(kernel: Kernel, addr: int) -> None:
    if kernel.memory.area(addr) is kernel.memory.vmalloc_area:
        iounmap(kernel, addr)
