"""What modules call of arrays of pointers by number."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.lib.xarray import (
    ALLOC_WRAPPED,
    CHUNK_SHIFT,
    FREE_MARK,
    MAX_MARKS,
    RESTART,
    RETRY_ENTRY,
    ZERO_ENTRY,
    Xas,
    is_internal,
    is_node,
    xa_error,
)

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/xarray.c")

_U64: Final = (1 << 64) - 1
_U32: Final = (1 << 32) - 1
_BITS_PER_LONG: Final = 64


def _is_advanced(entry: int) -> bool:
    return is_internal(entry) and entry <= RETRY_ENTRY


def _result(xas: Xas, entry: int) -> int:
    """``xas_result()``: reserved counts as empty."""
    if entry == ZERO_ENTRY:
        return 0
    return xas.node if xas.error else entry


def _check(xas: Xas) -> int:
    """:raises OSError: the error that it stands at"""
    if xas.error:
        raise err(xas.error)
    return 0


def _refused(kernel: Kernel, refused: bool, line: int, site: str) -> bool:
    if refused:
        kernel.traps.warn_at("lib/xarray.c", line, site=site, once=True)
    return refused


# Simple operations


@export("void *xa_load(struct xarray *xa, unsigned long index)")
def xa_load(kernel: Kernel, xa: StructView, index: int) -> int:
    entry = Xas(kernel, xa.address, index).load()
    return 0 if entry == ZERO_ENTRY else entry


@export(
    "void *xa_erase(struct xarray *xa, unsigned long index)", "void *__xa_erase(struct xarray *xa, unsigned long index)"
)
def xa_erase(kernel: Kernel, xa: StructView, index: int) -> int:
    xas = Xas(kernel, xa.address, index)
    return _result(xas, xas.store(0))


@export(
    "void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)",
    "void *__xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)",
)
def xa_store(kernel: Kernel, xa: StructView, index: int, entry: int, gfp: int) -> int:
    if _refused(kernel, _is_advanced(entry), 1548, "__xa_store+0x10c"):
        return xa_error(errno.EINVAL)
    xas = Xas(kernel, xa.address, index)
    track_free = xas.track_free
    found = xas.store(entry or (ZERO_ENTRY if track_free else 0))
    if track_free:
        xas.clear_mark(FREE_MARK)
    return _result(xas, found)


@export("void *__xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry, gfp_t gfp)")
def __xa_cmpxchg(kernel: Kernel, xa: StructView, index: int, old: int, entry: int, gfp: int) -> int:
    if _refused(kernel, _is_advanced(entry), 1614, "__xa_cmpxchg+0x78"):
        return xa_error(errno.EINVAL)
    xas = Xas(kernel, xa.address, index)
    found = xas.load()
    if found == old:
        xas.store(entry)
        if xas.track_free and entry and not found:
            xas.clear_mark(FREE_MARK)
    return _result(xas, found)


@export("int __xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)")
def __xa_insert(kernel: Kernel, xa: StructView, index: int, entry: int, gfp: int) -> int:
    if _refused(kernel, _is_advanced(entry), 1651, "__xa_insert+0x101"):
        raise err(errno.EINVAL)
    xas = Xas(kernel, xa.address, index)
    if xas.load():
        raise err(errno.EBUSY)
    xas.store(entry or ZERO_ENTRY)
    if xas.track_free:
        xas.clear_mark(FREE_MARK)
    return _check(xas)


@export("void *xa_store_range(struct xarray *xa, unsigned long first, unsigned long last, void *entry, gfp_t gfp)")
def xa_store_range(kernel: Kernel, xa: StructView, first: int, last: int, entry: int, gfp: int) -> int:
    if _refused(kernel, is_internal(entry), 1726, "xa_store_range+0x295") or last < first:
        return xa_error(errno.EINVAL)
    xas = Xas(kernel, xa.address)
    if entry:
        end = last + 1
        xas.set_order(last, (end & -end).bit_length() - 1 if end <= _U64 else _BITS_PER_LONG)
        xas.create(True)
    while first <= last and not xas.error:
        xas.set_range(first, last)
        size = xas.sibs + 1 << xas.shift
        xas.store(entry)
        first += size
    return _result(xas, 0)


def _alloc(kernel: Kernel, xa: StructView, id: int, entry: int, first: int, last: int) -> None:
    if _refused(kernel, _is_advanced(entry), 1833, "__xa_alloc+0x126"):
        raise err(errno.EINVAL)
    xas = Xas(kernel, xa.address, first)
    if _refused(kernel, not xas.track_free, 1835, "__xa_alloc+0x12f"):
        raise err(errno.EINVAL)
    xas.find_marked(last, FREE_MARK)
    if xas.node == RESTART:
        raise err(errno.EBUSY)
    kernel.memory.write_int(id, xas.index)
    xas.store(entry or ZERO_ENTRY)
    xas.clear_mark(FREE_MARK)
    _check(xas)


# struct xa_limit comes in one register: max, then min.


@export("int __xa_alloc(struct xarray *xa, u32 *id, void *entry, u64 limit, gfp_t gfp)")
def __xa_alloc(kernel: Kernel, xa: StructView, id: int, entry: int, limit: int, gfp: int) -> int:
    _alloc(kernel, xa, id, entry, limit >> 32, limit & _U32)
    return 0


@export("int __xa_alloc_cyclic(struct xarray *xa, u32 *id, void *entry, u64 limit, u32 *next, gfp_t gfp)")
def __xa_alloc_cyclic(kernel: Kernel, xa: StructView, id: int, entry: int, limit: int, next: int, gfp: int) -> int:
    """:returns: 1 if the ids have begun anew"""
    memory = kernel.memory
    lowest, last = limit >> 32, limit & _U32
    first = max(lowest, memory.read_int(next))
    wrapped = 0
    try:
        _alloc(kernel, xa, id, entry, first, last)
        if xa["xa_flags"] & ALLOC_WRAPPED:
            xa["xa_flags"] &= ~ALLOC_WRAPPED
            wrapped = 1
    except OSError:
        if first <= lowest:
            raise
        _alloc(kernel, xa, id, entry, lowest, last)
        wrapped = 1
    following = memory.read_int(id) + 1 & _U32
    memory.write_int(next, following)
    if not following:
        xa["xa_flags"] |= ALLOC_WRAPPED
    return wrapped


@export("void xa_destroy(struct xarray *xa)")
def xa_destroy(kernel: Kernel, xa: StructView) -> None:
    Xas(kernel, xa.address).destroy()


@export("void xa_delete_node(struct xa_node *node, void (*update)(struct xa_node *))")
def xa_delete_node(kernel: Kernel, node: StructView, update: int) -> None:
    shift = node["shift"] + CHUNK_SHIFT
    xas = Xas(kernel, node["array"], node["offset"] << shift)
    xas.shift, xas.offset, xas.node, xas.update = (shift, node["offset"], node["parent"], update)
    xas.store(0)


# Looking for entries


def _next_entry(xas: Xas, last: int, filter: int) -> int:
    """The next one that is not just reserved."""
    while True:
        entry = xas.find_marked(last, filter) if filter < MAX_MARKS else xas.find(last)
        if entry != ZERO_ENTRY:
            return entry


@export("void *xa_find(struct xarray *xa, unsigned long *indexp, unsigned long max, unsigned int filter)")
def xa_find(kernel: Kernel, xa: StructView, indexp: int, max: int, filter: int) -> int:
    xas = Xas(kernel, xa.address, kernel.memory.read_pointer(indexp))
    entry = _next_entry(xas, max, filter)
    if entry:
        kernel.memory.write_pointer(indexp, xas.index)
    return entry


@export("void *xa_find_after(struct xarray *xa, unsigned long *indexp, unsigned long max, unsigned int filter)")
def xa_find_after(kernel: Kernel, xa: StructView, indexp: int, max: int, filter: int) -> int:
    index = kernel.memory.read_pointer(indexp) + 1
    if index > _U64:
        return 0
    xas = Xas(kernel, xa.address, index)
    entry = _next_entry(xas, max, filter)
    while not xas.invalid and xas.within:
        entry = _next_entry(xas, max, filter)
    if entry:
        kernel.memory.write_pointer(indexp, xas.index)
    return entry


@export(
    "unsigned int xa_extract(struct xarray *xa, void **dst, unsigned long start, unsigned long max, unsigned int n,"
    " unsigned int filter)"
)
def xa_extract(kernel: Kernel, xa: StructView, dst: int, start: int, max: int, n: int, filter: int) -> int:
    xas = Xas(kernel, xa.address, start)
    found = 0
    while found < n and (entry := _next_entry(xas, max, filter)):
        kernel.memory.write_pointer(dst + 8 * found, entry)
        found += 1
    return found


@export("int xa_get_order(struct xarray *xa, unsigned long index)")
def xa_get_order(kernel: Kernel, xa: StructView, index: int) -> int:
    xas = Xas(kernel, xa.address, index)
    return xas.order() if xas.load() else 0


# Marks


@export("bool xa_get_mark(struct xarray *xa, unsigned long index, unsigned int mark)")
def xa_get_mark(kernel: Kernel, xa: StructView, index: int, mark: int) -> bool:
    xas = Xas(kernel, xa.address, index)
    entry = xas.start()
    while xas.get_mark(mark):
        if not is_node(entry):
            return True
        entry = xas.descend(entry - 2)
    return False


@export(
    "void xa_set_mark(struct xarray *xa, unsigned long index, unsigned int mark)",
    "void __xa_set_mark(struct xarray *xa, unsigned long index, unsigned int mark)",
)
def xa_set_mark(kernel: Kernel, xa: StructView, index: int, mark: int) -> None:
    xas = Xas(kernel, xa.address, index)
    if xas.load():
        xas.set_mark(mark)


@export(
    "void xa_clear_mark(struct xarray *xa, unsigned long index, unsigned int mark)",
    "void __xa_clear_mark(struct xarray *xa, unsigned long index, unsigned int mark)",
)
def xa_clear_mark(kernel: Kernel, xa: StructView, index: int, mark: int) -> None:
    xas = Xas(kernel, xa.address, index)
    if xas.load():
        xas.clear_mark(mark)


# With a state of the caller's


@contextmanager
def _given(kernel: Kernel, view: StructView) -> Iterator[Xas]:
    """The caller's ``struct xa_state``, as :class:`Xas` for the time of a call."""
    xas = Xas.of(kernel, view)
    yield xas
    xas.store_to(view)


