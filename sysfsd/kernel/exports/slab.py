"""Memory: kmalloc(), caches of objects, vmalloc(), pages."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sysfsd.kernel.exports.registry import Area, CallVaList
from sysfsd.kernel.memory import PAGE_SIZE, PageFault, align
from sysfsd.kernel.slab import KMALLOC_MAX_SIZE, KmemCache
from sysfsd.kernel.vsprintf import MemoryVaList, ptr_to_hashval, vsnprintf

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

#: ``__GFP_NOWARN``.
GFP_NOWARN = 0x2000

export = Area("slab", "mm/slab_common.c, mm/slub.c, mm/util.c")


def _alloc(kernel: Kernel, size: int, flags: int = 0) -> int:
    """:returns: 0 when there is no memory"""
    if size > KMALLOC_MAX_SIZE and not flags & GFP_NOWARN:
        kernel.traps.warn_at("mm/page_alloc.c", 5634, site="__alloc_pages+0x2a9", once=True)
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


@export(
    "struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align, slab_flags_t flags,"
    " void (*ctor)(void *))"
)
def kmem_cache_create(kernel: Kernel, name: bytes | None, size: int, align_: int, flags: int, ctor: int) -> int:
    if not name or not size or size > KMALLOC_MAX_SIZE:
        return 0
    if flags & 0x2000:  # SLAB_HWCACHE_ALIGN
        line = 64
        while size <= line // 2:
            line //= 2
        align_ = max(align_, line)
    address = kernel.slab.kmalloc(kernel.image.structs["kmem_cache"].size)
    cache = kernel.slab.create(name.decode("latin-1"), size, align_, ctor, address)
    view = kernel.struct("kmem_cache", address)
    view["object_size"] = size
    view["size"] = align(size, cache.alignment)
    view["align"] = cache.alignment
    view["flags"] = flags
    view["name"] = kernel.slab.string(name)
    return address


@export(
    "struct kmem_cache *kmem_cache_create_usercopy(const char *name, unsigned int size, unsigned int align,"
    " slab_flags_t flags, unsigned int useroffset, unsigned int usersize, void (*ctor)(void *))"
)
def kmem_cache_create_usercopy(
    kernel: Kernel, name: bytes, size: int, align_: int, flags: int, useroffset: int, usersize: int, ctor: int
) -> int:
    return kmem_cache_create(kernel, name, size, align_, flags, ctor)  # type: ignore[no-any-return]


def _cache(kernel: Kernel, view: StructView) -> KmemCache:
    """:raises OSError: EFAULT for what is no cache"""
    cache = kernel.slab.caches.get(view.address)
    if cache is None:
        view["name"]
        raise PageFault(view.address)
    return cache


@export(
    "void *kmem_cache_alloc(struct kmem_cache *s, gfp_t gfpflags)",
    "void *kmem_cache_alloc_node(struct kmem_cache *s, gfp_t gfpflags, int node)",
    "void *kmem_cache_alloc_lru(struct kmem_cache *s, struct list_lru *lru, gfp_t gfpflags)",
)
def kmem_cache_alloc(kernel: Kernel, s: StructView, *_: int) -> int:
    cache = _cache(kernel, s)
    try:
        address = kernel.slab.alloc(cache)
    except OSError:
        return 0
    if cache.ctor:
        kernel.cpu.call(cache.ctor, address)
    return address


@export("void kmem_cache_free(struct kmem_cache *s, void *x)")
def kmem_cache_free(kernel: Kernel, s: StructView, x: int) -> None:
    cache = _cache(kernel, s)
    found = kernel.slab.cache_of(x)
    if found is not None and found is not cache:
        kernel.traps.warn_at(
            "mm/slab.h",
            509,
            f"cache_from_obj: Wrong slab cache. {cache.name} but object is from {found.name}",
            "kmem_cache_free+0x2a0",
        )
        return
    kernel.slab.kfree(x)


@export("void kmem_cache_destroy(struct kmem_cache *s)")
def kmem_cache_destroy(kernel: Kernel, s: StructView) -> None:
    if not s.address:
        return
    cache = _cache(kernel, s)

    def remains(cache: KmemCache) -> None:
        caller = kernel.kallsyms.sprint_symbol(kernel.memory.read_pointer(kernel.current.sp))
        kernel.traps.warn_at(
            "mm/slab_common.c",
            493,
            f"kmem_cache_destroy {cache.name}: Slab cache still has objects when called from {caller}",
            "kmem_cache_destroy+0x141",
        )

    kernel.slab.destroy(cache, remains)


@export("unsigned int kmem_cache_size(struct kmem_cache *s)")
def kmem_cache_size(kernel: Kernel, s: StructView) -> int:
    return _cache(kernel, s).object_size


@export("int kmem_cache_shrink(struct kmem_cache *s)")
def kmem_cache_shrink(kernel: Kernel, s: StructView) -> int:
    return 0


# vmalloc


def _warn_alloc(kernel: Kernel, text: str) -> None:
    """``warn_alloc()``."""
    kernel.log.pr_warn(f"{kernel.current.comm}: {text}, nodemask=(null),cpuset=/,mems_allowed=0")
    kernel.traps.dump_stack()


@export(
    "void *vmalloc(unsigned long size)",
    "void *vzalloc(unsigned long size)",
    "void *vmalloc_user(unsigned long size)",
    "void *vmalloc_node(unsigned long size, int node)",
    "void *vzalloc_node(unsigned long size, int node)",
    "void *vmalloc_32(unsigned long size)",
    "void *vmalloc_huge(unsigned long size, gfp_t gfp_mask)",
    "void *__vmalloc(unsigned long size, gfp_t gfp_mask)",
)
def vmalloc(kernel: Kernel, size: int, *_: int) -> int:
    if not size:
        kernel.traps.warn_at("mm/vmalloc.c", 3227, site="__vmalloc_node_range+0x806", once=True)
        return 0
    if size > kernel.memory.limit:
        _warn_alloc(kernel, f"vmalloc error: size {size}, exceeds total pages, mode:0xcc0(GFP_KERNEL)")
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


@export(
    "void *kvmalloc_node(size_t size, gfp_t flags, int node)",
)
def kvmalloc_node(kernel: Kernel, size: int, flags: int, node: int) -> int:
    if size <= PAGE_SIZE * 8:
        return _alloc(kernel, size)
    with suppress(OSError):
        return kernel.memory.vmalloc(size)
    return 0


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


@export("unsigned long __get_free_pages(gfp_t gfp_mask, unsigned int order)")
def __get_free_pages(kernel: Kernel, gfp_mask: int, order: int) -> int:
    if order > 10:
        return 0
    try:
        return kernel.memory.alloc_pages(PAGE_SIZE << order, PAGE_SIZE << order)
    except OSError:
        return 0


@export("unsigned long get_zeroed_page(gfp_t gfp_mask)")
def get_zeroed_page(kernel: Kernel, gfp_mask: int) -> int:
    return __get_free_pages(kernel, gfp_mask, 0)  # type: ignore[no-any-return]


@export("void free_pages(unsigned long addr, unsigned int order)", "void free_pages_exact(void *virt, size_t size)")
def free_pages(kernel: Kernel, addr: int, order: int) -> None:
    if addr:
        try:
            kernel.memory.free_pages(addr)
        except KeyError:
            raise PageFault(addr) from None


@export("void *alloc_pages_exact(size_t size, gfp_t gfp_mask)")
def alloc_pages_exact(kernel: Kernel, size: int, gfp_mask: int) -> int:
    try:
        return kernel.memory.alloc_pages(size, PAGE_SIZE)
    except OSError:
        return 0


@export(
    "void __check_object_size(const void *ptr, unsigned long n, bool to_user)",
)
def __check_object_size(kernel: Kernel, ptr: int, n: int, to_user: bool) -> None:
    """``usercopy_abort()`` where a copy would leave its object."""
    found = kernel.kfence.object_at(ptr) if ptr in kernel.kfence else None
    if found is None or found.freed:
        return
    offset = ptr - found.address
    if offset < 0 or offset + n > found.object_size:
        verb, way = ("exposure", "from") if to_user else ("overwrite", "to")
        name = found.cache.name if found.cache is not None else "?"
        kernel.log.pr_emerg(
            f"usercopy: Kernel memory {verb} attempt detected {way} SLUB object '{name}' (offset {offset}, size {n})!"
        )
        kernel.traps.bug_at("mm/usercopy.c", 101, "usercopy_abort+0x6c")
