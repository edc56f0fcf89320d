"""Memory: kmalloc(), caches of objects, vmalloc(), pages."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final, NoReturn

from sysfsd.kernel import slab
from sysfsd.kernel.exports.registry import Area, CallVaList
from sysfsd.kernel.memory import DIRECT_MAP, PAGE_SHIFT, PAGE_SIZE, STRUCT_PAGE, VMEMMAP, PageFault
from sysfsd.kernel.panic import Taint, print_tainted
from sysfsd.kernel.printk import Level
from sysfsd.kernel.ratelimit import RatelimitState
from sysfsd.kernel.slab import KMALLOC_MAX_SIZE, KmemCache, kmalloc_size
from sysfsd.kernel.traps import Access
from sysfsd.kernel.vsprintf import MemoryVaList, ptr_to_hashval, vsnprintf

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

# What an allocation may do (include/linux/gfp_types.h).
GFP_ZERO: Final = 0x100
GFP_DIRECT_RECLAIM: Final = 0x400
GFP_NOWARN: Final = 0x2000
GFP_COMP: Final = 0x40000

_INT_MAX: Final = (1 << 31) - 1
_MAX_ORDER: Final = 11

export = Area("slab", "mm/slab_common.c, mm/slub.c, mm/util.c")


def _too_large(kernel: Kernel, flags: int) -> None:
    """Nobody gets pages of more than the largest order."""
    if not flags & GFP_NOWARN:
        kernel.traps.warn_at("mm/page_alloc.c", 5634, site="__alloc_pages+0x2a9", once=True)


def _alloc(kernel: Kernel, size: int, flags: int = 0) -> int:
    """:returns: 0 when there is no memory"""
    if size > KMALLOC_MAX_SIZE:
        _too_large(kernel, flags)
        return 0
    try:
        return kernel.slab.kmalloc(size)
    except OSError:
        return 0


@export(
    "void *__kmalloc(size_t size, gfp_t flags)",
    "void *__kmalloc_node(size_t size, gfp_t flags, int node)",
    "void *kmalloc_large(size_t size, gfp_t flags)",
    "void *kmalloc_large_node(size_t size, gfp_t flags, int node)",
    "void *__kmalloc_node_track_caller(size_t size, gfp_t gfpflags, int node, unsigned long caller)",
)
def __kmalloc(kernel: Kernel, size: int, flags: int, *_: int) -> int:
    return _alloc(kernel, size, flags)


@export(
    "void *kmalloc_trace(struct kmem_cache *s, gfp_t gfpflags, size_t size)",
)
def kmalloc_trace(kernel: Kernel, s: StructView, gfpflags: int, size: int) -> int:
    return _alloc(kernel, size)


@export("void *kmalloc_node_trace(struct kmem_cache *s, gfp_t gfpflags, int node, size_t size)")
def kmalloc_node_trace(kernel: Kernel, s: StructView, gfpflags: int, node: int, size: int) -> int:
    return _alloc(kernel, size)


export.data("struct kmem_cache *kmalloc_caches[56]")


@export("void kfree(const void *objp)", "void kfree_sensitive(const void *p)", "void kfree_const(const void *x)")
def kfree(kernel: Kernel, objp: int) -> None:
    kernel.slab.kfree(objp)


@export("size_t ksize(const void *objp)")
def ksize(kernel: Kernel, objp: int) -> int:
    return kernel.slab.ksize(objp)


@export("size_t kmalloc_size_roundup(size_t size)")
def kmalloc_size_roundup(kernel: Kernel, size: int) -> int:
    return kmalloc_size(size)


@export("void *krealloc(const void *p, size_t new_size, gfp_t flags)")
def krealloc(kernel: Kernel, p: int, new_size: int, flags: int) -> int:
    try:
        return kernel.slab.krealloc(p, new_size)
    except PageFault:
        raise
    except OSError:
        return 0


def _dup(kernel: Kernel, data: bytes) -> int:
    address = _alloc(kernel, len(data))
    if address:
        kernel.memory.write(address, data)
    return address


@export("char *kstrdup(const char *s, gfp_t gfp)", "const char *kstrdup_const(const char *s, gfp_t gfp)")
def kstrdup(kernel: Kernel, s: bytes | None, gfp: int) -> int:
    return 0 if s is None else _dup(kernel, s + b"\0")


@export("char *kstrndup(const char *s, size_t max, gfp_t gfp)")
def kstrndup(kernel: Kernel, s: bytes | None, max: int, gfp: int) -> int:
    return 0 if s is None else _dup(kernel, s[:max] + b"\0")


@export("void *kmemdup(const void *src, size_t len, gfp_t gfp)")
def kmemdup(kernel: Kernel, src: int, len: int, gfp: int) -> int:
    return _dup(kernel, kernel.memory.read(src, len))


@export("char *kmemdup_nul(const char *s, size_t len, gfp_t gfp)")
def kmemdup_nul(kernel: Kernel, s: bytes | None, len: int, gfp: int) -> int:
    return 0 if s is None else _dup(kernel, s[:len].ljust(len, b"\0") + b"\0")


@export("char *kasprintf(gfp_t gfp, const char *fmt, ...)", "char *kvasprintf(gfp_t gfp, const char *fmt, va_list ap)")
def kasprintf(kernel: Kernel, gfp: int, fmt: bytes, args: CallVaList | MemoryVaList) -> int:
    return _dup(kernel, vsnprintf(kernel, fmt, args) + b"\0")


@export("const char *kvasprintf_const(gfp_t gfp, const char *fmt, va_list ap)")
def kvasprintf_const(kernel: Kernel, gfp: int, fmt: bytes, ap: MemoryVaList) -> int:
    return _dup(kernel, vsnprintf(kernel, fmt, ap) + b"\0")


# Caches

#: ``SLAB_FLAGS_PERMITTED``, and the one of them that means nothing here.
_SLAB_FLAGS_PERMITTED: Final = 0x14BFED00
_SLAB_MEM_SPREAD: Final = 0x100000
_RULE: Final = "=" * 77
_LINE: Final = "-" * 77


@export(
    "struct kmem_cache *kmem_cache_create_usercopy(const char *name, unsigned int size, unsigned int align,"
    " slab_flags_t flags, unsigned int useroffset, unsigned int usersize, void (*ctor)(void *))"
)
def kmem_cache_create_usercopy(
    kernel: Kernel, name: bytes | None, size: int, align: int, flags: int, useroffset: int, usersize: int, ctor: int
) -> int:
    if flags & ~_SLAB_FLAGS_PERMITTED:
        return _create_failed(kernel, name, flags, errno.EINVAL)
    flags &= ~_SLAB_MEM_SPREAD
    if size < usersize or size - usersize < useroffset or not usersize:
        useroffset = usersize = 0
    if not usersize and not ctor:
        if name is None:
            _oops(kernel, "kmem_cache_flags", 0x6E)
        shared = kernel.slab.find_mergeable(size, align, flags, ctor)
        if shared is not None:
            kernel.slab.share(shared, size)
            _describe(kernel, shared)
            return shared.address
    if name is None:
        return _create_failed(kernel, name, flags, errno.ENOMEM)
    address = kernel.slab.kmalloc(kernel.image.structs["kmem_cache"].member("node").offset + 8)
    try:
        cache = kernel.slab.create(name.decode("latin-1"), size, align, ctor, address, flags)
    except ZeroDivisionError:
        kernel.slab.kfree(address)
        place = (kernel.kallsyms.address_of("reciprocal_value") or 0) + 0x26
        kernel.cpu.place_text(place, b"\x48\xf7\xf6")  # div %rsi
        task = kernel.current
        kernel.traps.die("divide error", task, task.caller_regs()._replace(rip=place))
    except OSError as error:
        kernel.slab.kfree(address)
        return _create_failed(kernel, name, flags, error.errno or 0)
    cache.useroffset, cache.usersize = useroffset, usersize
    kernel.slab.shareable(cache)
    view = kernel.struct("kmem_cache", address)
    view["name"] = kernel.slab.string(name)
    _describe(kernel, cache)
    return address


def _describe(kernel: Kernel, cache: KmemCache) -> None:
    """Write down what a cache is."""
    view = kernel.struct("kmem_cache", cache.address)
    for member in ("object_size", "size", "flags", "refcount", "ctor", "inuse", "useroffset", "usersize"):
        view[member] = getattr(cache, member)
    view["align"] = cache.alignment
    if cache.inuse < cache.size:
        view["offset"] = cache.inuse


def _create_failed(kernel: Kernel, name: bytes | None, flags: int, error: int) -> int:
    text = "(null)" if name is None else name.decode("latin-1")
    if flags & slab.SLAB_PANIC:
        kernel.traps.panic(f"kmem_cache_create_usercopy: Failed to create slab '{text}'. Error -{error}\n")
    kernel.log.pr_warn(f"kmem_cache_create_usercopy({text}) failed with error -{error}")
    kernel.traps.dump_stack()
    return 0


def _oops(kernel: Kernel, function: str, offset: int, address: int = 0) -> NoReturn:
    """The kernel's own code follows a pointer that is none."""
    task = kernel.current
    place = (kernel.kallsyms.address_of(function) or 0) + offset
    kernel.traps.page_fault_oops(task, task.caller_regs()._replace(rip=place), address, Access.READ)


