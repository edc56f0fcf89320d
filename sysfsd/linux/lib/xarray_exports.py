"""Arrays of pointers by number, the ids given out by them, and radix trees.

The nodes are the kernel's own (``struct xa_node``): code that is inlined in modules walks them. Entries of several
indices at once are followed, but not made.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.linux.arch.x86.traps import Unmodelled
from sysfsd.linux.err import err
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/xarray.c")

_U64: Final = (1 << 64) - 1

_U32: Final = (1 << 32) - 1

# struct xa_node.
_SHIFT, _OFFSET, _COUNT, _NR_VALUES, _PARENT, _ARRAY, _PRIVATE_LIST, _SLOTS, _MARKS = 0, 1, 2, 3, 8, 16, 24, 40, 552

_NODE_SIZE: Final = 576

#: Slots of a node: what six bits of an index count.
CHUNK_SHIFT: Final = 6

CHUNK_SIZE: Final = 1 << CHUNK_SHIFT

CHUNK_MASK: Final = CHUNK_SIZE - 1

# struct xarray.
_FLAGS, _HEAD = 4, 8

#: xa_flags.
TRACK_FREE: Final = 4

_ZERO_BUSY: Final = 8

_ALLOC_WRAPPED: Final = 16

#: ``__GFP_BITS_SHIFT``: where the marks of the whole array begin.
MARK_SHIFT: Final = 27

FREE_MARK: Final = 0

MAX_MARKS: Final = 3

_RETRY_ENTRY: Final = 256 << 2 | 2

ZERO_ENTRY: Final = 257 << 2 | 2

#: What ``xa_state.xa_node`` holds besides nodes.
_ROOT, _BOUNDS, _RESTART = 0, 1, 3


def _is_internal(entry: int) -> bool:
    return entry & 3 == 2


def is_node(entry: int) -> bool:
    return entry & 3 == 2 and 4096 < entry <= _U64 - 4095 * 4 - 2


def _is_sibling(entry: int) -> bool:
    return entry & 3 == 2 and entry < (CHUNK_SIZE - 1) << 2 | 2


def _is_advanced(entry: int) -> bool:
    return _is_internal(entry) and entry <= _RETRY_ENTRY


def xa_error(number: int) -> int:
    """``XA_ERROR(-number)``."""
    return (-number << 2 | 2) & _U64


class Xas:
    """``struct xa_state``: a place in an array.

    :param xa: the address of the array
    """

    def __init__(self, kernel: Kernel, xa: int, index: int = 0, node: int = _RESTART, offset: int = 0) -> None:
        self.kernel = kernel
        self.memory = kernel.memory
        self.get = kernel.memory.read_pointer
        self.set = kernel.memory.write_pointer
        self.xa = xa
        self.index = index
        self.node = node
        self.offset = offset

    # The array

    @property
    def head(self) -> int:
        return self.get(self.xa + _HEAD)

    @head.setter
    def head(self, entry: int) -> None:
        self.set(self.xa + _HEAD, entry)

    @property
    def flags(self) -> int:
        return self.memory.read_int(self.xa + _FLAGS)

    @flags.setter
    def flags(self, flags: int) -> None:
        self.memory.write_int(self.xa + _FLAGS, flags)

    @property
    def track_free(self) -> bool:
        return bool(self.flags & TRACK_FREE)

    def marked(self, mark: int) -> bool:
        return bool(self.flags >> MARK_SHIFT + mark & 1)

    def mark_all(self, mark: int, value: bool) -> None:
        """Whether anything in the array has a mark."""
        bit = 1 << MARK_SHIFT + mark
        self.flags = self.flags | bit if value else self.flags & ~bit

    # Nodes

    def shift(self, node: int) -> int:
        return self.memory.read_int(node + _SHIFT, 1)

    def parent(self, node: int) -> int:
        return self.get(node + _PARENT)

    def count(self, node: int) -> int:
        return self.memory.read_int(node + _COUNT, 1)

    def slot(self, node: int, offset: int) -> int:
        """The address of a slot."""
        return node + _SLOTS + 8 * offset

    def place(self) -> int:
        """The address of the slot where it stands."""
        return self.slot(self.node, self.offset) if self.node else self.xa + _HEAD

    def marks(self, node: int, mark: int) -> int:
        return self.get(node + _MARKS + 8 * mark)

    def set_marks(self, node: int, mark: int, bits: int) -> None:
        self.set(node + _MARKS + 8 * mark, bits)

    def new_node(self, parent: int, shift: int, offset: int) -> int:
        node = self.kernel.slab.kmalloc(_NODE_SIZE)
        memory = self.memory
        memory.write(node, bytes(_NODE_SIZE))
        memory.write(node, bytes((shift, offset, 0, 0)))
        self.set(node + _PARENT, parent)
        self.set(node + _ARRAY, self.xa)
        self.set(node + _PRIVATE_LIST, node + _PRIVATE_LIST)
        self.set(node + _PRIVATE_LIST + 8, node + _PRIVATE_LIST)
        if parent:
            memory.write_int(parent + _COUNT, self.count(parent) + 1, 1)
        return node

    def free_node(self, node: int) -> None:
        self.kernel.slab.kfree(node)

    def free_nodes(self, node: int) -> None:
        """Free a node and all below it."""
        if self.shift(node):
            for offset in range(CHUNK_SIZE):
                entry = self.get(self.slot(node, offset))
                if is_node(entry):
                    self.free_nodes(entry - 2)
        self.free_node(node)

    def max_index(self, entry: int) -> int:
        """The last index that fits below *entry*."""
        return (CHUNK_SIZE << self.shift(entry - 2)) - 1 if is_node(entry) else 0

    # Walking

    @property
    def error(self) -> int:
        """The errno that it stands at, 0 if none."""
        return -((self.node - (1 << 64)) >> 2) if self.node & 3 == 2 else 0

    def _at_node(self) -> bool:
        return self.node > _RESTART and not self.node & 3

    def bounds(self) -> int:
        self.node = _BOUNDS
        return 0

    def start(self) -> int:
        """``xas_start()``."""
        if not self.node & 3:
            return self.get(self.place())
        if self.node & 3 == 2:
            return 0
        entry = self.head
        if self.index > self.max_index(entry):
            return self.bounds()
        self.node = _ROOT
        return entry

    def descend(self, entry: int) -> int:
        """From a node to its slot for the index."""
        self.node = entry - 2
        self.offset = self.index >> self.shift(self.node) & CHUNK_MASK
        found = self.get(self.place())
        while _is_sibling(found):
            self.offset = found >> 2
            found = self.get(self.place())
        return found

    def load(self) -> int:
        entry = self.start()
        while is_node(entry):
            entry = self.descend(entry)
            if not self.shift(self.node):
                break
        return entry

    def _move(self, offset: int) -> None:
        """On to a slot of the same node, which its last one is one before."""
        shift = self.shift(self.node)
        self.index = (self.index & ~(CHUNK_MASK << shift) & -(1 << shift)) + (offset << shift)
        self.offset = offset

    def find(self, max: int) -> int:
        """``xas_find()``: the next entry, up to index *max*; 0 if there is none."""
        if self.node == _BOUNDS or self.error:
            return 0
        if self.index > max:
            return self.bounds()
        if not self.node:
            self.index = 1
            return self.bounds()
        if self.node == _RESTART:
            entry = self.load()
            if entry or not self._at_node():
                return entry
        elif not self.shift(self.node) and self.offset != self.index & CHUNK_MASK:
            self.offset = (self.index - 1 & CHUNK_MASK) + 1
        self._move(self.offset + 1)
        while self.node and self.index <= max:
            if self.offset == CHUNK_SIZE:
                self.offset = self.memory.read_int(self.node + _OFFSET, 1) + 1
                self.node = self.parent(self.node)
                continue
            entry = self.get(self.place())
            if is_node(entry):
                self.node, self.offset = entry - 2, 0
                continue
            if entry and not _is_sibling(entry):
                return entry
            self._move(self.offset + 1)
        if not self.node:
            self.node = _BOUNDS
        return 0

    def find_marked(self, max: int, mark: int) -> int:
        """``xas_find_marked()``: the next entry with a mark; the free mark may be on none.

        :returns: 0 for what is free, too: then :attr:`node` says whether there was anything (_RESTART: no)
        """
        if self.error:
            return 0
        if self.index > max:
            self.node = _RESTART
            return 0
        entry = self.head
        again = self.node in (_RESTART, _BOUNDS)
        if not again:
            self.index += 1 if not self.node else 0
            if self._at_node():
                shift = self.shift(self.node)
                self.index = (self.index >> shift) + 1 << shift
        while self.index <= max:
            if self.index > self.max_index(entry):
                return self.bounds()
            if not is_node(entry):
                if self.marked(mark):
                    self.node = _ROOT
                    return entry
                self.index = 1
                continue
            node = entry - 2
            while True:
                shift = self.shift(node)
                first = self.index >> shift & CHUNK_MASK
                bits = self.marks(node, mark) >> first << first
                if not bits:
                    self.index = (self.index >> shift + CHUNK_SHIFT) + 1 << shift + CHUNK_SHIFT
                    break
                offset = (bits & -bits).bit_length() - 1
                if offset != first:
                    self.index = (self.index >> shift + CHUNK_SHIFT << CHUNK_SHIFT | offset) << shift
                if self.index > max:
                    break
                below = self.get(self.slot(node, offset))
                if not is_node(below):
                    self.node, self.offset = node, offset
                    return below
                node = below - 2
        self.node = _RESTART
        return 0

    # Changing

    def expand(self, head: int) -> int:
        """``xas_expand()``: make the tree high enough.

        :returns: the shift of the node that is to be its top, and one more level
        """
        largest, shift = self.index, 0
        if not head and (not self.track_free or self.marked(FREE_MARK)):
            if not largest:
                return 0
            while largest >> shift >= CHUNK_SIZE:
                shift += CHUNK_SHIFT
            return shift + CHUNK_SHIFT
        if is_node(head):
            shift = self.shift(head - 2) + CHUNK_SHIFT
        while largest > self.max_index(head):
            node = self.new_node(0, shift, 0)
            self.memory.write_int(node + _COUNT, 1, 1)
            if head & 1:
                self.memory.write_int(node + _NR_VALUES, 1, 1)
            self.set(self.slot(node, 0), head)
            for mark in range(MAX_MARKS):
                if mark == FREE_MARK and self.track_free:
                    self.set_marks(node, mark, _U64)
                    if not self.marked(mark):
                        self.set_marks(node, mark, _U64 - 1)
                        self.mark_all(mark, True)
                elif self.marked(mark):
                    self.set_marks(node, mark, 1)
            if is_node(head):
                self.memory.write_int(head - 2 + _OFFSET, 0, 1)
                self.set(head - 2 + _PARENT, node)
            head = node + 2
            self.head = head
            shift += CHUNK_SHIFT
        self.node = _ROOT
        return shift

    def create(self, allow_root: bool) -> int:
        """``xas_create()``: make all nodes on the way to the index.

        :returns: the entry that is there
        """
        if self.node == _ROOT or not self._at_node():
            entry = self.head
            self.node = _ROOT
            shift = self.expand(entry)
            if not shift and not allow_root:
                shift = CHUNK_SHIFT
            entry = self.head
            place = self.xa + _HEAD
        else:
            shift = self.shift(self.node)
            place = self.place()
            entry = self.get(place)
        while shift > 0:
            shift -= CHUNK_SHIFT
            if not entry:
                node = self.new_node(self.node, shift, self.offset if self.node else 0)
                if self.track_free:
                    self.set_marks(node, FREE_MARK, _U64)
                self.set(place, node + 2)
            elif is_node(entry):
                node = entry - 2
            else:
                break
            entry = self.descend(node + 2)
            place = self.place()
        return entry

    def update_node(self, count: int, values: int) -> None:
        """More or fewer entries are in the node."""
        if not self.node or not (count or values):
            return
        memory, node = self.memory, self.node
        memory.write_int(node + _COUNT, self.count(node) + count, 1)
        memory.write_int(node + _NR_VALUES, memory.read_int(node + _NR_VALUES, 1) + values, 1)
        if count < 0:
            self.delete_node()

    def delete_node(self) -> None:
        """``xas_delete_node()``: free the node if it is empty, and those above that become so; make the tree lower."""
        node = self.node
        while not self.count(node):
            parent = self.parent(node)
            self.offset = self.memory.read_int(node + _OFFSET, 1)
            self.free_node(node)
            self.node = parent
            if not parent:
                self.head = 0
                self.node = _BOUNDS
                return
            self.set(self.slot(parent, self.offset), 0)
            self.memory.write_int(parent + _COUNT, self.count(parent) - 1, 1)
            node = parent
        if not self.parent(node):
            self._shrink(node)

    def _shrink(self, node: int) -> None:
        while self.count(node) == 1:
            entry = self.get(self.slot(node, 0))
            if not entry or (not is_node(entry) and self.shift(node)):
                break
            if entry == ZERO_ENTRY and self.flags & _ZERO_BUSY:
                entry = 0
            self.node = _BOUNDS
            self.head = entry
            if self.track_free and not self.marks(node, FREE_MARK) & 1:
                self.mark_all(FREE_MARK, False)
            self.free_node(node)
            if not is_node(entry):
                break
            node = entry - 2
            self.set(node + _PARENT, 0)

    def store(self, entry: int) -> int:
        """``xas_store()``.

        :returns: what was there
        """
        first = self.create(not is_node(entry) and entry != ZERO_ENTRY) if entry else self.load()
        if self.node & 3 or first == entry:
            return first
        if not entry:
            self.init_marks()
        self.set(self.place(), entry)
        if is_node(first) and self.node and self.shift(self.node):
            self.free_nodes(first - 2)
        self.update_node(bool(entry) - bool(first), (entry & 1) - (first & 1))
        return first

    # Marks

    def get_mark(self, mark: int) -> bool:
        if self.node & 3:
            return False
        return bool(self.marks(self.node, mark) >> self.offset & 1) if self.node else self.marked(mark)

    def set_mark(self, mark: int) -> None:
        if self.node & 3:
            return
        node, offset = self.node, self.offset
        while node:
            bits = self.marks(node, mark)
            if bits >> offset & 1:
                return
            self.set_marks(node, mark, bits | 1 << offset)
            offset = self.memory.read_int(node + _OFFSET, 1)
            node = self.parent(node)
        self.mark_all(mark, True)

    def clear_mark(self, mark: int) -> None:
        if self.node & 3:
            return
        node, offset = self.node, self.offset
        while node:
            bits = self.marks(node, mark)
            if not bits >> offset & 1:
                return
            bits &= ~(1 << offset)
            self.set_marks(node, mark, bits)
            if bits:
                return
            offset = self.memory.read_int(node + _OFFSET, 1)
            node = self.parent(node)
        self.mark_all(mark, False)

    def init_marks(self) -> None:
        """``xas_init_marks()``: no marks; where free places are tracked, that it is free."""
        for mark in range(MAX_MARKS):
            if mark == FREE_MARK and self.track_free:
                self.set_mark(mark)
            else:
                self.clear_mark(mark)

    def destroy(self) -> None:
        """``xa_destroy()``."""
        entry = self.head
        self.node = _ROOT
        self.head = 0
        self.init_marks()
        if self.flags & _ZERO_BUSY:
            self.mark_all(FREE_MARK, False)
        if is_node(entry):
            self.free_nodes(entry - 2)


def _result(entry: int) -> int:
    """Reserved counts as empty."""
    return 0 if entry == ZERO_ENTRY else entry


def _refused(kernel: Kernel, entry: int, line: int, site: str) -> bool:
    """Whether *entry* is none that may be stored."""
    if _is_advanced(entry):
        kernel.traps.warn_at("lib/xarray.c", line, site=site, once=True)
        return True
    return False


# Simple operations


@export("void *xa_load(struct xarray *xa, unsigned long index)")
def xa_load(kernel: Kernel, xa: StructView, index: int) -> int:
    return _result(Xas(kernel, xa.address, index).load())


@export(
    "void *xa_erase(struct xarray *xa, unsigned long index)", "void *__xa_erase(struct xarray *xa, unsigned long index)"
)
def xa_erase(kernel: Kernel, xa: StructView, index: int) -> int:
    return _result(Xas(kernel, xa.address, index).store(0))


@export(
    "void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)",
    "void *__xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)",
)
def xa_store(kernel: Kernel, xa: StructView, index: int, entry: int, gfp: int) -> int:
    if _refused(kernel, entry, 1548, "__xa_store+0x10c"):
        return xa_error(errno.EINVAL)
    xas = Xas(kernel, xa.address, index)
    track_free = xas.track_free
    found = xas.store(entry or (ZERO_ENTRY if track_free else 0))
    if track_free:
        xas.clear_mark(FREE_MARK)
    return _result(found)


@export("void *__xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry, gfp_t gfp)")
def __xa_cmpxchg(kernel: Kernel, xa: StructView, index: int, old: int, entry: int, gfp: int) -> int:
    if _refused(kernel, entry, 1614, "__xa_cmpxchg+0x78"):
        return xa_error(errno.EINVAL)
    xas = Xas(kernel, xa.address, index)
    found = xas.load()
    if found == old:
        xas.store(entry)
        if xas.track_free and entry and not found:
            xas.clear_mark(FREE_MARK)
    return _result(found)


@export("int __xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)")
def __xa_insert(kernel: Kernel, xa: StructView, index: int, entry: int, gfp: int) -> int:
    if _refused(kernel, entry, 1651, "__xa_insert+0x101"):
        raise err(errno.EINVAL)
    xas = Xas(kernel, xa.address, index)
    if xas.load():
        raise err(errno.EBUSY)
    xas.store(entry or ZERO_ENTRY)
    if xas.track_free:
        xas.clear_mark(FREE_MARK)
    return 0


def _alloc(kernel: Kernel, xa: StructView, id: int, entry: int, first: int, last: int) -> None:
    if _refused(kernel, entry, 1833, "__xa_alloc+0x126"):
        raise err(errno.EINVAL)
    xas = Xas(kernel, xa.address, first)
    if not xas.track_free:
        kernel.traps.warn_at("lib/xarray.c", 1835, site="__xa_alloc+0x12f", once=True)
        raise err(errno.EINVAL)
    xas.find_marked(last, FREE_MARK)
    if xas.node == _RESTART:
        raise err(errno.EBUSY)
    kernel.memory.write_int(id, xas.index)
    xas.store(entry or ZERO_ENTRY)
    xas.clear_mark(FREE_MARK)


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
        if xa["xa_flags"] & _ALLOC_WRAPPED:
            xa["xa_flags"] &= ~_ALLOC_WRAPPED
            wrapped = 1
    except OSError:
        if first <= lowest:
            raise
        _alloc(kernel, xa, id, entry, lowest, last)
        wrapped = 1
    following = memory.read_int(id) + 1 & _U32
    memory.write_int(next, following)
    if not following:
        xa["xa_flags"] |= _ALLOC_WRAPPED
    return wrapped


@export("void xa_destroy(struct xarray *xa)")
def xa_destroy(kernel: Kernel, xa: StructView) -> None:
    Xas(kernel, xa.address).destroy()


def _find(kernel: Kernel, xa: StructView, indexp: int, first: int, last: int, filter: int) -> int:
    xas = Xas(kernel, xa.address, first)
    while True:
        entry = xas.find_marked(last, filter) if filter < MAX_MARKS else xas.find(last)
        if entry != ZERO_ENTRY:
            break
    if entry:
        kernel.memory.write_pointer(indexp, xas.index)
    return entry


@export("void *xa_find(struct xarray *xa, unsigned long *indexp, unsigned long max, unsigned int filter)")
def xa_find(kernel: Kernel, xa: StructView, indexp: int, max: int, filter: int) -> int:
    return _find(kernel, xa, indexp, kernel.memory.read_pointer(indexp), max, filter)


@export("void *xa_find_after(struct xarray *xa, unsigned long *indexp, unsigned long max, unsigned int filter)")
def xa_find_after(kernel: Kernel, xa: StructView, indexp: int, max: int, filter: int) -> int:
    first = kernel.memory.read_pointer(indexp) + 1
    return _find(kernel, xa, indexp, first, max, filter) if first <= _U64 else 0


@export(
    "unsigned int xa_extract(struct xarray *xa, void **dst, unsigned long start, unsigned long max, unsigned int n,"
    " unsigned int filter)"
)
def xa_extract(kernel: Kernel, xa: StructView, dst: int, start: int, max: int, n: int, filter: int) -> int:
    xas = Xas(kernel, xa.address, start)
    found = 0
    while found < n:
        entry = xas.find_marked(max, filter) if filter < MAX_MARKS else xas.find(max)
        if not entry:
            break
        if entry != ZERO_ENTRY:
            kernel.memory.write_pointer(dst + 8 * found, entry)
            found += 1
    return found


@export("bool xa_get_mark(struct xarray *xa, unsigned long index, unsigned int mark)")
def xa_get_mark(kernel: Kernel, xa: StructView, index: int, mark: int) -> bool:
    xas = Xas(kernel, xa.address, index)
    xas.load()
    return xas.get_mark(mark)


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


class _Given:
    """The caller's ``struct xa_state``, as :class:`Xas` for the time of a call."""

    def __init__(self, kernel: Kernel, view: StructView) -> None:
        if view["xa_shift"] or view["xa_sibs"]:
            raise Unmodelled("entries of several indices")
        self.view = view
        self.xas = Xas(kernel, view["xa"], view["xa_index"], view["xa_node"], view["xa_offset"])

    def __enter__(self) -> Xas:
        return self.xas

    def __exit__(self, *_: object) -> None:
        view, xas = self.view, self.xas
        view["xa_index"], view["xa_node"], view["xa_offset"] = xas.index, xas.node, xas.offset


