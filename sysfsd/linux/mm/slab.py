"""Objects of a size: kmalloc() and caches (mm/slab_common.c, mm/slub.c)."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.mm.memory import (
    DIRECT_MAP,
    KERNEL_IMAGE,
    PAGE_SHIFT,
    PAGE_SIZE,
    STRUCT_PAGE,
    VMEMMAP,
    PageFault,
    align,
)
from sysfsd.linux.mm.percpu import NR_CPUS

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

__all__ = [
    "KMALLOC_MAX_CACHE_SIZE",
    "KMALLOC_MAX_SIZE",
    "ZERO_SIZE_PTR",
    "KmemCache",
    "Slab",
    "SlabAllocator",
    "calculate_alignment",
    "calculate_order",
]

#: What kmalloc(0) returns.
ZERO_SIZE_PTR: Final = 16
#: Beyond it, kmalloc() takes whole pages; beyond the other, nothing (bytes).
KMALLOC_MAX_CACHE_SIZE: Final = 8192
KMALLOC_MAX_SIZE: Final = 4 << 20
#: Where kfree() reads an object's struct page.
_KFREE_PAGE: Final = 0x4B
#: What the model itself needs to know of an object among others (bytes), so that many small ones are not for free.
_BOOKKEEPING: Final = 256
_KMALLOC_SIZES: Final = (8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192)


# Flags of a cache (include/linux/slab.h).
SLAB_RED_ZONE: Final = 0x400
SLAB_POISON: Final = 0x800
SLAB_HWCACHE_ALIGN: Final = 0x2000
SLAB_CACHE_DMA: Final = 0x4000
SLAB_CACHE_DMA32: Final = 0x8000
SLAB_STORE_USER: Final = 0x10000
SLAB_RECLAIM_ACCOUNT: Final = 0x20000
SLAB_PANIC: Final = 0x40000
SLAB_TYPESAFE_BY_RCU: Final = 0x80000
SLAB_TRACE: Final = 0x200000
SLAB_NOLEAKTRACE: Final = 0x800000
SLAB_ACCOUNT: Final = 0x4000000

_NEVER_MERGE: Final = (
    SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER | SLAB_TRACE | SLAB_TYPESAFE_BY_RCU | SLAB_NOLEAKTRACE
)
_MERGE_SAME: Final = SLAB_RECLAIM_ACCOUNT | SLAB_CACHE_DMA | SLAB_CACHE_DMA32 | SLAB_ACCOUNT
#: Caches that the kernel itself has and shares with whoever wants one of that kind: bytes from one object to the next,
#: by what else has to agree. Those whose objects are smaller than that come with the objects' size.
_KERNEL_CACHES: Final = {
    0: (
        24, 32, 48, 56, 64, 72, 80, 88, 96, 112, 128, 184, (192, 176), 200, 216, 256, 272, (320, 304), 416, 512, 576,
        640, (768, 736), 968, 1024, (1088, 1056), 1232, 1360, 2048, (2112, 2080), 4096,
    ),
    SLAB_ACCOUNT: (
        16, 32, 40, 48, 56, 64, 72, 80, 120, 128, 136, 152, (192, 184), 256, 320, 624, 704, 1024, 1152, (1216, 1200),
        1344, 4480,
    ),
    SLAB_RECLAIM_ACCOUNT: (104, 128, 256),
}  # fmt: skip
#: The largest slab that is tried for more than one object, and the largest of all (powers of two of pages).
_SLUB_MAX_ORDER: Final = 3
_MAX_ORDER: Final = 11
_MAX_OBJS_PER_PAGE: Final = 32767
#: Objects that a slab is to have at least, as far as its size allows.
_MIN_OBJECTS: Final = 4 * (NR_CPUS.bit_length() + 1)
_CACHE_LINE: Final = 64
_POISON_FREE, _POISON_END = b"\x6b", b"\xa5"


def _get_order(size: int) -> int:
    """``get_order()``: pages for *size* bytes, as a power of two."""
    return max(0, (size - 1).bit_length() - PAGE_SHIFT)


def _slab_order(size: int, min_objects: int, max_order: int, fraction: int) -> int:
    """``calc_slab_order()``: the smallest slab of which no more than one part in *fraction* is wasted."""
    if PAGE_SIZE // size > _MAX_OBJS_PER_PAGE:
        return _get_order(size * _MAX_OBJS_PER_PAGE) - 1
    order = _get_order(min_objects * size)
    while order <= max_order and (PAGE_SIZE << order) % size > (PAGE_SIZE << order) // fraction:
        order += 1
    return order


def calculate_order(size: int) -> int:
    """``calculate_order()``: the pages of a slab of objects of *size* bytes, as a power of two.

    :raises OSError: EINVAL where not even one object fits
    """
    min_objects = min(_MIN_OBJECTS, (PAGE_SIZE << _SLUB_MAX_ORDER) // size)
    for objects in range(min_objects, 1, -1):
        for fraction in (16, 8, 4):
            order = _slab_order(size, objects, _SLUB_MAX_ORDER, fraction)
            if order <= _SLUB_MAX_ORDER:
                return order
    for limit in (_SLUB_MAX_ORDER, _MAX_ORDER - 1):
        order = _slab_order(size, 1, limit, 1)
        if order <= limit:
            return order
    raise err(errno.EINVAL)


def calculate_alignment(flags: int, alignment: int, size: int) -> int:
    """``calculate_alignment()``: what a cache's objects are aligned to."""
    if flags & SLAB_HWCACHE_ALIGN:
        line = _CACHE_LINE
        while size <= line // 2:
            line //= 2
        alignment = max(alignment, line)
    return align(max(alignment, 8), 8)


