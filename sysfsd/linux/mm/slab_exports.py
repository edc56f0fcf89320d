"""Memory by size: kmalloc(), caches of objects (mm/slab_common.c, slub.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final, NoReturn

from sysfsd.linux.arch.x86.traps import Access
from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.panic import Taint, print_tainted
from sysfsd.linux.kernel.printk.printk import Level
from sysfsd.linux.lib.vsprintf import ptr_to_hashval
from sysfsd.linux.mm import slab
from sysfsd.linux.mm.gfp import GFP_NOWARN, GFP_ZERO
from sysfsd.linux.mm.memory import DIRECT_MAP, PAGE_SHIFT, PAGE_SIZE, STRUCT_PAGE, VMEMMAP, PageFault
from sysfsd.linux.mm.slab import KMALLOC_MAX_SIZE, KmemCache, kmalloc_size

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("mm/slab_common.c", "mm/util.c", "mm/slub.c", "mm/usercopy.c")


def warn_too_large(kernel: Kernel, flags: int) -> None:
    """Nobody gets pages of more than the largest order."""
    if not flags & GFP_NOWARN:
        kernel.traps.warn_at("mm/page_alloc.c", 5634, site="__alloc_pages+0x2a9", once=True)


def kmalloc_or_null(kernel: Kernel, size: int, flags: int = 0) -> int:
    """:returns: 0 when there is no memory"""
    if size > KMALLOC_MAX_SIZE:
        warn_too_large(kernel, flags)
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
    return kmalloc_or_null(kernel, size, flags)


@export(
    "void *kmalloc_trace(struct kmem_cache *s, gfp_t gfpflags, size_t size)",
)
def kmalloc_trace(kernel: Kernel, s: StructView, gfpflags: int, size: int) -> int:
    return kmalloc_or_null(kernel, size)


@export("void *kmalloc_node_trace(struct kmem_cache *s, gfp_t gfpflags, int node, size_t size)")
def kmalloc_node_trace(kernel: Kernel, s: StructView, gfpflags: int, node: int, size: int) -> int:
    return kmalloc_or_null(kernel, size)


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
    return kmem_cache_create_usercopy(kernel, name, size, align, flags, 0, 0, ctor)


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
