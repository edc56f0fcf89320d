"""Pools of small pieces of coherent memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.printk.printk import Level
from sysfsd.linux.lib.vsprintf import ptr_to_hashval
from sysfsd.linux.mm.gfp import GFP_ZERO
from sysfsd.linux.mm.memory import DIRECT_MAP, PAGE_SIZE

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("mm/dmapool.c")


# Pools


class _Pool:
    """``struct dma_pool``: blocks of one size, and those that are free."""

    def __init__(self, size: int, allocation: int, boundary: int) -> None:
        self.size = size
        self.allocation = allocation
        self.boundary = boundary
        self.pages: list[int] = []
        self.free: list[int] = []
        self.used: set[int] = set()


class _Pools:
    """The pools of one kernel, by address."""

    def __init__(self, kernel: Kernel) -> None:
        self.pools: dict[int, _Pool] = {}


@export(
    "struct dma_pool *dma_pool_create(const char *name, struct device *dev, size_t size, size_t align, size_t boundary)"
)
def dma_pool_create(kernel: Kernel, name: bytes, dev: StructView, size: int, align: int, boundary: int) -> int:
    alignment = align or 1
    if alignment & (alignment - 1) or size == 0 or size > 1 << 31:
        return 0
    size = (max(size, 4) + alignment - 1) & -alignment
    allocation = max(size, PAGE_SIZE)
    if not boundary:
        boundary = allocation
    elif boundary < size or boundary & (boundary - 1):
        return 0
    boundary = min(boundary, allocation)
    view = kernel.struct("dma_pool", kernel.slab.kmalloc(kernel.image.structs["dma_pool"].size))
    view["name"], view["dev"], view["size"] = name, dev.address, size
    view["allocation"], view["boundary"] = allocation, boundary
    kernel.state(_Pools).pools[view.address] = _Pool(size, allocation, boundary)
    return view.address


@export("void *dma_pool_alloc(struct dma_pool *pool, gfp_t mem_flags, dma_addr_t *handle)")
def dma_pool_alloc(kernel: Kernel, pool: StructView, mem_flags: int, handle: int) -> int:
    known = kernel.state(_Pools).pools[pool.address]
    if not known.free:
        try:
            page = kernel.memory.alloc_pages(known.allocation)
        except OSError:
            return 0
        known.pages.append(page)
        at = 0
        while at + known.size <= known.allocation:
            edge = (at // known.boundary + 1) * known.boundary
            if at + known.size > edge:
                at = edge
                continue
            known.free.append(page + at)
            at += known.size
    block = known.free.pop(0)
    known.used.add(block)
    if mem_flags & GFP_ZERO:
        kernel.memory.write(block, bytes(known.size))
    kernel.memory.write_int(handle, block - DIRECT_MAP, 8)
    return block


@export("void dma_pool_free(struct dma_pool *pool, void *vaddr, dma_addr_t dma)")
def dma_pool_free(kernel: Kernel, pool: StructView, vaddr: int, dma: int) -> None:
    known = kernel.state(_Pools).pools[pool.address]
    if not any(page <= dma + DIRECT_MAP < page + known.allocation for page in known.pages):
        text = f"dma_pool_free {pool.string('name').decode('latin-1')}, {ptr_to_hashval(vaddr)}/{dma:#018x} (bad dma)\n"
        kernel.state(DriverCore).printk(Level.ERR, pool.to("dev"), text.encode("latin-1"))
        return
    known.used.discard(vaddr)
    known.free.insert(0, vaddr)


@export("void dma_pool_destroy(struct dma_pool *pool)")
def dma_pool_destroy(kernel: Kernel, pool: StructView) -> None:
    if not pool.address:
        return
    known = kernel.state(_Pools).pools.pop(pool.address)
    for page in known.pages:
        if any(page <= block < page + known.allocation for block in known.used):
            text = f"dma_pool_destroy {pool.string('name').decode('latin-1')}, {ptr_to_hashval(page)} busy\n"
            kernel.state(DriverCore).printk(Level.ERR, pool.to("dev"), text.encode("latin-1"))
        else:
            kernel.memory.free_pages(page)
    kernel.slab.kfree(pool.address)
