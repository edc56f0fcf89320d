"""Sets of bits."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.lib.cmdline import SPACE
from sysfsd.linux.mm.memory import PAGE_SIZE
from sysfsd.linux.mm.util_exports import memdup_user_nul

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("lib/bitmap.c")

BITS_PER_LONG: Final = 64

#: The longest mask that is read (bytes).
_PARSE_MAX: Final = 1 << 22

_U32: Final = (1 << 32) - 1
_U64: Final = (1 << 64) - 1

_DIGITS: Final = re.compile(rb"\d+")
#: What is between the parts of a list.
_BETWEEN: Final = SPACE + b","


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


def nth_bit(value: int, bits: int, n: int) -> int:
    """Which bit is set as the one of that number, from 0 on; *bits* where there are not so many."""
    for _ in range(n):
        value &= value - 1
    return lowest_bit(value, bits)


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


def _print_to_buf(kernel: Kernel, text: str, buf: int, off: int, count: int) -> int:
    """``memory_read_from_buffer()`` of a text, its NUL included.

    :raises OSError: EINVAL
    """
    if off < 0:
        raise err(errno.EINVAL)
    part = (text.encode() + b"\n\0")[off : off + count]
    kernel.memory.write(buf, part)
    return len(part)


@export("int bitmap_print_list_to_buf(char *buf, const unsigned long *maskp, int nmaskbits, loff_t off, size_t count)")
def bitmap_print_list_to_buf(kernel: Kernel, buf: int, maskp: int, nmaskbits: int, off: int, count: int) -> int:
    return _print_to_buf(kernel, _as_list(bitmap_bits(kernel, maskp, nmaskbits)), buf, off, count)


@export(
    "int bitmap_print_bitmask_to_buf(char *buf, const unsigned long *maskp, int nmaskbits, loff_t off, size_t count)"
)
def bitmap_print_bitmask_to_buf(kernel: Kernel, buf: int, maskp: int, nmaskbits: int, off: int, count: int) -> int:
    return _print_to_buf(kernel, _as_mask(bitmap_bits(kernel, maskp, nmaskbits), nmaskbits), buf, off, count)


class _List:
    """A list of bits: ``3``, ``0-7``, ``0-31:2/8``, ``N-1``, ``all``; N is the last bit that there is."""

    def __init__(self, text: bytes, bits: int) -> None:
        self._text = text.partition(b"\n")[0]
        self._bits = bits
        self._last = bits - 1 & _U32
        self._at = 0

    def _number(self) -> int:
        """:raises OSError: EINVAL, EOVERFLOW"""
        if self._text[self._at : self._at + 1] == b"N":
            self._at += 1
            return self._last
        match = _DIGITS.match(self._text, self._at)
        if match is None:
            raise err(errno.EINVAL)
        self._at = match.end()
        number = int(match[0])
        if number > _U32:
            raise err(errno.EOVERFLOW)
        return number

    def _at_end(self) -> bool:
        return self._at == len(self._text) or self._text[self._at] in _BETWEEN

    def _expect(self, char: bytes) -> None:
        if self._text[self._at : self._at + 1] != char:
            raise err(errno.EINVAL)
        self._at += 1

    def region(self) -> int | None:
        """The bits of the next part; None at the end.

        :raises OSError: EINVAL for what is no list, ERANGE for a bit that there is not, EOVERFLOW
        """
        self._at = len(self._text) - len(self._text[self._at :].lstrip(_BETWEEN))
        if self._at == len(self._text):
            return None
        start, end = 0, self._last
        if self._text[self._at : self._at + 3].lower() == b"all":
            self._at += 3
        else:
            start = end = self._number()
            if not self._at_end():
                self._expect(b"-")
                end = self._number()
            else:
                return self._checked(start, end, end + 1, end + 1)
        if self._at_end():
            return self._checked(start, end, end + 1, end + 1)
        self._expect(b":")
        used = self._number()
        self._expect(b"/")
        return self._checked(start, end, used, self._number())

    def _checked(self, start: int, end: int, used: int, group: int) -> int:
        if start > end or not group & _U32 or used > group:
            raise err(errno.EINVAL)
        if end >= self._bits & _U32:
            raise err(errno.ERANGE)
        bits = 0
        for at in range(start, end + 1, group):
            bits |= ((1 << min(used, end - at + 1)) - 1) << at
        return bits


@export("int bitmap_parselist(const char *buf, unsigned long *maskp, int nmaskbits)")
def bitmap_parselist(kernel: Kernel, buf: bytes, maskp: int, nmaskbits: int) -> int:
    """What is right of the list is stored, even if what follows is wrong.

    :raises OSError: EINVAL for what is no list, ERANGE for a bit that there is not, EOVERFLOW
    """
    value = 0
    regions = _List(buf, nmaskbits)
    try:
        while (bits := regions.region()) is not None:
            value |= bits
    finally:
        _put(kernel, maskp, value, nmaskbits)
    return 0


def _with_user_text(kernel: Kernel, ubuf: int, ulen: int, parse: Callable[[bytes], int]) -> int:
    """:raises OSError: EFAULT, ENOMEM, or what the parser raises"""
    copy = memdup_user_nul(kernel, ubuf, ulen)
    try:
        return parse(kernel.memory.read_string(copy, ulen))
    finally:
        kernel.slab.kfree(copy)


@export("int bitmap_parselist_user(char const *ubuf, unsigned int ulen, unsigned long *maskp, int nmaskbits)")
def bitmap_parselist_user(kernel: Kernel, ubuf: int, ulen: int, maskp: int, nmaskbits: int) -> int:
    return _with_user_text(kernel, ubuf, ulen, lambda text: bitmap_parselist(kernel, text, maskp, nmaskbits))


@export("int bitmap_parse_user(char const *ubuf, unsigned int ulen, unsigned long *maskp, int nmaskbits)")
def bitmap_parse_user(kernel: Kernel, ubuf: int, ulen: int, maskp: int, nmaskbits: int) -> int:
    return _with_user_text(kernel, ubuf, ulen, lambda text: _parse_mask(kernel, text, maskp, nmaskbits))


def _ordinal(bits: int, position: int) -> int:
    """How many bits are set below one that is set itself; -1 if it is not."""
    return (bits & (1 << position) - 1).bit_count() if position >= 0 and bits >> position & 1 else -1


def _remapped(position: int, old: int, new: int, size: int) -> int:
    """To which bit of *new* one of *old* goes: to that of the same rank."""
    ordinal, weight = _ordinal(old, position), new.bit_count()
    return position if ordinal < 0 or not weight else nth_bit(new, size, ordinal % weight)


@export(
    "void bitmap_remap(unsigned long *dst, const unsigned long *src, const unsigned long *old,"
    " const unsigned long *new, unsigned int nbits)"
)
def bitmap_remap(kernel: Kernel, dst: int, src: int, old: int, new: int, nbits: int) -> None:
    if dst == src:
        return
    bits, before, after = (bitmap_bits(kernel, address, nbits) for address in (src, old, new))
    value = 0
    for position in range(nbits):
        if bits >> position & 1:
            value |= 1 << _remapped(position, before, after, nbits)
    _put(kernel, dst, value, nbits)


@export("int bitmap_bitremap(int oldbit, const unsigned long *old, const unsigned long *new, int bits)")
def bitmap_bitremap(kernel: Kernel, oldbit: int, old: int, new: int, bits: int) -> int:
    return _remapped(oldbit, bitmap_bits(kernel, old, bits), bitmap_bits(kernel, new, bits), bits)


@export("int bitmap_parse(char const *start, unsigned int buflen, unsigned long *maskp, int nmaskbits)")
def bitmap_parse(kernel: Kernel, start: int, buflen: int, maskp: int, nmaskbits: int) -> int:
    text = kernel.memory.read_string(start, min(buflen, _PARSE_MAX)) if buflen else b""
    return _parse_mask(kernel, text, maskp, nmaskbits)


def _parse_mask(kernel: Kernel, text: bytes, maskp: int, nmaskbits: int) -> int:
    """Groups of up to eight digits: ``ff,00000001``.

    :raises OSError: EINVAL for what is no mask, EOVERFLOW for a bit that there is not
    """
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
