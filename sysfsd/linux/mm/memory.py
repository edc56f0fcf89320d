"""The kernel's address space.

Each area of it is one reserved piece of this process's own memory, so that an address is an offset into a buffer and
what nothing has written costs nothing. A page can be reached only while it is present; the processor and the rest of
the kernel model go by the same page table. Follows Documentation/x86/x86_64/mm.rst and mm/vmalloc.c.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import struct
from bisect import bisect_left
from copy import copy
from typing import Final

from sysfsd.linux.err import err

__all__ = [
    "DIRECT_MAP",
    "KERNEL_IMAGE",
    "MODULES_LEN",
    "MODULES_VADDR",
    "PAGE_SIZE",
    "STRUCT_PAGE",
    "VMALLOC_START",
    "VMEMMAP",
    "Area",
    "Memory",
    "PageFault",
    "Prot",
    "VmArea",
    "align",
]

PAGE_SIZE: Final = 4096
PAGE_SHIFT: Final = 12
KERNEL_IMAGE: Final = 0xFFFFFFFF80000000
KERNEL_IMAGE_LEN: Final = 80 << 20
MODULES_VADDR: Final = 0xFFFFFFFFC0000000
MODULES_LEN: Final = 0xFFFFFFFFFF000000 - MODULES_VADDR
DIRECT_MAP: Final = 0xFFFF888000000000
DIRECT_MAP_LEN: Final = 1 << 30
VMALLOC_START: Final = 0xFFFFC90000000000
VMALLOC_LEN: Final = 1 << 30
VMEMMAP: Final = 0xFFFFEA0000000000
#: ``sizeof(struct page)``: one for each page (bytes).
STRUCT_PAGE: Final = 64
#: Bytes that all modules together may have allocated; what asks for more gets none.
MEMORY_LIMIT: Final = 512 << 20

_MAP_NORESERVE: Final = 0x4000
_STACK_OFFSET: Final = 127 * PAGE_SIZE
#: More than this is not worth looking at page by page (bytes).
_FEW: Final = 16 * PAGE_SIZE
#: No two areas share a piece of the address space of this size.
_SPAN_SHIFT: Final = 30
_PAGE_MASK: Final = PAGE_SIZE - 1
_U64: Final = (1 << 64) - 1
_POINTER: Final = struct.Struct("<Q")


class Prot:
    """What a page may be used for; nothing: it is not present. Plain integers: they are looked at at every access."""

    NONE: Final = 0
    READ: Final = 1
    WRITE: Final = 2
    EXEC: Final = 4
    #: There is no memory behind it, but nothing of a device either: what is written is lost.
    IO: Final = 8
    RW: Final = READ | WRITE
    RX: Final = READ | EXEC


class PageFault(OSError):
    """An access to memory that is not there, or not for that use: EFAULT, and where it was.

    :param address: the first byte that cannot be reached
    :param offset: of the instruction within the kernel function that cannot reach it
    """

    def __init__(self, address: int, write: bool = False, offset: int = 0) -> None:
        super().__init__(errno.EFAULT, os.strerror(errno.EFAULT))
        self.address = address & _U64
        self.write = write
        self.offset = offset


def align(value: int, alignment: int) -> int:
    """*value* rounded up to a multiple of *alignment*, which is a power of two."""
    return (value + alignment - 1) & -alignment


class Shootdowns:
    """What the processor remembers of the page tables, and how often it has had reason to forget it."""

    def __init__(self) -> None:
        self.count = 0
        #: Pages whose rights it has looked up since it last forgot.
        self.known: set[int] = set()

    def lost(self, address: int, size: int) -> None:
        """Pages have lost rights."""
        if size > _FEW or not self.known.isdisjoint(range(address & -PAGE_SIZE, address + size, PAGE_SIZE)):
            self.count += 1


class Area:
    """A range of kernel addresses and the memory behind it (``base``, ``size`` in bytes); no page is present at first.

    :param physical: the physical address of its first byte, as the processor sees it
    """

    def __init__(self, base: int, size: int, physical: int = 0, shootdowns: Shootdowns | None = None) -> None:
        self.base = base
        self.size = size
        self.physical = physical
        self.shootdowns = shootdowns or Shootdowns()
        self.buffer = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE)
        self.view = memoryview(self.buffer)
        #: The page table: a :class:`Prot` for each page.
        self.prot = bytearray(align(size, PAGE_SIZE) >> PAGE_SHIFT)

    def alias(self, base: int) -> Area:
        """The same memory at another address."""
        other = copy(self)
        other.base = base
        return other

    @property
    def host_address(self) -> int:
        """Where the memory lies in this process."""
        return ctypes.addressof(ctypes.c_char.from_buffer(self.buffer))

    def set_prot(self, address: int, size: int, prot: int) -> None:
        """``set_memory_*()``: what all pages in the range may be used for."""
        first = (address - self.base) >> PAGE_SHIFT
        count = (align(address - self.base + size, PAGE_SIZE) >> PAGE_SHIFT) - first
        lost = any(old & ~prot for old in set(self.prot[first : first + count]))
        self.prot[first : first + count] = bytes((prot,)) * count
        if lost:
            self.shootdowns.lost(address, size)

    def present(self, offset: int, size: int, prot: int = Prot.READ) -> bool:
        """Whether all pages of a range may be used for *prot*."""
        first, last = offset >> PAGE_SHIFT, (offset + size - 1) >> PAGE_SHIFT
        table = self.prot
        if first == last:
            return table[first] & prot == prot
        return all(entry & prot == prot for entry in set(table[first : last + 1]))

    def clear(self, address: int, size: int) -> None:
        """Make the pages that lie wholly in the range zero again and give their memory back."""
        first, last = align(address - self.base, PAGE_SIZE), (address - self.base + size) & -PAGE_SIZE
        if last > first:
            self.buffer.madvise(mmap.MADV_DONTNEED, first, last - first)


class VmArea(Area):
    """An area handed out by pages, lowest address first, each piece with a guard page behind it (mm/vmalloc.c)."""

    def __init__(self, base: int, size: int, physical: int = 0, shootdowns: Shootdowns | None = None) -> None:
        super().__init__(base, size, physical, shootdowns)
        self._holes: list[tuple[int, int]] = [(0, size)]
        self._pieces: dict[int, int] = {}
        #: Pieces without a guard page.
        self._unguarded: set[int] = set()

    def alloc(self, size: int, alignment: int = PAGE_SIZE, prot: int = Prot.RW) -> int:
        """``__vmalloc_node_range()``: zeroed pages for *size* bytes.

        :returns: the address, a multiple of *alignment*
        :raises OSError: ENOMEM if there is no hole of that size
        """
        need = align(size, PAGE_SIZE) + PAGE_SIZE
        for index, (start, length) in enumerate(self._holes):
            at = align(start, alignment)
            if at + need <= start + length:
                rest = [(start, at - start), (at + need, start + length - at - need)]
                self._holes[index : index + 1] = [hole for hole in rest if hole[1]]
                self._pieces[at] = need
                if prot and need > PAGE_SIZE:
                    self.set_prot(self.base + at, need - PAGE_SIZE, prot)
                return self.base + at
        raise err(errno.ENOMEM)

    def free(self, address: int) -> int:
        """``vfree()`` of an address that :meth:`alloc` returned.

        :returns: the bytes that it had, its guard page not counted
        :raises KeyError: if nothing is allocated there
        """
        start = address - self.base
        size = self._usable(start)
        length = self._pieces.pop(start)
        self._unguarded.discard(start)
        self.clear(address, length)
        self.set_prot(address, length, Prot.NONE)
        index = bisect_left(self._holes, (start,))
        if index < len(self._holes) and self._holes[index][0] == start + length:
            length += self._holes.pop(index)[1]
        if index and sum(self._holes[index - 1]) == start:
            index -= 1
            start, before = self._holes.pop(index)
            length += before
        self._holes.insert(index, (start, length))
        return size

    def split(self, address: int) -> None:
        """Make each page of a piece one of its own; there is one guard page, behind the last."""
        start = address - self.base
        need = self._pieces.pop(start)
        last = start + need - 2 * PAGE_SIZE
        for at in range(start, last, PAGE_SIZE):
            self._pieces[at] = PAGE_SIZE
            self._unguarded.add(at)
        self._pieces[last] = 2 * PAGE_SIZE

    def piece(self, address: int) -> int | None:
        """The bytes of the piece that begins at *address*, its guard page not counted."""
        start = address - self.base
        return self._usable(start) if start in self._pieces else None

    def _usable(self, start: int) -> int:
        """The bytes of a piece, its guard page not counted."""
        return self._pieces[start] - (0 if start in self._unguarded else PAGE_SIZE)


class Memory:
    """All areas of one kernel, and access to what lies in them by kernel address.

    :param limit: bytes that may be allocated in all, modules' own not counted
    """

    def __init__(self, limit: int = MEMORY_LIMIT) -> None:
        self.shootdowns = shootdowns = Shootdowns()
        self.direct_map = VmArea(DIRECT_MAP, DIRECT_MAP_LEN, 0, shootdowns)
        self.kernel_image = Area(KERNEL_IMAGE, KERNEL_IMAGE_LEN, 4 << 30, shootdowns)
        self.modules = VmArea(MODULES_VADDR, MODULES_LEN, 8 << 30, shootdowns)
        self.vmalloc_area = VmArea(VMALLOC_START, VMALLOC_LEN, 12 << 30, shootdowns)
        pages = (self.vmalloc_area.physical + VMALLOC_LEN) >> PAGE_SHIFT
        self.vmemmap = Area(VMEMMAP, pages * STRUCT_PAGE, 16 << 30, shootdowns)
        for area in (self.direct_map, self.vmalloc_area):
            first = VMEMMAP + (area.physical >> PAGE_SHIFT) * STRUCT_PAGE
            self.vmemmap.set_prot(first, (area.size >> PAGE_SHIFT) * STRUCT_PAGE, Prot.RW)
        self.areas: tuple[Area, ...] = (
            self.direct_map,
            self.kernel_image,
            self.modules,
            self.vmalloc_area,
            self.vmemmap,
        )
        # Pages of vmalloc() are in the direct map, too.
        alias = self.vmalloc_area.alias(DIRECT_MAP + self.vmalloc_area.physical)
        self._by_span = {area.base >> _SPAN_SHIFT: area for area in (*self.areas, alias)}
        # Tasks' stacks lie here, and the processor's cache of translations goes by the lowest bits of a page's number:
        # those of stacks are not to be those of modules' first pages, which are in use together with them.
        self.vmalloc_area.alloc(_STACK_OFFSET, prot=Prot.NONE)
        self.limit = limit
        self.used = 0

    def area(self, address: int) -> Area | None:
        """The area that *address* lies in."""
        area = self._by_span.get(address >> _SPAN_SHIFT)
        return area if area is not None and address - area.base < area.size else None

    def view(self, address: int, size: int, prot: int = Prot.READ) -> memoryview:
        """The memory itself, writable.

        :raises OSError: EFAULT (:class:`PageFault`) where the range does not lie within one area, or not all of it may
            be used for *prot*
        """
        area = self._by_span.get(address >> _SPAN_SHIFT)
        if area is not None:
            offset = address - area.base
            if size > 0 and offset + size <= area.size:
                if area.present(offset, size, prot):
                    return area.view[offset : offset + size]
            elif size == 0 and offset <= area.size:
                return area.view[offset:offset]
        raise PageFault(self._first_fault(address, size, prot), bool(prot & Prot.WRITE))

    def _first_fault(self, address: int, size: int, prot: int) -> int:
        """The first address of a range that may not be used for *prot*."""
        area = self.area(address)
        if area is None or size <= 0:
            return address
        at = address
        while at < min(address + size, area.base + area.size):
            if area.prot[(at - area.base) >> PAGE_SHIFT] & prot != prot:
                return at
            at = (at + PAGE_SIZE) & -PAGE_SIZE
        return at

    def read(self, address: int, size: int) -> bytes:
        return bytes(self.view(address, size))

    def write(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """:raises OSError: EFAULT where the range is not there or may not be written"""
        self.view(address, len(data), Prot.WRITE)[:] = data

    def poke(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """``text_poke()``: write what nobody else may."""
        self.view(address, len(data))[:] = data

    def read_int(self, address: int, size: int = 4, signed: bool = False) -> int:
        area = self._by_span.get(address >> _SPAN_SHIFT)
        if area is not None:
            offset = address - area.base
            if offset & _PAGE_MASK <= PAGE_SIZE - size and offset < area.size and area.prot[offset >> PAGE_SHIFT] & 1:
                return int.from_bytes(area.view[offset : offset + size], "little", signed=signed)
        return int.from_bytes(self.view(address, size), "little", signed=signed)

    def write_int(self, address: int, value: int, size: int = 4) -> None:
        data = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
        area = self._by_span.get(address >> _SPAN_SHIFT)
        if area is not None:
            offset = address - area.base
            if offset & _PAGE_MASK <= PAGE_SIZE - size and offset < area.size and area.prot[offset >> PAGE_SHIFT] & 2:
                area.view[offset : offset + size] = data
                return
        self.view(address, size, Prot.WRITE)[:] = data

    def read_pointer(self, address: int) -> int:
        area = self._by_span.get(address >> _SPAN_SHIFT)
        if area is not None:
            offset = address - area.base
            if offset & _PAGE_MASK <= PAGE_SIZE - 8 and offset < area.size and area.prot[offset >> PAGE_SHIFT] & 1:
                return int(_POINTER.unpack_from(area.buffer, offset)[0])
        return int.from_bytes(self.view(address, 8), "little")

    def write_pointer(self, address: int, value: int) -> None:
        area = self._by_span.get(address >> _SPAN_SHIFT)
        if area is not None:
            offset = address - area.base
            if offset & _PAGE_MASK <= PAGE_SIZE - 8 and offset < area.size and area.prot[offset >> PAGE_SHIFT] & 2:
                _POINTER.pack_into(area.buffer, offset, value & _U64)
                return
        _POINTER.pack_into(self.view(address, 8, Prot.WRITE), 0, value & _U64)

    def read_string(self, address: int, limit: int = PAGE_SIZE) -> bytes:
        """The string at *address* without its NUL, at most *limit* bytes of it.

        :raises OSError: EFAULT where the memory ends before the string does
        """
        area = self.area(address)
        if area is None:
            raise PageFault(address)
        start = address - area.base
        end = area.buffer.find(b"\0", start, min(start + limit, area.size))
        last = end if end >= 0 else start + limit - 1
        if last >= area.size or not area.present(start, last - start + 1):
            raise PageFault(self._first_fault(address, last - start + 1, Prot.READ))
        return bytes(area.view[start : end if end >= 0 else start + limit])

    # Pages

    def charge(self, size: int) -> None:
        """Account for *size* bytes.

        :raises OSError: ENOMEM beyond the limit
        """
        if self.used + size > self.limit:
            raise err(errno.ENOMEM)
        self.used += size

    def alloc_pages(self, size: int, alignment: int = PAGE_SIZE) -> int:
        """Zeroed pages of the direct map for *size* bytes, with nothing behind them.

        :raises OSError: ENOMEM
        """
        size = align(size, PAGE_SIZE)
        self.charge(size)
        try:
            return self.direct_map.alloc(size, alignment)
        except OSError:
            self.used -= size
            raise

    def free_pages(self, address: int) -> None:
        """:raises KeyError: for an address that :meth:`alloc_pages` did not return"""
        self.used -= self.direct_map.free(address)

    def vmalloc(self, size: int) -> int:
        """``vmalloc()``: zeroed pages somewhere.

        :raises OSError: ENOMEM
        """
        size = align(size, PAGE_SIZE)
        self.charge(size)
        try:
            return self.vmalloc_area.alloc(size)
        except OSError:
            self.used -= size
            raise

    def vfree(self, address: int) -> None:
        """:raises KeyError: for an address that :meth:`vmalloc` did not return"""
        self.used -= self.vmalloc_area.free(address)