@export("void *xas_load(struct xa_state *xas)")
def xas_load(kernel: Kernel, xas: StructView) -> int:
    with _Given(kernel, xas) as state:
        return state.load()


@export("void *xas_store(struct xa_state *xas, void *entry)")
def xas_store(kernel: Kernel, xas: StructView, entry: int) -> int:
    with _Given(kernel, xas) as state:
        return state.store(entry)


@export("void *xas_find(struct xa_state *xas, unsigned long max)")
def xas_find(kernel: Kernel, xas: StructView, max: int) -> int:
    with _Given(kernel, xas) as state:
        return state.find(max)


@export("void *xas_find_marked(struct xa_state *xas, unsigned long max, unsigned int mark)")
def xas_find_marked(kernel: Kernel, xas: StructView, max: int, mark: int) -> int:
    with _Given(kernel, xas) as state:
        return state.find_marked(max, mark)


@export("bool xas_nomem(struct xa_state *xas, gfp_t gfp)")
def xas_nomem(kernel: Kernel, xas: StructView, gfp: int) -> bool:
    """There has been memory: nothing to try again."""
    return False


@export("void xas_pause(struct xa_state *xas)")
def xas_pause(kernel: Kernel, xas: StructView) -> None:
    with _Given(kernel, xas) as state:
        node = state.node
        if node & 3:
            return
        state.index += 1 << state.shift(node) if node else 1
        state.index &= _U64
        state.node = _BOUNDS if node and not state.index else _RESTART