@export(
    "struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align, slab_flags_t flags,"
    " void (*ctor)(void *))"
)
def kmem_cache_create(kernel: Kernel, name: bytes | None, size: int, align: int, flags: int, ctor: int) -> int:
    return kmem_cache_create_usercopy(kernel, name, size, align, flags, 0, 0, ctor)  # type: ignore[no-any-return]


def _cache(kernel: Kernel, view: StructView) -> KmemCache:
    """:raises OSError: EFAULT for what is no cache"""
    cache = kernel.slab.caches.get(view.address)
    if cache is None:
        view["object_size"]
        raise PageFault(view.address)
    return cache


def _alloc_object(kernel: Kernel, cache: KmemCache, flags: int) -> int:
    """:returns: 0 when there is no memory"""
    zero = bool(flags & GFP_ZERO)
    try:
        address = kernel.slab.alloc(cache, zero=zero)
    except OSError:
        return 0
    if zero and cache.keeps and not cache.ctor:
        kernel.memory.write(address, bytes(cache.object_size))
    return address


@export("void *kmem_cache_alloc(struct kmem_cache *s, gfp_t gfpflags)")
def kmem_cache_alloc(kernel: Kernel, s: StructView, gfpflags: int) -> int:
    return _alloc_object(kernel, _cache(kernel, s), gfpflags)