@dataclass(eq=False, slots=True)
class Slab:
    """Objects that were made together, and the pages that hold them; 0 where each has a page of its own."""

    objects: list[int]
    page: int = 0


@dataclass(eq=False)
class KmemCache:
    """``struct kmem_cache``: a kind of objects."""

    name: str
    object_size: int
    alignment: int = 8
    ctor: int = 0
    #: Where the structure that stands for it lies, if module code has it.
    address: int = 0
    flags: int = 0
    #: What of an object may be copied to and from user space: where it begins, and its bytes; None: all.
    useroffset: int = 0
    usersize: int | None = None
    #: How many share it; the kernel may be one of them.
    refcount: int = 1
    #: Objects in use.
    objects: set[int] = field(default_factory=set)
    #: Objects that are made and not in use, the next one last.
    free: list[int] = field(default_factory=list)
    slabs: list[Slab] = field(default_factory=list)
    #: Bytes that may be used of an object as far as its owner has said.
    asked: int = field(init=False)
    #: ``inuse``: bytes up to where an object's own end; ``size``: from one object to the next.
    inuse: int = field(init=False)
    size: int = field(init=False)
    order: int = field(init=False)
    #: Whether objects stay what they are while nobody uses them.
    keeps: bool = field(init=False)

    def __post_init__(self) -> None:
        """``calculate_sizes()``.

        :raises ZeroDivisionError: for objects of no size
        :raises OSError: EINVAL for objects that are too large
        """
        self.asked = self.object_size
        self.keeps = bool(self.ctor or self.flags & SLAB_TYPESAFE_BY_RCU)
        size = align(self.object_size, 8)
        if self.flags & SLAB_RED_ZONE and size == self.object_size:
            size += 8
        self.inuse = size
        if self.ctor or self.flags & (SLAB_TYPESAFE_BY_RCU | SLAB_POISON):
            size += 8  # the free list's pointer must not lie in the object
        if self.flags & SLAB_RED_ZONE:
            size += 8 + align(8, self.alignment)
        self.size = size + -size % self.alignment
        self.order = calculate_order(self.size)

    @property
    def per_slab(self) -> int:
        """Objects of a slab."""
        return (PAGE_SIZE << self.order) // self.size

    @property
    def ksize(self) -> int:
        """``slab_ksize()``."""
        if self.flags & (SLAB_RED_ZONE | SLAB_POISON):
            return self.object_size
        return self.inuse if self.flags & (SLAB_TYPESAFE_BY_RCU | SLAB_STORE_USER) else self.size


def kmalloc_size(size: int) -> int:
    """``kmalloc_size_roundup()``: the bytes that an object for *size* bytes has."""
    if size == 0:
        return 0
    if size > KMALLOC_MAX_CACHE_SIZE:
        return PAGE_SIZE << max(0, (size - 1).bit_length() - 12)
    return next(object_size for object_size in _KMALLOC_SIZES if size <= object_size)