@export("bool xas_get_mark(const struct xa_state *xas, unsigned int mark)")
def xas_get_mark(kernel: Kernel, xas: StructView, mark: int) -> bool:
    with _Given(kernel, xas) as state:
        return state.get_mark(mark)


@export("void xas_set_mark(const struct xa_state *xas, unsigned int mark)")
def xas_set_mark(kernel: Kernel, xas: StructView, mark: int) -> None:
    with _Given(kernel, xas) as state:
        state.set_mark(mark)


@export("void xas_clear_mark(const struct xa_state *xas, unsigned int mark)")
def xas_clear_mark(kernel: Kernel, xas: StructView, mark: int) -> None:
    with _Given(kernel, xas) as state:
        state.clear_mark(mark)


@export("void xas_init_marks(const struct xa_state *xas)")
def xas_init_marks(kernel: Kernel, xas: StructView) -> None:
    with _Given(kernel, xas) as state:
        state.init_marks()


def _beside(state: Xas, step: int) -> int:
    """``__xas_next()`` and ``__xas_prev()``: the neighbour's entry, whatever it is."""
    if state.node != _RESTART and not state.error:
        state.index = state.index + step & _U64
    if not state.node:
        return state.bounds()
    if state.node & 3:
        return 0 if state.error else state.load()
    state.node = _RESTART
    return state.load()


@export("void *__xas_next(struct xa_state *xas)")
def __xas_next(kernel: Kernel, xas: StructView) -> int:
    with _Given(kernel, xas) as state:
        return _beside(state, 1)


@export("void *__xas_prev(struct xa_state *xas)")
def __xas_prev(kernel: Kernel, xas: StructView) -> int:
    with _Given(kernel, xas) as state:
        return _beside(state, -1)
