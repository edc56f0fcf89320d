"""Pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area
from sysfsd.linux.mm.gfp import GFP_COMP
from sysfsd.linux.mm.memory import DIRECT_MAP, PAGE_SHIFT, PAGE_SIZE, STRUCT_PAGE, VMEMMAP, PageFault
from sysfsd.linux.mm.slab_exports import warn_too_large

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("mm/page_alloc.c", "mm/mempolicy.c", "mm/swap.c", "mm/memory.c")


_MAX_ORDER: Final = 11


# Pages


_PG_HEAD: Final = 1 << 16


def _page(address: int) -> int:
    """``virt_to_page()``."""
    return VMEMMAP + (address - DIRECT_MAP >> PAGE_SHIFT) * STRUCT_PAGE


def _page_address(page: int) -> int:
    """``page_address()``.

    :raises OSError: EFAULT for what is no struct page
    """
    number, rest = divmod(page - VMEMMAP, STRUCT_PAGE)
    if number < 0 or rest:
        raise PageFault(page)
    return DIRECT_MAP + number * PAGE_SIZE


def _alloc_pages(kernel: Kernel, flags: int, order: int) -> int:
    """``__alloc_pages()``.

    :returns: where the pages lie; 0 when there is no memory
    """
    if order >= _MAX_ORDER:
        warn_too_large(kernel, flags)
        return 0
    try:
        address = kernel.memory.alloc_pages(PAGE_SIZE << order, PAGE_SIZE << order)
    except OSError:
        return 0
    first = kernel.struct("page", _page(address))
    first["_mapcount.counter"], first["_refcount.counter"] = -1, 1
    if flags & GFP_COMP and order:
        first["flags"] = _PG_HEAD
        for i in range(1, 1 << order):
            tail = kernel.struct("page", first.address + i * STRUCT_PAGE)
            tail["compound_head"] = first.address | 1
            tail["_mapcount.counter"] = -1
        second = kernel.struct("page", first.address + STRUCT_PAGE)
        second["compound_order"], second["compound_nr"], second["compound_dtor"] = order, 1 << order, 1
    return address


def _free_pages(kernel: Kernel, address: int) -> None:
    """``free_the_page()``."""
    size = kernel.memory.direct_map.piece(address)
    if size is None:
        raise PageFault(_page(address))
    kernel.memory.free_pages(address)
    kernel.memory.write(_page(address), bytes((size >> PAGE_SHIFT) * STRUCT_PAGE))


@export(
    "struct page *__alloc_pages(gfp_t gfp, unsigned int order, int preferred_nid, nodemask_t *nodemask)",
    "struct page *alloc_pages(gfp_t gfp, unsigned int order)",
)
def __alloc_pages(kernel: Kernel, gfp: int, order: int, *_: object) -> int:
    address = _alloc_pages(kernel, gfp, order)
    return _page(address) if address else 0


@export(
    "struct folio *__folio_alloc(gfp_t gfp, unsigned int order, int preferred_nid, nodemask_t *nodemask)",
    "struct folio *folio_alloc(gfp_t gfp, unsigned int order)",
)
def __folio_alloc(kernel: Kernel, gfp: int, order: int, *_: object) -> int:
    address = _alloc_pages(kernel, gfp | GFP_COMP, order)
    return _page(address) if address else 0


@export("void __free_pages(struct page *page, unsigned int order)")
def __free_pages(kernel: Kernel, page: StructView, order: int) -> None:
    """Only the last who holds the page frees it."""
    address = _page_address(page.address)
    page["_refcount.counter"] -= 1
    if page["_refcount.counter"] == 0:
        _free_pages(kernel, address)


@export("void split_page(struct page *page, unsigned int order)")
def split_page(kernel: Kernel, page: StructView, order: int) -> None:
    """Each page is allocated by itself from now on."""
    kernel.memory.direct_map.split(_page_address(page.address))
    for i in range(1, 1 << order):
        tail = kernel.struct("page", page.address + i * STRUCT_PAGE)
        tail["_mapcount.counter"], tail["_refcount.counter"] = -1, 1


@export("void __folio_put(struct folio *folio)")
def __folio_put(kernel: Kernel, folio: StructView) -> None:
    """Nobody holds the page any more."""
    _free_pages(kernel, _page_address(folio.address))


@export("unsigned long __get_free_pages(gfp_t gfp_mask, unsigned int order)")
def __get_free_pages(kernel: Kernel, gfp_mask: int, order: int) -> int:
    return _alloc_pages(kernel, gfp_mask, order)


@export("unsigned long get_zeroed_page(gfp_t gfp_mask)")
def get_zeroed_page(kernel: Kernel, gfp_mask: int) -> int:
    return _alloc_pages(kernel, gfp_mask, 0)


@export("void free_pages(unsigned long addr, unsigned int order)")
def free_pages(kernel: Kernel, addr: int, order: int) -> None:
    if addr:
        __free_pages(kernel, kernel.struct("page", _page(addr)), order)


@export("void *alloc_pages_exact(size_t size, gfp_t gfp_mask)")
def alloc_pages_exact(kernel: Kernel, size: int, gfp_mask: int) -> int:
    if size > PAGE_SIZE << _MAX_ORDER - 1:
        warn_too_large(kernel, gfp_mask)
        return 0
    try:
        return kernel.memory.alloc_pages(size, PAGE_SIZE)
    except OSError:
        return 0


@export("void free_pages_exact(void *virt, size_t size)")
def free_pages_exact(kernel: Kernel, virt: int, size: int) -> None:
    _free_pages(kernel, virt)


export.data(
    "atomic_long_t _totalram_pages",
    lambda kernel, address: kernel.memory.write_int(address, kernel.memory.limit >> PAGE_SHIFT, 8),
)

export.data(
    "void *high_memory",
    lambda kernel, address: kernel.memory.write_pointer(address, DIRECT_MAP + kernel.memory.limit),
)


def _free(kernel: Kernel) -> int:
    """Pages that are left."""
    return max(0, kernel.memory.limit - kernel.memory.used) >> PAGE_SHIFT


@export("void si_meminfo(struct sysinfo *val)")
def si_meminfo(kernel: Kernel, val: StructView) -> None:
    val["totalram"] = kernel.memory.limit >> PAGE_SHIFT
    val["freeram"] = _free(kernel)
    val["sharedram"] = val["bufferram"] = val["totalhigh"] = val["freehigh"] = 0
    val["mem_unit"] = PAGE_SIZE


@export("unsigned long nr_free_buffer_pages(void)", "long si_mem_available(void)")
def nr_free_buffer_pages(kernel: Kernel) -> int:
    return _free(kernel)


export.data("unsigned int nr_node_ids", lambda kernel, address: kernel.memory.write_int(address, 1, 4))
