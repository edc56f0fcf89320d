"""The kernel's address space: where module images, vmalloc and kmalloc memory live.

Each area is one reserved piece of this process's own memory, so that an address is an offset into a buffer and what
nothing has written costs nothing. Follows Documentation/x86/x86_64/mm.rst, mm/vmalloc.c and mm/slab_common.c.
"""

from __future__ import annotations

import errno
import mmap
import struct
from bisect import bisect_left, bisect_right
from typing import Final

from sysfsd.kernel.err import err

__all__ = ["MODULES_LEN", "MODULES_VADDR", "PAGE_SIZE", "Area", "Memory", "VmArea", "align"]

PAGE_SIZE: Final = 4096
MODULES_VADDR: Final = 0xFFFFFFFFC0000000
MODULES_LEN: Final = 0xFFFFFFFFFF000000 - MODULES_VADDR
DIRECT_MAP: Final = 0xFFFF888000000000
DIRECT_MAP_LEN: Final = 1 << 30

_MAP_NORESERVE: Final = 0x4000
_KMALLOC_MIN: Final = 8


def align(value: int, alignment: int) -> int:
    """*value* rounded up to a multiple of *alignment*, which is a power of two."""
    return (value + alignment - 1) & -alignment


class Area:
    """A range of kernel addresses and the memory behind it (``base``, ``size`` in bytes)."""

    def __init__(self, base: int, size: int) -> None:
        self.base = base
        self.size = size
        self.buffer = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE)
        self.view = memoryview(self.buffer)

    def clear(self, address: int, size: int) -> None:
        """Make the pages that lie wholly in the range zero again and give their memory back."""
        first, last = align(address - self.base, PAGE_SIZE), (address - self.base + size) & -PAGE_SIZE
        if last > first:
            self.buffer.madvise(mmap.MADV_DONTNEED, first, last - first)


class VmArea(Area):
    """An area handed out by pages, lowest address first, each piece with a guard page behind it (mm/vmalloc.c)."""

    def __init__(self, base: int, size: int) -> None:
        super().__init__(base, size)
        self._holes: list[tuple[int, int]] = [(0, size)]
        self._pieces: dict[int, int] = {}

    def alloc(self, size: int) -> int:
        """``__vmalloc_node_range()``: zeroed pages for *size* bytes.

        :returns: the address
        :raises OSError: ENOMEM if there is no hole of that size
        """
        need = align(size, PAGE_SIZE) + PAGE_SIZE
        for index, (start, length) in enumerate(self._holes):
            if length >= need:
                if length == need:
                    del self._holes[index]
                else:
                    self._holes[index] = (start + need, length - need)
                self._pieces[start] = need
                return self.base + start
        raise err(errno.ENOMEM)

    def free(self, address: int) -> None:
        """``vfree()`` of an address that :meth:`alloc` returned."""
        start = address - self.base
        length = self._pieces.pop(start)
        self.clear(address, length)
        index = bisect_left(self._holes, (start,))
        if index < len(self._holes) and self._holes[index][0] == start + length:
            length += self._holes.pop(index)[1]
        if index and sum(self._holes[index - 1]) == start:
            index -= 1
            start, before = self._holes.pop(index)
            length += before
        self._holes.insert(index, (start, length))


class Memory:
    """All areas of one kernel, and access to what lies in them by kernel address."""

    def __init__(self) -> None:
        self.modules = VmArea(MODULES_VADDR, MODULES_LEN)
        self.direct_map = Area(DIRECT_MAP, DIRECT_MAP_LEN)
        self._areas: list[Area] = sorted((self.modules, self.direct_map), key=lambda area: area.base)
        self._bases = [area.base for area in self._areas]
        self._slabs: dict[int, list[int]] = {}
        self._objects: dict[int, int] = {}
        self._next_page = DIRECT_MAP

    def _area(self, address: int) -> Area:
        """The area that *address* lies in.

        :raises OSError: EFAULT where there is none
        """
        index = bisect_right(self._bases, address) - 1
        if index >= 0 and address - self._bases[index] <= self._areas[index].size:
            return self._areas[index]
        raise err(errno.EFAULT)

    def view(self, address: int, size: int) -> memoryview:
        """The memory itself, writable.

        :raises OSError: EFAULT where the range does not lie within one area
        """
        area = self._area(address)
        offset = address - area.base
        if size < 0 or offset + size > area.size:
            raise err(errno.EFAULT)
        return area.view[offset : offset + size]

    def read(self, address: int, size: int) -> bytes:
        return bytes(self.view(address, size))

    def write(self, address: int, data: bytes | bytearray) -> None:
        self.view(address, len(data))[:] = data

    def read_int(self, address: int, size: int = 4, signed: bool = False) -> int:
        return int.from_bytes(self.view(address, size), "little", signed=signed)

    def write_int(self, address: int, value: int, size: int = 4) -> None:
        self.view(address, size)[:] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")

    def read_pointer(self, address: int) -> int:
        return self.read_int(address, 8)

    def write_pointer(self, address: int, value: int) -> None:
        struct.pack_into("<Q", self.view(address, 8), 0, value)

    def read_string(self, address: int, limit: int = PAGE_SIZE) -> bytes:
        """The string at *address* without its NUL, at most *limit* bytes of it.

        :raises OSError: EFAULT where the memory ends before the string does
        """
        area = self._area(address)
        offset = address - area.base
        if offset == area.size:
            raise err(errno.EFAULT)
        end = area.buffer.find(b"\0", offset, offset + limit)
        return bytes(area.view[offset : end if end >= 0 else min(offset + limit, area.size)])

    # kmalloc

    def kmalloc(self, size: int) -> int:
        """Memory for *size* bytes from the cache of the next power of two; not cleared.

        :raises OSError: ENOMEM when the direct map is used up
        """
        object_size = max(_KMALLOC_MIN, 1 << (size - 1).bit_length())
        free = self._slabs.setdefault(object_size, [])
        if not free:
            slab_size = max(object_size, PAGE_SIZE)
            page = align(self._next_page, min(slab_size, 1 << 22))
            if page + slab_size > DIRECT_MAP + DIRECT_MAP_LEN:
                raise err(errno.ENOMEM)
            self._next_page = page + slab_size
            free.extend(range(page + slab_size - object_size, page - 1, -object_size))
        address = free.pop()
        self._objects[address] = object_size
        return address

    def kfree(self, address: int) -> None:
        """Free what :meth:`kmalloc` returned; the NULL pointer is fine.

        :raises KeyError: if nothing is allocated at *address*
        """
        if address:
            self._slabs[self._objects.pop(address)].append(address)