@export("void *kmem_cache_alloc_node(struct kmem_cache *s, gfp_t gfpflags, int node)")
def kmem_cache_alloc_node(kernel: Kernel, s: StructView, gfpflags: int, node: int) -> int:
    return _alloc_object(kernel, _cache(kernel, s), gfpflags)


@export("void *kmem_cache_alloc_lru(struct kmem_cache *s, struct list_lru *lru, gfp_t gfpflags)")
def kmem_cache_alloc_lru(kernel: Kernel, s: StructView, lru: StructView, gfpflags: int) -> int:
    return _alloc_object(kernel, _cache(kernel, s), gfpflags)


@export("int kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t flags, size_t size, void **p)")
def kmem_cache_alloc_bulk(kernel: Kernel, s: StructView, flags: int, size: int, p: int) -> int:
    cache = _cache(kernel, s)
    for i in range(size):
        address = _alloc_object(kernel, cache, flags)
        if not address:
            for done in range(i):
                kernel.slab.kfree(kernel.memory.read_pointer(p + 8 * done))
            return 0
        kernel.memory.write_pointer(p + 8 * i, address)
    return size


def _free_object(kernel: Kernel, cache: KmemCache, address: int) -> None:
    """``cache_from_obj()`` and ``slab_free()``: an object goes back to the cache that it is of."""
    if address <= slab.ZERO_SIZE_PTR:
        _oops(kernel, "cache_from_obj", 0x36, kernel.slab.no_object(address).address)
    found = kernel.slab.cache_of(address)
    if found is not None and found is not cache:
        kernel.traps.warn_at(
            "mm/slab.h",
            665,
            f"cache_from_obj: Wrong slab cache. {cache.name} but object is from {found.name}",
            "cache_from_obj+0xa1",
        )
    try:
        kernel.slab.kfree(address)
    except PageFault as fault:
        _oops(kernel, "cache_from_obj", 0x36, fault.address)


