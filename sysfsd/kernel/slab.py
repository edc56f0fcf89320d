"""Objects of a size: kmalloc() and caches (mm/slab_common.c, mm/slub.c)."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sysfsd.kernel.err import err
from sysfsd.kernel.memory import DIRECT_MAP, KERNEL_IMAGE, PAGE_SIZE, STRUCT_PAGE, VMEMMAP, PageFault, align

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel

__all__ = ["KMALLOC_MAX_CACHE_SIZE", "KMALLOC_MAX_SIZE", "ZERO_SIZE_PTR", "KmemCache", "SlabAllocator"]

#: What kmalloc(0) returns.
ZERO_SIZE_PTR: Final = 16
#: Beyond it, kmalloc() takes whole pages; beyond the other, nothing (bytes).
KMALLOC_MAX_CACHE_SIZE: Final = 8192
KMALLOC_MAX_SIZE: Final = 4 << 20
#: Where kfree() reads an object's struct page.
_KFREE_PAGE: Final = 0x4B
_KMALLOC_SIZES: Final = (8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192)


@dataclass(eq=False)
class KmemCache:
    """``struct kmem_cache``: a kind of objects."""

    name: str
    object_size: int
    alignment: int = 8
    ctor: int = 0
    #: Where the structure that stands for it lies, if module code has it.
    address: int = 0
    #: Objects in use.
    objects: set[int] = field(default_factory=set)
    free: list[int] = field(default_factory=list)
    #: Pages that hold objects side by side.
    slabs: list[int] = field(default_factory=list)


def kmalloc_size(size: int) -> int:
    """``kmalloc_size_roundup()``: the bytes that an object for *size* bytes has."""
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
        return self.alloc(self._kmalloc_caches[kmalloc_size(size)], size)

    def alloc(self, cache: KmemCache, size: int | None = None) -> int:
        """An object of *cache*, of which *size* bytes were asked for.

        :raises OSError: ENOMEM
        """
        address = 0
        if cache.object_size <= PAGE_SIZE:
            address = self._kernel.kfence.alloc(cache, cache.object_size if size is None else size)
        if not address:
            address = self._alloc_dense(cache)
        cache.objects.add(address)
        return address

    def _alloc_dense(self, cache: KmemCache) -> int:
        """An object among others of its kind, without guard pages."""
        if not cache.free:
            step = align(cache.object_size, cache.alignment)
            slab = max(align(step, PAGE_SIZE), 8 * PAGE_SIZE if step < PAGE_SIZE else 0)
            page = self._memory.alloc_pages(slab, max(PAGE_SIZE, cache.alignment))
            cache.slabs.append(page)
            cache.free.extend(range(page + (slab // step - 1) * step, page - 1, -step))
        address = cache.free.pop()
        self._memory.write(address, bytes(cache.object_size))
        self._dense[address] = cache
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
        elif address in self._large:
            del self._large[address]
            self._memory.free_pages(address)
        elif (cache := self._dense.pop(address, None)) is not None:
            cache.objects.discard(address)
            cache.free.append(address)
        else:
            self._invalid_free(address)

    def _invalid_free(self, address: int) -> None:
        """What is no object of any cache has no struct page that says which one it is of."""
        start = DIRECT_MAP if address < KERNEL_IMAGE else KERNEL_IMAGE
        page = VMEMMAP + ((address - start & (1 << 64) - 1) >> 12) * STRUCT_PAGE
        raise PageFault(page + 8, offset=_KFREE_PAGE)

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
            return cache.object_size
        raise PageFault(address)

    def requested(self, address: int) -> int:
        """The bytes that may be used at *address* as far as its owner knows."""
        found = self._kernel.kfence.object_at(address)
        if found is not None and not found.freed and found.address == address:
            return found.object_size if found.whole else found.size
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

    def create(self, name: str, size: int, alignment: int, ctor: int, address: int) -> KmemCache:
        """``kmem_cache_create()``; *address* is where its structure lies."""
        cache = KmemCache(name, size, max(8, alignment), ctor, address)
        self.caches[address] = cache
        return cache

    def destroy(self, cache: KmemCache, remains: Callable[[KmemCache], None]) -> None:
        """``kmem_cache_destroy()``; *remains* is told where objects are still in use."""
        if cache.objects:
            remains(cache)
            return
        self.caches.pop(cache.address, None)
        cache.free.clear()
        while cache.slabs:
            self._memory.free_pages(cache.slabs.pop())
