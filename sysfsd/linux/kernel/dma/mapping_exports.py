"""Memory that devices see: where it is for them, it is for the processor."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.mm.memory import DIRECT_MAP, PAGE_SIZE, STRUCT_PAGE, VMEMMAP, align

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/dma/mapping.c")

_MAPPING_ERROR: Final = (1 << 64) - 1

#: What a device must be able to address: the lowest 16 MiB.
_ZONE_DMA_MASK: Final = (1 << 24) - 1

#: The last address that there is memory at.
_REQUIRED_MASK: Final = 0x7FFFFFFF


# Masks


def _supported(mask: int) -> bool:
    """``dma_direct_supported()``."""
    return mask >= _ZONE_DMA_MASK


@export("int dma_set_mask(struct device *dev, u64 mask)")
def dma_set_mask(kernel: Kernel, dev: StructView, mask: int) -> int:
    if not dev["dma_mask"] or not _supported(mask):
        raise err(errno.EIO)
    kernel.memory.write_int(dev["dma_mask"], mask, 8)
    return 0


@export("int dma_set_coherent_mask(struct device *dev, u64 mask)")
def dma_set_coherent_mask(kernel: Kernel, dev: StructView, mask: int) -> int:
    if not _supported(mask):
        raise err(errno.EIO)
    dev["coherent_dma_mask"] = mask
    return 0


@export("u64 dma_get_required_mask(struct device *dev)")
def dma_get_required_mask(kernel: Kernel, dev: StructView) -> int:
    return _REQUIRED_MASK


@export("size_t dma_max_mapping_size(struct device *dev)", "size_t dma_opt_mapping_size(struct device *dev)")
def dma_max_mapping_size(kernel: Kernel, dev: StructView) -> int:
    return (1 << 64) - 1


@export("bool dma_can_mmap(struct device *dev)")
def dma_can_mmap(kernel: Kernel, dev: StructView) -> bool:
    return True


@export("bool dma_need_sync(struct device *dev, dma_addr_t dma_addr)")
def dma_need_sync(kernel: Kernel, dev: StructView, dma_addr: int) -> bool:
    return False


@export("unsigned long dma_get_merge_boundary(struct device *dev)")
def dma_get_merge_boundary(kernel: Kernel, dev: StructView) -> int:
    return 0


# Coherent memory


@export(
    "void *dma_alloc_attrs(struct device *dev, size_t size, dma_addr_t *dma_handle, gfp_t flag, unsigned long attrs)"
)
def dma_alloc_attrs(kernel: Kernel, dev: StructView, size: int, dma_handle: int, flag: int, attrs: int) -> int:
    if not dev["coherent_dma_mask"]:
        kernel.traps.warn_at("kernel/dma/mapping.c", 499, once=True)
    size = align(size, PAGE_SIZE)
    if not size or size >> 22:  # MAX_ORDER
        return 0
    # Pages of an order lie at multiples of their size.
    try:
        address = kernel.memory.alloc_pages(size, 1 << (size - 1).bit_length())
    except OSError:
        return 0
    if address - DIRECT_MAP + size - 1 > dev["coherent_dma_mask"]:
        kernel.memory.free_pages(address)
        return 0
    kernel.memory.write_int(dma_handle, address - DIRECT_MAP, 8)
    return address


@export(
    "void dma_free_attrs(struct device *dev, size_t size, void *cpu_addr, dma_addr_t dma_handle, unsigned long attrs)"
)
def dma_free_attrs(kernel: Kernel, dev: StructView, size: int, cpu_addr: int, dma_handle: int, attrs: int) -> None:
    if cpu_addr:
        kernel.memory.free_pages(cpu_addr)


_MANAGED: Final = "dmam_release"


@export(
    "void *dmam_alloc_attrs(struct device *dev, size_t size, dma_addr_t *dma_handle, gfp_t gfp, unsigned long attrs)"
)
def dmam_alloc_attrs(kernel: Kernel, dev: StructView, size: int, dma_handle: int, gfp: int, attrs: int) -> int:
    address = int(dma_alloc_attrs(kernel, dev, size, dma_handle, gfp, attrs))
    if address:
        core = kernel.state(DriverCore)
        data = core.devres.alloc(lambda data: kernel.memory.free_pages(kernel.memory.read_pointer(data)), 8, _MANAGED)
        kernel.memory.write_pointer(data, address)
        core.devres.add(dev, data)
    return address


@export("void dmam_free_coherent(struct device *dev, size_t size, void *vaddr, dma_addr_t dma_handle)")
def dmam_free_coherent(kernel: Kernel, dev: StructView, size: int, vaddr: int, dma_handle: int) -> None:
    core, memory = kernel.state(DriverCore), kernel.memory
    dma_free_attrs(kernel, dev, size, vaddr, dma_handle, 0)
    found = core.devres.find(dev, None, lambda data: memory.read_pointer(data) == vaddr)
    if found is None or found.name != _MANAGED:
        kernel.traps.warn_at("kernel/dma/mapping.c", 66)
        return
    core.devres.remove(dev, found)
    core.devres.free(found.data)


# Streaming


def _map(kernel: Kernel, dev: StructView, physical: int, size: int) -> int:
    if not dev["dma_mask"]:
        kernel.traps.warn_at("kernel/dma/mapping.c", 152, once=True)
        return _MAPPING_ERROR
    if physical + size - 1 > kernel.memory.read_int(dev["dma_mask"], 8):
        return _MAPPING_ERROR
    return physical


@export(
    "dma_addr_t dma_map_page_attrs(struct device *dev, struct page *page, size_t offset, size_t size,"
    " enum dma_data_direction dir, unsigned long attrs)"
)
def dma_map_page_attrs(
    kernel: Kernel, dev: StructView, page: StructView, offset: int, size: int, dir: int, attrs: int
) -> int:
    return _map(kernel, dev, (page.address - VMEMMAP) // STRUCT_PAGE * PAGE_SIZE + offset, size)


@export(
    "void dma_unmap_page_attrs(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir,"
    " unsigned long attrs)",
    "void dma_unmap_resource(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir,"
    " unsigned long attrs)",
)
def dma_unmap_page_attrs(kernel: Kernel, dev: StructView, addr: int, size: int, dir: int, attrs: int) -> None:
    """What a device sees is the memory itself."""


@export(
    "void dma_sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir)",
    "void dma_sync_single_for_device(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir)",
)
def dma_sync_single_for_cpu(kernel: Kernel, dev: StructView, addr: int, size: int, dir: int) -> None:
    """It is the same for both."""


@export(
    "dma_addr_t dma_map_resource(struct device *dev, phys_addr_t phys_addr, size_t size, enum dma_data_direction dir,"
    " unsigned long attrs)"
)
def dma_map_resource(kernel: Kernel, dev: StructView, phys_addr: int, size: int, dir: int, attrs: int) -> int:
    return _map(kernel, dev, phys_addr, size)