@export("void kmem_cache_free(struct kmem_cache *s, void *x)")
def kmem_cache_free(kernel: Kernel, s: StructView, x: int) -> None:
    _free_object(kernel, _cache(kernel, s), x)


@export("void kmem_cache_free_bulk(struct kmem_cache *s, size_t size, void **p)")
def kmem_cache_free_bulk(kernel: Kernel, s: StructView, size: int, p: int) -> None:
    """Without a cache, ``kfree_bulk()``."""
    cache = _cache(kernel, s) if s.address else None
    for i in reversed(range(size)):
        address = kernel.memory.read_pointer(p + 8 * i)
        if cache is not None:
            _free_object(kernel, cache, address)
        else:
            kernel.slab.kfree(address)


def _report_remains(kernel: Kernel, cache: KmemCache) -> None:
    """``list_slab_objects()`` of all slabs that are in use in part, and what kmem_cache_destroy() says then."""

    def line(text: str) -> None:
        kernel.log.emit(text.encode("latin-1", "replace") + b"\n", Level.ERR)

    for where, places in kernel.slab.partial(cache):
        line(_RULE)
        line(
            f"BUG {cache.name} ({print_tainted(kernel.tainted)}): Objects remaining in {cache.name}"
            " on __kmem_cache_shutdown()"
        )
        line(f"{_LINE}\n")
        base = where.page or where.objects[0] & -PAGE_SIZE
        page = VMEMMAP + (base - DIRECT_MAP >> PAGE_SHIFT) * STRUCT_PAGE
        free = next((address for address in reversed(cache.free) if address in where.objects), 0)
        flags, head = ("0xfffffc0010200", "|head") if cache.order else ("0xfffffc0000200", "")
        line(
            f"Slab 0x{ptr_to_hashval(page)} objects={cache.per_slab} used={len(places)} fp=0x{ptr_to_hashval(free)}"
            f" flags={flags}(slab{head}|node=0|zone=1|lastcpupid=0x1fffff)"
        )
        kernel.traps.dump_stack()
        kernel.add_taint(Taint.BAD_PAGE, lockdep_ok=False)
        for place in places:
            line(f"Object 0x{ptr_to_hashval(where.objects[place])} @offset={place * cache.size}")
    caller = kernel.kallsyms.sprint_symbol(kernel.memory.read_pointer(kernel.current.sp))
    kernel.traps.warn_at(
        "mm/slab_common.c",
        493,
        f"kmem_cache_destroy {cache.name}: Slab cache still has objects when called from {caller}",
        "kmem_cache_destroy+0x141",
    )


@export("void kmem_cache_destroy(struct kmem_cache *s)")
def kmem_cache_destroy(kernel: Kernel, s: StructView) -> None:
    if not s.address:
        return
    if s.address in kernel.kfence and s.address not in kernel.slab.caches:
        # A count that was freed: one less than 0 is not the last.
        kernel.kfence.handle_page_fault(s.address, True, kernel.current.caller_regs())
        return
    cache = _cache(kernel, s)
    kernel.slab.destroy(cache, lambda cache: _report_remains(kernel, cache))
    if cache.address in kernel.slab.caches:
        s["refcount"] = cache.refcount
    else:
        kernel.slab.kfree(s["name"])
        kernel.slab.kfree(s.address)


@export("unsigned int kmem_cache_size(struct kmem_cache *s)")
def kmem_cache_size(kernel: Kernel, s: StructView) -> int:
    cache = _cache(kernel, s)
    cache.asked = cache.object_size  # whoever asks may use it
    return cache.object_size


@export("int kmem_cache_shrink(struct kmem_cache *s)")
def kmem_cache_shrink(kernel: Kernel, s: StructView) -> int:
    _cache(kernel, s)
    return 0


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
    return _vmalloc(kernel, size, 0)


