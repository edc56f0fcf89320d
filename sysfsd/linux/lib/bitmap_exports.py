"""Sets of bits."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.mm.memory import PAGE_SIZE

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("lib/bitmap.c")

BITS_PER_LONG: Final = 64

#: The longest mask that is read (bytes).
_PARSE_MAX: Final = 1 << 22

_U64: Final = (1 << 64) - 1


def _words(bits: int) -> int:
    """``BITS_TO_LONGS()``, in bytes."""
    return -(-bits // BITS_PER_LONG) * 8


def _all(kernel: Kernel, address: int, bits: int) -> int:
    """A bitmap as a number; whole words of it, what lies behind its last bit included."""
    return int.from_bytes(kernel.memory.read(address, _words(bits)), "little") if bits > 0 else 0


def bitmap_bits(kernel: Kernel, address: int, bits: int) -> int:
    """A bitmap as a number, without what lies behind its last bit."""
    return _all(kernel, address, bits) & (1 << max(bits, 0)) - 1


def _put(kernel: Kernel, address: int, value: int, bits: int) -> None:
    """Store whole words."""
    if bits > 0:
        kernel.memory.write(address, (value & (1 << 8 * _words(bits)) - 1).to_bytes(_words(bits), "little"))


# Finding


def lowest_bit(value: int, bits: int, start: int = 0) -> int:
    """The first bit that is set from *start* on, *bits* where there is none."""
    value = value >> start << start
    return min((value & -value).bit_length() - 1, bits) if value else bits


# Sets


def _binary(name: str, combine: Callable[[int, int], int], returns: str = "void") -> None:
    """``dst = combine(bitmap1, bitmap2)``; what returns something says whether anything is left."""

    @export(
        f"{returns} {name}(unsigned long *dst, const unsigned long *bitmap1, const unsigned long *bitmap2,"
        " unsigned int bits)"
    )
    def combined(kernel: Kernel, dst: int, bitmap1: int, bitmap2: int, bits: int) -> bool:
        value = combine(_all(kernel, bitmap1, bits), _all(kernel, bitmap2, bits))
        if returns == "bool" and bits % BITS_PER_LONG:
            value &= (1 << bits) - 1
        _put(kernel, dst, value, bits)
        return bool(value & (1 << bits) - 1)


_binary("__bitmap_and", lambda a, b: a & b, "bool")

_binary("__bitmap_andnot", lambda a, b: a & ~b, "bool")

_binary("__bitmap_or", lambda a, b: a | b)

_binary("__bitmap_xor", lambda a, b: a ^ b)


def _compare(name: str, holds: Callable[[int, int], bool], returns: str = "bool") -> None:
    @export(f"{returns} {name}(const unsigned long *bitmap1, const unsigned long *bitmap2, unsigned int bits)")
    def compare(kernel: Kernel, bitmap1: int, bitmap2: int, bits: int) -> int:
        return holds(bitmap_bits(kernel, bitmap1, bits), bitmap_bits(kernel, bitmap2, bits))


_compare("__bitmap_equal", lambda a, b: a == b)

_compare("__bitmap_intersects", lambda a, b: bool(a & b))

_compare("__bitmap_subset", lambda a, b: not a & ~b)


@export(
    "unsigned int __bitmap_weight_and(const unsigned long *bitmap1, const unsigned long *bitmap2, unsigned int bits)"
)
def __bitmap_weight_and(kernel: Kernel, bitmap1: int, bitmap2: int, bits: int) -> int:
    return (bitmap_bits(kernel, bitmap1, bits) & bitmap_bits(kernel, bitmap2, bits)).bit_count()


@export("unsigned int __bitmap_weight(const unsigned long *bitmap, unsigned int bits)")
def __bitmap_weight(kernel: Kernel, bitmap: int, bits: int) -> int:
    return bitmap_bits(kernel, bitmap, bits).bit_count()


@export("void __bitmap_complement(unsigned long *dst, const unsigned long *src, unsigned int bits)")
def __bitmap_complement(kernel: Kernel, dst: int, src: int, bits: int) -> None:
    _put(kernel, dst, ~_all(kernel, src, bits), bits)


@export(
    "void __bitmap_replace(unsigned long *dst, const unsigned long *old, const unsigned long *new,"
    " const unsigned long *mask, unsigned int nbits)"
)
def __bitmap_replace(kernel: Kernel, dst: int, old: int, new: int, mask: int, nbits: int) -> None:
    chosen = _all(kernel, mask, nbits)
    _put(kernel, dst, _all(kernel, old, nbits) & ~chosen | _all(kernel, new, nbits) & chosen, nbits)


@export(
    "void __bitmap_shift_right(unsigned long *dst, const unsigned long *src, unsigned int shift, unsigned int nbits)"
)
def __bitmap_shift_right(kernel: Kernel, dst: int, src: int, shift: int, nbits: int) -> None:
    _put(kernel, dst, bitmap_bits(kernel, src, nbits) >> shift, nbits)


@export(
    "void __bitmap_shift_left(unsigned long *dst, const unsigned long *src, unsigned int shift, unsigned int nbits)"
)
def __bitmap_shift_left(kernel: Kernel, dst: int, src: int, shift: int, nbits: int) -> None:
    _put(kernel, dst, _all(kernel, src, nbits) << min(shift, nbits + BITS_PER_LONG), nbits)


@export(
    "void bitmap_cut(unsigned long *dst, const unsigned long *src, unsigned int first, unsigned int cut,"
    " unsigned int nbits)"
)
def bitmap_cut(kernel: Kernel, dst: int, src: int, first: int, cut: int, nbits: int) -> None:
    value = _all(kernel, src, nbits)
    kept = value & (1 << first) - 1
    _put(kernel, dst, kept | value >> first + cut << first, nbits)


def _change(kernel: Kernel, address: int, start: int, length: int, change: Callable[[int, int], int]) -> None:
    """Change a range of bits, and touch no word besides."""
    if length <= 0:
        return
    first = start // BITS_PER_LONG
    at = address + 8 * first
    size = _words(start + length) - 8 * first
    value = int.from_bytes(kernel.memory.read(at, size), "little")
    mask = ((1 << length) - 1) << (start - first * BITS_PER_LONG)
    kernel.memory.write(at, change(value, mask).to_bytes(size, "little"))


@export("void __bitmap_set(unsigned long *map, unsigned int start, int len)")
def __bitmap_set(kernel: Kernel, map: int, start: int, len: int) -> None:
    _change(kernel, map, start, len, lambda value, mask: value | mask)


@export("void __bitmap_clear(unsigned long *map, unsigned int start, int len)")
def __bitmap_clear(kernel: Kernel, map: int, start: int, len: int) -> None:
    _change(kernel, map, start, len, lambda value, mask: value & ~mask)


# Areas


def _zero_area(value: int, size: int, start: int, nr: int, align_mask: int, align_offset: int) -> int:
    """Where *nr* bits in a row are clear; more than *size* where none are."""
    while True:
        index = lowest_bit(~value, size, start) if start < size else size
        index = ((index + align_offset + align_mask) & ~align_mask & _U64) - align_offset
        end = index + nr
        if end > size:
            return end
        taken = lowest_bit(value, end, index) if index < end else end
        if taken >= end:
            return index
        start = taken + 1


@export(
    "unsigned long bitmap_find_next_zero_area_off(unsigned long *map, unsigned long size, unsigned long start,"
    " unsigned int nr, unsigned long align_mask, unsigned long align_offset)"
)
def bitmap_find_next_zero_area_off(
    kernel: Kernel, map: int, size: int, start: int, nr: int, align_mask: int, align_offset: int
) -> int:
    return _zero_area(bitmap_bits(kernel, map, size), size, start, nr, align_mask, align_offset)


@export("int bitmap_find_free_region(unsigned long *bitmap, unsigned int bits, int order)")
def bitmap_find_free_region(kernel: Kernel, bitmap: int, bits: int, order: int) -> int:
    value, length = bitmap_bits(kernel, bitmap, bits), 1 << order
    for pos in range(0, bits - length + 1, length):
        if not value >> pos & (1 << length) - 1:
            _change(kernel, bitmap, pos, length, lambda value, mask: value | mask)
            return pos
    raise err(errno.ENOMEM)


@export("void bitmap_release_region(unsigned long *bitmap, unsigned int pos, int order)")
def bitmap_release_region(kernel: Kernel, bitmap: int, pos: int, order: int) -> None:
    _change(kernel, bitmap, pos, 1 << order, lambda value, mask: value & ~mask)


@export("int bitmap_allocate_region(unsigned long *bitmap, unsigned int pos, int order)")
def bitmap_allocate_region(kernel: Kernel, bitmap: int, pos: int, order: int) -> int:
    length = 1 << order
    if bitmap_bits(kernel, bitmap, pos + length) >> pos:
        raise err(errno.EBUSY)
    _change(kernel, bitmap, pos, length, lambda value, mask: value | mask)
    return 0


# Memory


@export(
    "unsigned long *bitmap_alloc(unsigned int nbits, gfp_t flags)",
    "unsigned long *bitmap_alloc_node(unsigned int nbits, gfp_t flags, int node)",
    "unsigned long *bitmap_zalloc(unsigned int nbits, gfp_t flags)",
    "unsigned long *bitmap_zalloc_node(unsigned int nbits, gfp_t flags, int node)",
)
def bitmap_zalloc(kernel: Kernel, nbits: int, *_: int) -> int:
    try:
        return kernel.slab.kmalloc(_words(nbits))
    except OSError:
        return 0


@export("void bitmap_free(const unsigned long *bitmap)")
def bitmap_free(kernel: Kernel, bitmap: int) -> None:
    kernel.slab.kfree(bitmap)


# As other things


@export("void bitmap_from_arr32(unsigned long *bitmap, const u32 *buf, unsigned int nbits)")
def bitmap_from_arr32(kernel: Kernel, bitmap: int, buf: int, nbits: int) -> None:
    size = -(-nbits // 32) * 4
    value = int.from_bytes(kernel.memory.read(buf, size), "little") if size else 0
    _put(kernel, bitmap, value & (1 << nbits) - 1, nbits)


@export("void bitmap_to_arr32(u32 *buf, const unsigned long *bitmap, unsigned int nbits)")
def bitmap_to_arr32(kernel: Kernel, buf: int, bitmap: int, nbits: int) -> None:
    size = -(-nbits // 32) * 4
    kernel.memory.write(buf, bitmap_bits(kernel, bitmap, nbits).to_bytes(_words(nbits), "little")[:size])


def _as_list(value: int) -> str:
    """``%*pbl``: ``0-3,7``."""
    digits = f"{value:b}"[::-1]
    return ",".join(
        str(run.start()) if run.end() - run.start() == 1 else f"{run.start()}-{run.end() - 1}"
        for run in re.finditer("1+", digits)
    )


def _as_mask(value: int, bits: int) -> str:
    """``%*pb``: ``0f,ffffffff``."""
    first = -(-(bits % 32 or 32) // 4) if bits else 0
    groups = -(-bits // 32)
    return ",".join(
        f"{value >> 32 * i & 0xFFFFFFFF:0{first if i == groups - 1 else 8}x}" for i in range(groups - 1, -1, -1)
    )


@export("int bitmap_print_to_pagebuf(bool list, char *buf, const unsigned long *maskp, int nmaskbits)")
def bitmap_print_to_pagebuf(kernel: Kernel, list: bool, buf: int, maskp: int, nmaskbits: int) -> int:
    value = bitmap_bits(kernel, maskp, nmaskbits)
    text = (_as_list(value) if list else _as_mask(value, nmaskbits)) + "\n"
    room = PAGE_SIZE - buf % PAGE_SIZE
    data = text.encode()[: room - 1]
    kernel.memory.write(buf, data + b"\0")
    return len(data)


#: ``3``, ``0-7``, ``0-31:2/8``, ``N-1``, ``all``.
_REGION: Final = re.compile(
    rb"(?:(?P<all>all)|(?P<start>\d+|N)(?:-(?P<end>\d+|N))?)(?::(?P<used>\d+)/(?P<group>\d+))?", re.IGNORECASE
)


@export("int bitmap_parselist(const char *buf, unsigned long *maskp, int nmaskbits)")
def bitmap_parselist(kernel: Kernel, buf: bytes, maskp: int, nmaskbits: int) -> int:
    """:raises OSError: EINVAL for what is no list, ERANGE for a bit that there is not"""
    value = 0
    last = nmaskbits - 1
    for part in re.split(rb"[,\s]+", buf.strip(b" \t\n\v\f\r,")):
        if not part:
            continue
        match = _REGION.fullmatch(part)
        if match is None:
            raise err(errno.EINVAL)
        start, end = 0, last
        if not match["all"]:
            start = last if match["start"] in (b"N", b"n") else int(match["start"])
            end = start if match["end"] is None else last if match["end"] in (b"N", b"n") else int(match["end"])
        group = int(match["group"]) if match["group"] else end - start + 1
        used = int(match["used"]) if match["used"] else group
        if start > end or group == 0 or used > group:
            raise err(errno.EINVAL)
        if end > last:
            raise err(errno.ERANGE)
        for at in range(start, end + 1, group):
            value |= ((1 << min(used, end - at + 1)) - 1) << at
    _put(kernel, maskp, value, nmaskbits)
    return 0


@export("int bitmap_parse(char const *start, unsigned int buflen, unsigned long *maskp, int nmaskbits)")
def bitmap_parse(kernel: Kernel, start: int, buflen: int, maskp: int, nmaskbits: int) -> int:
    """Groups of up to eight digits: ``ff,00000001``.

    :raises OSError: EINVAL for what is no mask, EOVERFLOW for a bit that there is not
    """
    text = kernel.memory.read_string(start, min(buflen, _PARSE_MAX)) if buflen else b""
    groups = [group for group in re.split(rb"[,\s\xa0]+", text.partition(b"\n")[0]) if group]
    value = 0
    for place, group in enumerate(reversed(groups)):
        if 32 * place >= nmaskbits:
            raise err(errno.EOVERFLOW)
        if not re.fullmatch(rb"[0-9a-fA-F]+", group[-8:]):
            raise err(errno.EINVAL)
        if len(group) > 8:
            raise err(errno.EOVERFLOW if re.match(rb"[0-9a-fA-F]", group[-9:]) else errno.EINVAL)
        value |= int(group, 16) << 32 * place
    if value >> nmaskbits:
        raise err(errno.EOVERFLOW)
    _put(kernel, maskp, value, nmaskbits)
    return 0