@export("void *xas_load(struct xa_state *xas)")
def xas_load(kernel: Kernel, xas: StructView) -> int:
    with _given(kernel, xas) as state:
        return state.load()


@export("void *xas_store(struct xa_state *xas, void *entry)")
def xas_store(kernel: Kernel, xas: StructView, entry: int) -> int:
    with _given(kernel, xas) as state:
        return state.store(entry)


@export("void xas_create_range(struct xa_state *xas)")
def xas_create_range(kernel: Kernel, xas: StructView) -> None:
    with _given(kernel, xas) as state:
        state.create_range()


@export("void xas_split_alloc(struct xa_state *xas, void *entry, unsigned int order, gfp_t gfp)")
def xas_split_alloc(kernel: Kernel, xas: StructView, entry: int, order: int, gfp: int) -> None:
    with _given(kernel, xas) as state:
        state.split_alloc(entry, order)


@export("void xas_split(struct xa_state *xas, void *entry, unsigned int order)")
def xas_split(kernel: Kernel, xas: StructView, entry: int, order: int) -> None:
    with _given(kernel, xas) as state:
        state.split(entry, order)


@export("void *xas_find(struct xa_state *xas, unsigned long max)")
def xas_find(kernel: Kernel, xas: StructView, max: int) -> int:
    with _given(kernel, xas) as state:
        return state.find(max)


