"""Ids: idr, ida, and radix trees, which share their nodes with arrays (:mod:`.xarray`)."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sysfsd.kernel.err import err
from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.exports.xarray import CHUNK_MASK, FREE_MARK, MARK_SHIFT, TRACK_FREE, Xas

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("idr", "lib/idr.c, lib/radix-tree.c")

_INT_MAX: Final = (1 << 31) - 1
_U32: Final = (1 << 32) - 1
_U64: Final = (1 << 64) - 1

_ITER_TAG_MASK: Final = 0x0F
_ITER_TAGGED: Final = 0x10
_ITER_CONTIG: Final = 0x20


# idr: an array in which places are taken that hold NULL; a node counts what is taken.


def _taken(xas: Xas) -> bool:
    return not xas.node & 3 and not xas.get_mark(FREE_MARK)


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
    xas = Xas(kernel, root.address, max(first - base, 0))
    xas.find_marked(last - base, FREE_MARK)
    if xas.node == 3 or xas.index > last - base:
        raise err(errno.ENOSPC)
    xas.create(True)
    xas.set(xas.place(), ptr)
    xas.clear_mark(FREE_MARK)
    xas.update_node(1, ptr & 1)
    return xas.index + base


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
    first = max(idr["idr_next"], start & _U32)
    last = end - 1 if end > 0 else _INT_MAX
    try:
        id = _alloc(kernel, idr, ptr, first, last)
    except OSError:
        if first <= start:
            raise
        id = _alloc(kernel, idr, ptr, start, last)
    idr["idr_next"] = id + 1
    return id


def _at(kernel: Kernel, idr: StructView, id: int) -> Xas:
    return Xas(kernel, idr.at("idr_rt"), id - idr["idr_base"] & _U64)


@export("void *idr_find(const struct idr *idr, unsigned long id)")
def idr_find(kernel: Kernel, idr: StructView, id: int) -> int:
    return _at(kernel, idr, id).load()


def _delete(xas: Xas, entry: int) -> None:
    """``__radix_tree_delete()``."""
    xas.init_marks()
    xas.set(xas.place(), 0)
    xas.update_node(-1, -(entry & 1))


@export("void *idr_remove(struct idr *idr, unsigned long id)")
def idr_remove(kernel: Kernel, idr: StructView, id: int) -> int:
    xas = _at(kernel, idr, id)
    entry = xas.load()
    if _taken(xas):
        _delete(xas, entry)
    return entry


@export("void *idr_replace(struct idr *idr, void *ptr, unsigned long id)")
def idr_replace(kernel: Kernel, idr: StructView, ptr: int, id: int) -> int:
    xas = _at(kernel, idr, id)
    entry = xas.load()
    if not _taken(xas):
        raise err(errno.ENOENT)
    xas.set(xas.place(), ptr)
    xas.update_node(0, (ptr & 1) - (entry & 1))
    return entry


def _entries(kernel: Kernel, root: int, first: int = 0, mark: int | None = None) -> Iterator[Xas]:
    """The places of all entries from an index on; the tree may change meanwhile."""
    index = first
    while index <= _U64:
        xas = Xas(kernel, root, index)
        if not (xas.find(_U64) if mark is None else xas.find_marked(_U64, mark)):
            return
        yield xas
        index = xas.index + 1


@export("int idr_for_each(const struct idr *idr, int (*fn)(int, void *, void *), void *data)")
def idr_for_each(kernel: Kernel, idr: StructView, fn: int, data: int) -> int:
    base = idr["idr_base"]
    for xas in _entries(kernel, idr.at("idr_rt")):
        result = kernel.cpu.call(fn, xas.index + base, xas.get(xas.place()), data)
        if result:
            return result
    return 0


def _get_next(kernel: Kernel, idr: StructView, first: int) -> tuple[int, int]:
    """The first entry from an id on: the id, and the entry (0 if there is none)."""
    base = idr["idr_base"]
    for xas in _entries(kernel, idr.at("idr_rt"), max(first - base, 0)):
        return xas.index + base, xas.get(xas.place())
    return 0, 0


@export("void *idr_get_next(struct idr *idr, int *nextid)")
def idr_get_next(kernel: Kernel, idr: StructView, nextid: int) -> int:
    id, entry = _get_next(kernel, idr, kernel.memory.read_int(nextid, 4, True) & _U64)
    if not entry or id > _INT_MAX:
        return 0
    kernel.memory.write_int(nextid, id)
    return entry


@export("void *idr_get_next_ul(struct idr *idr, unsigned long *nextid)")
def idr_get_next_ul(kernel: Kernel, idr: StructView, nextid: int) -> int:
    id, entry = _get_next(kernel, idr, kernel.memory.read_pointer(nextid))
    if entry:
        kernel.memory.write_pointer(nextid, id)
    return entry


@export("void idr_destroy(struct idr *idr)")
def idr_destroy(kernel: Kernel, idr: StructView) -> None:
    Xas(kernel, idr.at("idr_rt")).destroy()


@export("void idr_preload(gfp_t gfp_mask)")
def idr_preload(kernel: Kernel, gfp_mask: int) -> None:
    """What ends it, inlined in the module, enables preemption again."""
    kernel.sched.preempt_count += 1


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
        if xas.node == 3 or xas.index > last // _BITMAP_BITS:
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
    root = ida.at("xa")
    for xas in _entries(kernel, root):
        kernel.slab.kfree(xas.get(xas.place()))
    Xas(kernel, root).destroy()


# Radix trees


@export("int radix_tree_insert(struct xarray *root, unsigned long index, void *item)")
def radix_tree_insert(kernel: Kernel, root: StructView, index: int, item: int) -> int:
    xas = Xas(kernel, root.address, index)
    if xas.load():
        raise err(errno.EEXIST)
    xas.store(item)
    return 0


@export("void *radix_tree_lookup(const struct xarray *root, unsigned long index)")
def radix_tree_lookup(kernel: Kernel, root: StructView, index: int) -> int:
    return Xas(kernel, root.address, index).load()


@export("void **radix_tree_lookup_slot(const struct xarray *root, unsigned long index)")
def radix_tree_lookup_slot(kernel: Kernel, root: StructView, index: int) -> int:
    xas = Xas(kernel, root.address, index)
    return xas.place() if xas.load() else 0


@export("void radix_tree_replace_slot(struct xarray *root, void **slot, void *item)")
def radix_tree_replace_slot(kernel: Kernel, root: StructView, slot: int, item: int) -> None:
    kernel.memory.write_pointer(slot, item)


@export("void *radix_tree_delete_item(struct xarray *root, unsigned long index, void *item)")
def radix_tree_delete_item(kernel: Kernel, root: StructView, index: int, item: int) -> int:
    xas = Xas(kernel, root.address, index)
    entry = xas.load()
    if xas.node & 3 or not (entry or (xas.track_free and _taken(xas))) or (item and entry != item):
        return 0
    _delete(xas, entry)
    return entry


@export("void *radix_tree_delete(struct xarray *root, unsigned long index)")
def radix_tree_delete(kernel: Kernel, root: StructView, index: int) -> int:
    return radix_tree_delete_item(kernel, root, index, 0)  # type: ignore[no-any-return]


@export("void *radix_tree_tag_set(struct xarray *root, unsigned long index, unsigned int tag)")
def radix_tree_tag_set(kernel: Kernel, root: StructView, index: int, tag: int) -> int:
    xas = Xas(kernel, root.address, index)
    entry = xas.load()
    if entry:
        xas.set_mark(tag)
    return entry


@export("void *radix_tree_tag_clear(struct xarray *root, unsigned long index, unsigned int tag)")
def radix_tree_tag_clear(kernel: Kernel, root: StructView, index: int, tag: int) -> int:
    xas = Xas(kernel, root.address, index)
    entry = xas.load()
    if entry:
        xas.clear_mark(tag)
    return entry


@export("int radix_tree_tag_get(const struct xarray *root, unsigned long index, unsigned int tag)")
def radix_tree_tag_get(kernel: Kernel, root: StructView, index: int, tag: int) -> bool:
    xas = Xas(kernel, root.address, index)
    return bool(xas.load()) and xas.get_mark(tag)


@export("int radix_tree_tagged(const struct xarray *root, unsigned int tag)")
def radix_tree_tagged(kernel: Kernel, root: StructView, tag: int) -> int:
    """:returns: the bit itself"""
    return root["xa_flags"] & 1 << MARK_SHIFT + tag


def _gang(
    kernel: Kernel, root: StructView, results: int, first_index: int, max_items: int, mark: int | None, slots: bool
) -> int:
    found = 0
    if max_items:
        for xas in _entries(kernel, root.address, first_index, mark):
            kernel.memory.write_pointer(results + 8 * found, xas.place() if slots else xas.get(xas.place()))
            found += 1
            if found == max_items:
                break
    return found


@export(
    "unsigned int radix_tree_gang_lookup(const struct xarray *root, void **results, unsigned long first_index,"
    " unsigned int max_items)"
)
def radix_tree_gang_lookup(kernel: Kernel, root: StructView, results: int, first_index: int, max_items: int) -> int:
    return _gang(kernel, root, results, first_index, max_items, None, False)


@export(
    "unsigned int radix_tree_gang_lookup_tag(const struct xarray *root, void **results, unsigned long first_index,"
    " unsigned int max_items, unsigned int tag)"
)
def radix_tree_gang_lookup_tag(
    kernel: Kernel, root: StructView, results: int, first_index: int, max_items: int, tag: int
) -> int:
    return _gang(kernel, root, results, first_index, max_items, tag, False)


@export(
    "unsigned int radix_tree_gang_lookup_tag_slot(const struct xarray *root, void ***results,"
    " unsigned long first_index, unsigned int max_items, unsigned int tag)"
)
def radix_tree_gang_lookup_tag_slot(
    kernel: Kernel, root: StructView, results: int, first_index: int, max_items: int, tag: int
) -> int:
    return _gang(kernel, root, results, first_index, max_items, tag, True)


@export("void **radix_tree_next_chunk(const struct xarray *root, struct radix_tree_iter *iter, unsigned int flags)")
def radix_tree_next_chunk(kernel: Kernel, root: StructView, iter: StructView, flags: int) -> int:
    """The rest of a node; the module's own code goes through it."""
    index = iter["next_index"]
    if not index and iter["index"]:
        return 0
    xas = Xas(kernel, root.address, index)
    if flags & _ITER_CONTIG:
        if not xas.load():
            return 0
    elif not (xas.find_marked(_U64, flags & _ITER_TAG_MASK) if flags & _ITER_TAGGED else xas.find(_U64)):
        return 0
    node = xas.node
    iter["index"], iter["node"] = xas.index, node
    iter["next_index"] = (xas.index | CHUNK_MASK) + 1 & _U64 if node else 1
    if flags & _ITER_TAGGED:
        iter["tags"] = xas.marks(node, flags & _ITER_TAG_MASK) >> xas.offset if node else 1
    return xas.place()


@export("void **radix_tree_iter_resume(void **slot, struct radix_tree_iter *iter)")
def radix_tree_iter_resume(kernel: Kernel, slot: int, iter: StructView) -> int:
    index = iter["index"] + 1 & _U64
    iter["index"] = iter["next_index"] = index
    iter["tags"] = 0
    return 0


@export("void radix_tree_iter_delete(struct xarray *root, struct radix_tree_iter *iter, void **slot)")
def radix_tree_iter_delete(kernel: Kernel, root: StructView, iter: StructView, slot: int) -> None:
    index = iter["index"]
    xas = Xas(kernel, root.address, index)
    entry = xas.load()
    if xas.node & 3:
        return
    _delete(xas, entry)
    if xas.node != iter["node"]:  # it has been freed
        iter["index"] = iter["next_index"]


@export("int radix_tree_preload(gfp_t gfp_mask)", "int radix_tree_maybe_preload(gfp_t gfp_mask)")
def radix_tree_preload(kernel: Kernel, gfp_mask: int) -> int:
    """What ends it, inlined in the module, enables preemption again."""
    kernel.sched.preempt_count += 1
    return 0