class SlabAllocator:
    """All caches of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._memory = kernel.memory
        self._kmalloc_caches = {
            size: KmemCache(f"kmalloc-{size >> 10}k" if size >= 1024 else f"kmalloc-{size}", size, size & -size)
            for size in _KMALLOC_SIZES
        }
        #: The caches that modules have made, by the address of the structure.
        self.caches: dict[int, KmemCache] = {}
        #: The cache of each object that lies among others, and the bytes of each piece of whole pages.
        self._dense: dict[int, KmemCache] = {}
        self._large: dict[int, int] = {}
        self._size_index = [
            self._kmalloc_caches.get(kmalloc_size(8 * i)) for i in range(KMALLOC_MAX_CACHE_SIZE // 8 + 1)
        ]
        #: Caches that others may share.
        self._mergeable: list[KmemCache] = []

    def kmalloc(self, size: int) -> int:
        """Zeroed memory for *size* bytes.

        :raises OSError: ENOMEM
        """
        if size == 0:
            return ZERO_SIZE_PTR
        if size > KMALLOC_MAX_SIZE:
            raise err(errno.ENOMEM)
        if size > KMALLOC_MAX_CACHE_SIZE:
            whole = kmalloc_size(size)
            address = self._memory.alloc_pages(whole, whole)
            self._large[address] = whole
            return address
        cache = self._size_index[(size + 7) >> 3]
        assert cache is not None
        return self.alloc(cache, size)

    def alloc(self, cache: KmemCache, size: int | None = None, zero: bool = True) -> int:
        """An object of *cache*, of which *size* bytes were asked for.

        :param zero: whether one whose contents do not stay is to be zeroed even where the cache would not
        :raises OSError: ENOMEM
        """
        if cache.keeps:
            return self._alloc_made(cache)
        address = 0
        if cache.object_size <= PAGE_SIZE:
            address = self._kernel.kfence.alloc(cache, cache.asked if size is None else size)
        if not address:
            if not cache.free:
                self._grow(cache)
            address = cache.free.pop()
            self._memory.write(address, bytes(cache.object_size))
            self._dense[address] = cache
        if cache.flags & SLAB_POISON and not zero:
            self._memory.write(address, _POISON_FREE * (cache.asked - 1) + _POISON_END)
        cache.objects.add(address)
        return address

    def _grow(self, cache: KmemCache) -> Slab:
        """A new slab with objects side by side, without guard pages."""
        whole = PAGE_SIZE << cache.order
        self._memory.charge(cache.per_slab * _BOOKKEEPING)
        try:
            page = self._memory.alloc_pages(whole, whole)
        except OSError:
            self._memory.used -= cache.per_slab * _BOOKKEEPING
            raise
        slab = Slab(list(range(page, page + cache.per_slab * cache.size, cache.size)), page)
        cache.slabs.append(slab)
        cache.free.extend(reversed(slab.objects))
        return slab

    def _alloc_made(self, cache: KmemCache) -> int:
        """An object that has been made together with the others of its slab, and is what it was when it was freed."""
        kfence = self._kernel.kfence
        if not cache.free:
            objects = kfence.reserve(cache, cache.per_slab) if cache.object_size <= PAGE_SIZE else []
            if objects:
                cache.slabs.append(Slab(objects))
                cache.free.extend(reversed(objects))
            else:
                objects = self._grow(cache).objects
            if cache.ctor:
                for address in objects:
                    self._kernel.cpu.call(cache.ctor, address)
            if cache.slabs[-1].page == 0:
                for address in objects:
                    kfence.seal(address)
        address = cache.free.pop()
        if address in kfence:
            kfence.take(address)
        else:
            self._dense[address] = cache
        cache.objects.add(address)
        return address

    def kfree(self, address: int) -> None:
        """Free what :meth:`kmalloc` or a cache has handed out; NULL and what kmalloc(0) returns are fine.

        :raises OSError: EFAULT for what is no object
        """
        if address <= ZERO_SIZE_PTR:
            return
        kfence = self._kernel.kfence
        if address in kfence:
            found = kfence.object_at(address)
            if kfence.free(address) and found is not None and found.cache is not None:
                found.cache.objects.discard(address)
                if found.reserved:
                    found.cache.free.append(address)
        elif address in self._large:
            del self._large[address]
            self._memory.free_pages(address)
        elif (cache := self._dense.pop(address, None)) is not None:
            cache.objects.discard(address)
            cache.free.append(address)
        else:
            raise self.no_object(address)

    @staticmethod
    def no_object(address: int) -> PageFault:
        """What is no object of any cache has no struct page that says which one it is of."""
        start = DIRECT_MAP if address < KERNEL_IMAGE else KERNEL_IMAGE
        page = VMEMMAP + ((address - start & (1 << 64) - 1) >> PAGE_SHIFT) * STRUCT_PAGE
        return PageFault(page + 8, offset=_KFREE_PAGE)

    def cache_of(self, address: int) -> KmemCache | None:
        """The cache that the object at *address* is of."""
        found = self._kernel.kfence.object_at(address)
        if found is not None and not found.freed:
            return found.cache
        return self._dense.get(address)

    def ksize(self, address: int) -> int:
        """``ksize()``: the bytes that an object has, from now on all the owner's.

        :raises OSError: EFAULT for what is no object
        """
        if address <= ZERO_SIZE_PTR:
            return 0
        if address in self._kernel.kfence:
            return self._kernel.kfence.ksize(address)
        if address in self._large:
            return self._large[address]
        if (cache := self._dense.get(address)) is not None:
            return cache.ksize
        raise PageFault(address)

    def requested(self, address: int) -> int:
        """The bytes that may be used at *address* as far as its owner knows."""
        found = self._kernel.kfence.object_at(address)
        if found is not None and not found.freed and found.address == address:
            return self.ksize(address) if found.whole else found.size
        return self.ksize(address)

    def krealloc(self, address: int, size: int) -> int:
        """``krealloc()``.

        :raises OSError: ENOMEM; what was there stays
        """
        if size == 0:
            self.kfree(address)
            return ZERO_SIZE_PTR
        if address <= ZERO_SIZE_PTR:
            return self.kmalloc(size)
        have = self.ksize(address)
        if have >= size:
            return address
        new = self.kmalloc(size)
        self._memory.write(new, self._memory.read(address, have))
        self.kfree(address)
        return new

    def string(self, text: bytes) -> int:
        """``kstrdup()``: *text* and its NUL.

        :raises OSError: ENOMEM
        """
        address = self.kmalloc(len(text) + 1)
        self._memory.write(address, text + b"\0")
        return address

    # Caches

    def create(self, name: str, size: int, alignment: int, ctor: int, address: int, flags: int = 0) -> KmemCache:
        """``kmem_cache_create()``; *address* is where its structure lies.

        :raises OSError: EINVAL for objects that are too large
        :raises ZeroDivisionError: for objects of no size
        """
        cache = KmemCache(name, size, calculate_alignment(flags, alignment, size), ctor, address, flags)
        self.caches[address] = cache
        return cache

    def find_mergeable(self, size: int, alignment: int, flags: int, ctor: int) -> KmemCache | None:
        """``find_mergeable()``: a cache that somebody who wants such objects can share."""
        if ctor or flags & _NEVER_MERGE:
            return None
        alignment = calculate_alignment(flags, alignment, align(size, 8))
        size = align(size, 8)
        size += -size % alignment
        for cache in reversed(self._mergeable):
            same = flags & _MERGE_SAME == cache.flags & _MERGE_SAME
            if same and 0 <= cache.size - size < 8 and cache.size % alignment == 0:
                return cache
        return None

    def share(self, cache: KmemCache, size: int) -> None:
        """One more has asked for a cache, for objects of *size* bytes."""
        cache.refcount += 1
        cache.asked = max(cache.asked, size)
        cache.object_size = max(cache.object_size, size)
        cache.inuse = max(cache.inuse, align(size, 8))

    def shareable(self, cache: KmemCache) -> None:
        """From now on, others may share a cache; the kernel does so already if it has one of its kind."""
        if cache.ctor or cache.usersize or cache.flags & _NEVER_MERGE:
            return
        self._mergeable.append(cache)
        for own in _KERNEL_CACHES.get(cache.flags & _MERGE_SAME, ()):
            size, object_size = own if isinstance(own, tuple) else (own, own)
            if size == cache.size:
                cache.refcount += 1
                cache.object_size = max(cache.object_size, object_size)
                cache.inuse = max(cache.inuse, align(object_size, 8))

    def destroy(self, cache: KmemCache, remains: Callable[[KmemCache], None]) -> None:
        """``kmem_cache_destroy()``; *remains* is told where objects are still in use."""
        cache.refcount -= 1
        if cache.refcount > 0 or cache.address not in self.caches:
            return
        if cache.objects:
            remains(cache)
            return
        if cache in self._mergeable:
            self._mergeable.remove(cache)
        self.caches.pop(cache.address, None)
        cache.free.clear()
        while cache.slabs:
            slab = cache.slabs.pop()
            if slab.page:
                self._memory.free_pages(slab.page)
                self._memory.used -= len(slab.objects) * _BOOKKEEPING
            else:
                self._kernel.kfence.release(slab.objects)

    def partial(self, cache: KmemCache) -> Iterator[tuple[Slab, list[int]]]:
        """The slabs of which some objects are in use and some are not, and the places in them of those that are."""
        known = set()
        for slab in cache.slabs:
            places = [place for place, address in enumerate(slab.objects) if address in cache.objects]
            known.update(slab.objects)
            if 0 < len(places) < len(slab.objects):
                yield slab, places
        # The others have been handed out one by one, and fill slabs in that order.
        others = iter(sorted(cache.objects - known))
        while objects := list(islice(others, cache.per_slab)):
            if len(objects) < cache.per_slab:
                yield Slab(objects), list(range(len(objects)))