@export("void *xas_find_marked(struct xa_state *xas, unsigned long max, unsigned int mark)")
def xas_find_marked(kernel: Kernel, xas: StructView, max: int, mark: int) -> int:
    with _given(kernel, xas) as state:
        return state.find_marked(max, mark)


@export("void *xas_find_conflict(struct xa_state *xas)")
def xas_find_conflict(kernel: Kernel, xas: StructView) -> int:
    with _given(kernel, xas) as state:
        return state.find_conflict()


@export("int xas_get_order(struct xa_state *xas)")
def xas_get_order(kernel: Kernel, xas: StructView) -> int:
    return Xas.of(kernel, xas).order()


@export("bool xas_nomem(struct xa_state *xas, gfp_t gfp)")
def xas_nomem(kernel: Kernel, xas: StructView, gfp: int) -> bool:
    with _given(kernel, xas) as state:
        return state.nomem()


@export("void xas_pause(struct xa_state *xas)")
def xas_pause(kernel: Kernel, xas: StructView) -> None:
    with _given(kernel, xas) as state:
        state.pause()


@export("void *__xas_next(struct xa_state *xas)")
def __xas_next(kernel: Kernel, xas: StructView) -> int:
    with _given(kernel, xas) as state:
        return state.beside(1)


@export("void *__xas_prev(struct xa_state *xas)")
def __xas_prev(kernel: Kernel, xas: StructView) -> int:
    with _given(kernel, xas) as state:
        return state.beside(-1)


@export("bool xas_get_mark(const struct xa_state *xas, unsigned int mark)")
def xas_get_mark(kernel: Kernel, xas: StructView, mark: int) -> bool:
    return Xas.of(kernel, xas).get_mark(mark)


@export("void xas_set_mark(const struct xa_state *xas, unsigned int mark)")
def xas_set_mark(kernel: Kernel, xas: StructView, mark: int) -> None:
    Xas.of(kernel, xas).set_mark(mark)


@export("void xas_clear_mark(const struct xa_state *xas, unsigned int mark)")
def xas_clear_mark(kernel: Kernel, xas: StructView, mark: int) -> None:
    Xas.of(kernel, xas).clear_mark(mark)


@export("void xas_init_marks(const struct xa_state *xas)")
def xas_init_marks(kernel: Kernel, xas: StructView) -> None:
    Xas.of(kernel, xas).init_marks()
