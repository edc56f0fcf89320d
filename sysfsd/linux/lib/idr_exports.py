"""Ids: idr, a radix tree, and ida, an array of bitmaps."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.lib.radix_tree import RadixTree
from sysfsd.linux.lib.xarray import FREE_MARK, MARK_SHIFT, RESTART, TRACK_FREE, Xas

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/idr.c")

_INT_MAX: Final = (1 << 31) - 1

_U32: Final = (1 << 32) - 1
_U64: Final = (1 << 64) - 1
_SIGN: Final = 1 << 31


def _alloc(kernel: Kernel, idr: StructView, ptr: int, first: int, last: int) -> int:
    """``idr_alloc_u32()``: the lowest free id in a range.

    :raises OSError: ENOSPC
    """
    root = idr.sub("idr_rt")
    base = idr["idr_base"]
    if not root["xa_flags"] & TRACK_FREE:
        kernel.traps.warn_at("lib/idr.c", 41, site="idr_alloc_u32+0xe3", once=True)
        root["xa_flags"] |= TRACK_FREE | 1 << MARK_SHIFT + FREE_MARK
    if last < base:
        raise err(errno.ENOSPC)
    place = RadixTree(kernel, root.address, max(first - base, 0))
    place.take_free(ptr, last - base)
    return place.index + base


@export("int idr_alloc_u32(struct idr *idr, void *ptr, u32 *nextid, unsigned long max, gfp_t gfp)")
def idr_alloc_u32(kernel: Kernel, idr: StructView, ptr: int, nextid: int, max: int, gfp: int) -> int:
    kernel.memory.write_int(nextid, _alloc(kernel, idr, ptr, kernel.memory.read_int(nextid), max))
    return 0


@export("int idr_alloc(struct idr *idr, void *ptr, int start, int end, gfp_t gfp)")
def idr_alloc(kernel: Kernel, idr: StructView, ptr: int, start: int, end: int, gfp: int) -> int:
    if start < 0:
        kernel.traps.warn_at("lib/idr.c", 86, site="idr_alloc+0x57", once=True)
        raise err(errno.EINVAL)
    return _alloc(kernel, idr, ptr, start, end - 1 if end > 0 else _INT_MAX)


@export("int idr_alloc_cyclic(struct idr *idr, void *ptr, int start, int end, gfp_t gfp)")
def idr_alloc_cyclic(kernel: Kernel, idr: StructView, ptr: int, start: int, end: int, gfp: int) -> int:
    first = idr["idr_next"]
    if (first ^ _SIGN) - _SIGN < start:
        first = start
    last = end - 1 if end > 0 else _INT_MAX
    try:
        id = _alloc(kernel, idr, ptr, first, last)
    except OSError as error:
        if error.errno != errno.ENOSPC or first <= start & _U32:
            raise
        id = _alloc(kernel, idr, ptr, start & _U32, last)
    idr["idr_next"] = id + 1
    return id


def _at(kernel: Kernel, idr: StructView, id: int) -> RadixTree:
    return RadixTree(kernel, idr.at("idr_rt"), id - idr["idr_base"] & _U64)


@export("void *idr_find(const struct idr *idr, unsigned long id)")
def idr_find(kernel: Kernel, idr: StructView, id: int) -> int:
    return _at(kernel, idr, id).load()


@export("void *idr_remove(struct idr *idr, unsigned long id)")
def idr_remove(kernel: Kernel, idr: StructView, id: int) -> int:
    place = _at(kernel, idr, id)
    entry = place.load()
    if place.taken:
        place.remove(entry)
    return entry


@export("void *idr_replace(struct idr *idr, void *ptr, unsigned long id)")
def idr_replace(kernel: Kernel, idr: StructView, ptr: int, id: int) -> int:
    place = _at(kernel, idr, id)
    entry = place.load()
    if not place.taken:
        raise err(errno.ENOENT)
    place.set(place.place(), ptr)
    place.update_node(0, (ptr & 1) - (entry & 1))
    return entry


@export("int idr_for_each(const struct idr *idr, int (*fn)(int, void *, void *), void *data)")
def idr_for_each(kernel: Kernel, idr: StructView, fn: int, data: int) -> int:
    base = idr["idr_base"]
    for place in RadixTree.entries(kernel, idr.at("idr_rt")):
        id = place.index + base
        if id > _INT_MAX:
            kernel.traps.warn_at("lib/idr.c", 208, site="idr_for_each+0xda", once=True)
            break
        result = kernel.cpu.call(fn, id, place.get(place.place()), data)
        if result:
            return result
    return 0


def _get_next(kernel: Kernel, idr: StructView, first: int) -> tuple[int, int]:
    """The first entry from an id on: the id, and the entry; the id as it was, and 0, where there is none."""
    base = idr["idr_base"]
    for place in RadixTree.entries(kernel, idr.at("idr_rt"), max(first - base, 0)):
        return place.index + base & _U64, place.get(place.place())
    return first, 0


@export("void *idr_get_next(struct idr *idr, int *nextid)")
def idr_get_next(kernel: Kernel, idr: StructView, nextid: int) -> int:
    id, entry = _get_next(kernel, idr, kernel.memory.read_int(nextid, 4, True) & _U64)
    if id > _INT_MAX:
        kernel.traps.warn_at("lib/idr.c", 271, site="idr_get_next+0x50", once=True)
        return 0
    kernel.memory.write_int(nextid, id)
    return entry


@export("void *idr_get_next_ul(struct idr *idr, unsigned long *nextid)")
def idr_get_next_ul(kernel: Kernel, idr: StructView, nextid: int) -> int:
    id, entry = _get_next(kernel, idr, kernel.memory.read_pointer(nextid))
    if entry:
        kernel.memory.write_pointer(nextid, id)
    return entry


# ida: a bitmap for each 1024 ids

_BITMAP_BITS: Final = 1024

_FULL: Final = (1 << _BITMAP_BITS) - 1


def _bitmap(kernel: Kernel, address: int) -> int:
    return int.from_bytes(kernel.memory.read(address, _BITMAP_BITS // 8), "little") if address else 0


def _set_bitmap(kernel: Kernel, address: int, bits: int) -> None:
    kernel.memory.write(address, bits.to_bytes(_BITMAP_BITS // 8, "little"))


@export("int ida_alloc_range(struct ida *ida, unsigned int min, unsigned int max, gfp_t gfp)")
def ida_alloc_range(kernel: Kernel, ida: StructView, min: int, max: int, gfp: int) -> int:
    if min > _INT_MAX:
        raise err(errno.ENOSPC)
    last = max if max <= _INT_MAX else _INT_MAX
    index, first = divmod(min, _BITMAP_BITS)
    while True:
        xas = Xas(kernel, ida.at("xa"), index)
        entry = xas.find_marked(last // _BITMAP_BITS, FREE_MARK)
        if xas.node == RESTART or xas.index > last // _BITMAP_BITS:
            raise err(errno.ENOSPC)
        if xas.index > index:
            first = 0
        index = xas.index
        bits = _bitmap(kernel, entry)
        free = ~bits >> first << first
        bit = (free & -free).bit_length() - 1
        if bit < _BITMAP_BITS:
            break
        index, first = index + 1, 0
    if index * _BITMAP_BITS + bit > last:
        raise err(errno.ENOSPC)
    bits |= 1 << bit
    if not entry:
        entry = kernel.slab.kmalloc(_BITMAP_BITS // 8)
        xas.store(entry)
    _set_bitmap(kernel, entry, bits)
    if bits == _FULL:
        xas.clear_mark(FREE_MARK)
    return index * _BITMAP_BITS + bit


@export("void ida_free(struct ida *ida, unsigned int id)")
def ida_free(kernel: Kernel, ida: StructView, id: int) -> None:
    if id > _INT_MAX:
        return
    index, bit = divmod(id, _BITMAP_BITS)
    xas = Xas(kernel, ida.at("xa"), index)
    entry = xas.load()
    bits = _bitmap(kernel, entry)
    if not bits >> bit & 1:
        message = f"ida_free called for id={id} which is not allocated."
        kernel.traps.warn_at("lib/idr.c", 527, message, "ida_free+0xe2")
        return
    bits &= ~(1 << bit)
    xas.set_mark(FREE_MARK)
    _set_bitmap(kernel, entry, bits)
    if not bits:
        kernel.slab.kfree(entry)
        xas.store(0)


@export("void ida_destroy(struct ida *ida)")
def ida_destroy(kernel: Kernel, ida: StructView) -> None:
    xas = Xas(kernel, ida.at("xa"))
    while entry := xas.find(_U64):
        kernel.slab.kfree(entry)
    xas.destroy()
