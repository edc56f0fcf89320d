"""Finding bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.lib.bitmap_exports import BITS_PER_LONG, bitmap_bits, lowest_bit, nth_bit

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("lib/find_bit.c")


@export("unsigned long _find_first_bit(const unsigned long *addr, unsigned long size)")
def _find_first_bit(kernel: Kernel, addr: int, size: int) -> int:
    return lowest_bit(bitmap_bits(kernel, addr, size), size)


@export("unsigned long _find_first_zero_bit(const unsigned long *addr, unsigned long size)")
def _find_first_zero_bit(kernel: Kernel, addr: int, size: int) -> int:
    return lowest_bit(~bitmap_bits(kernel, addr, size), size)


@export("unsigned long _find_first_and_bit(const unsigned long *addr1, const unsigned long *addr2, unsigned long size)")
def _find_first_and_bit(kernel: Kernel, addr1: int, addr2: int, size: int) -> int:
    return lowest_bit(bitmap_bits(kernel, addr1, size) & bitmap_bits(kernel, addr2, size), size)


@export("unsigned long _find_last_bit(const unsigned long *addr, unsigned long size)")
def _find_last_bit(kernel: Kernel, addr: int, size: int) -> int:
    value = bitmap_bits(kernel, addr, size)
    return value.bit_length() - 1 if value else size


def _next(kernel: Kernel, nbits: int, start: int, combine: Callable[..., int], *addresses: int) -> int:
    """The first bit from *start* on that is set in what *combine* makes of some bitmaps."""
    if start >= nbits:
        return nbits
    skipped = start // BITS_PER_LONG * BITS_PER_LONG
    rest = nbits - skipped
    value = combine(*(bitmap_bits(kernel, address + skipped // 8, rest) for address in addresses))
    return skipped + lowest_bit(value, rest, start - skipped)


@export("unsigned long _find_next_bit(const unsigned long *addr, unsigned long nbits, unsigned long start)")
def _find_next_bit(kernel: Kernel, addr: int, nbits: int, start: int) -> int:
    return _next(kernel, nbits, start, lambda a: a, addr)


@export("unsigned long _find_next_zero_bit(const unsigned long *addr, unsigned long nbits, unsigned long start)")
def _find_next_zero_bit(kernel: Kernel, addr: int, nbits: int, start: int) -> int:
    return _next(kernel, nbits, start, lambda a: ~a, addr)


@export(
    "unsigned long _find_next_and_bit(const unsigned long *addr1, const unsigned long *addr2, unsigned long nbits,"
    " unsigned long start)"
)
def _find_next_and_bit(kernel: Kernel, addr1: int, addr2: int, nbits: int, start: int) -> int:
    return _next(kernel, nbits, start, lambda a, b: a & b, addr1, addr2)


@export(
    "unsigned long _find_next_andnot_bit(const unsigned long *addr1, const unsigned long *addr2, unsigned long nbits,"
    " unsigned long start)"
)
def _find_next_andnot_bit(kernel: Kernel, addr1: int, addr2: int, nbits: int, start: int) -> int:
    return _next(kernel, nbits, start, lambda a, b: a & ~b, addr1, addr2)


@export("unsigned long __find_nth_bit(const unsigned long *addr, unsigned long size, unsigned long n)")
def __find_nth_bit(kernel: Kernel, addr: int, size: int, n: int) -> int:
    return nth_bit(bitmap_bits(kernel, addr, size), size, min(n, size))


@export(
    "unsigned long __find_nth_and_bit(const unsigned long *addr1, const unsigned long *addr2, unsigned long size,"
    " unsigned long n)"
)
def __find_nth_and_bit(kernel: Kernel, addr1: int, addr2: int, size: int, n: int) -> int:
    return nth_bit(bitmap_bits(kernel, addr1, size) & bitmap_bits(kernel, addr2, size), size, min(n, size))


@export(
    "unsigned long __find_nth_andnot_bit(const unsigned long *addr1, const unsigned long *addr2, unsigned long size,"
    " unsigned long n)"
)
def __find_nth_andnot_bit(kernel: Kernel, addr1: int, addr2: int, size: int, n: int) -> int:
    return nth_bit(bitmap_bits(kernel, addr1, size) & ~bitmap_bits(kernel, addr2, size), size, min(n, size))


@export(
    "unsigned long find_next_clump8(unsigned long *clump, const unsigned long *addr, unsigned long size,"
    " unsigned long offset)"
)
def find_next_clump8(kernel: Kernel, clump: int, addr: int, size: int, offset: int) -> int:
    """The first byte from *offset* on in which a bit is set."""
    bits = bitmap_bits(kernel, addr, size)
    found = lowest_bit(bits, size, offset) if offset < size else size
    if found == size:
        return size
    found &= ~7
    kernel.memory.write_pointer(clump, bits >> found & 0xFF)
    return found