@export(
    "void *__vmalloc(unsigned long size, gfp_t gfp_mask)",
    "void *vmalloc_huge(unsigned long size, gfp_t gfp_mask)",
)
def __vmalloc(kernel: Kernel, size: int, gfp_mask: int) -> int:
    return _vmalloc(kernel, size, gfp_mask)


def _vmalloc(kernel: Kernel, size: int, flags: int) -> int:
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


@export("void *kvmalloc_node(size_t size, gfp_t flags, int node)")
def kvmalloc_node(kernel: Kernel, size: int, flags: int, node: int) -> int:
    address = _alloc(kernel, size, flags if size <= PAGE_SIZE else flags | GFP_NOWARN)
    if address or size <= PAGE_SIZE or not flags & GFP_DIRECT_RECLAIM:
        return address
    if size > _INT_MAX:
        if not flags & GFP_NOWARN:
            kernel.traps.warn_at("mm/util.c", 596, site="kvmalloc_node+0xc0", once=True)
        return 0
    return _vmalloc(kernel, size, flags)


@export("void *kvrealloc(const void *p, size_t oldsize, size_t newsize, gfp_t flags)")
def kvrealloc(kernel: Kernel, p: int, oldsize: int, newsize: int, flags: int) -> int:
    if oldsize >= newsize:
        return p
    address: int = kvmalloc_node(kernel, newsize, flags, -1)
    if address:
        kernel.memory.write(address, kernel.memory.read(p, oldsize))
        kvfree(kernel, p)
    return address


@export("void kvfree(const void *addr)")
def kvfree(kernel: Kernel, addr: int) -> None:
    if is_vmalloc_addr(kernel, addr):
        vfree(kernel, addr)
    else:
        kernel.slab.kfree(addr)


@export("void kvfree_sensitive(const void *addr, size_t len)")
def kvfree_sensitive(kernel: Kernel, addr: int, len: int) -> None:
    kvfree(kernel, addr)


@export("void kvfree_call_rcu(struct callback_head *head, void *func)")
def kvfree_call_rcu(kernel: Kernel, head: StructView, func: int) -> None:
    offset = func if func < PAGE_SIZE else 0
    kvfree(kernel, head.address - offset if head.address else func)


@export("bool is_vmalloc_addr(const void *x)")
def is_vmalloc_addr(kernel: Kernel, x: int) -> bool:
    return kernel.memory.area(x) is kernel.memory.vmalloc_area


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
        _too_large(kernel, flags)
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
        _too_large(kernel, gfp_mask)
        return 0
    try:
        return kernel.memory.alloc_pages(size, PAGE_SIZE)
    except OSError:
        return 0


@export("void free_pages_exact(void *virt, size_t size)")
def free_pages_exact(kernel: Kernel, virt: int, size: int) -> None:
    _free_pages(kernel, virt)


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


@export("bool __virt_addr_valid(unsigned long x)")
def __virt_addr_valid(kernel: Kernel, x: int) -> bool:
    return kernel.memory.area(x) in (kernel.memory.direct_map, kernel.memory.kernel_image)


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


@export(
    "void __check_object_size(const void *ptr, unsigned long n, bool to_user)",
)
def __check_object_size(kernel: Kernel, ptr: int, n: int, to_user: bool) -> None:
    """``usercopy_abort()`` where a copy would leave its object."""
    found = kernel.kfence.object_at(ptr) if ptr in kernel.kfence else None
    if found is None or found.freed:
        return
    offset, cache = ptr - found.address, found.cache
    start, size = 0, found.object_size
    if cache is not None and cache.usersize is not None:
        start, size = cache.useroffset, cache.usersize
    if offset < start or offset - start > size or n > start + size - offset:
        verb, way = ("exposure", "from") if to_user else ("overwrite", "to")
        name = cache.name if cache is not None else "?"
        kernel.log.pr_emerg(
            f"usercopy: Kernel memory {verb} attempt detected {way} SLUB object '{name}' (offset {offset}, size {n})!"
        )
        kernel.traps.bug_at("mm/usercopy.c", 101, "usercopy_abort+0x6c")
