"""Arrays of pointers by number (lib/xarray.c): a tree whose nodes have 64 slots each.

The nodes are the kernel's own (``struct xa_node``): code that is inlined in modules walks them. An entry may stand for
several indices at once: for all that a slot of a higher node stands for, and in several slots side by side. Then all
slots but the first hold a sibling entry, which has the number of the first.
"""

from __future__ import annotations

import errno
import time
from typing import TYPE_CHECKING, Final

from sysfsd.linux.kernel.sched.core import HZ

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = [
    "ALLOC_WRAPPED",
    "BOUNDS",
    "CHUNK_MASK",
    "CHUNK_SHIFT",
    "CHUNK_SIZE",
    "FREE_MARK",
    "MARK_SHIFT",
    "MAX_MARKS",
    "RESTART",
    "RETRY_ENTRY",
    "TRACK_FREE",
    "ZERO_ENTRY",
    "Xas",
    "is_internal",
    "is_node",
    "is_sibling",
    "xa_error",
]

_U64: Final = (1 << 64) - 1
_BITS_PER_LONG: Final = 64

# struct xa_node.
_SHIFT, _OFFSET, _COUNT, _NR_VALUES, _PARENT, _ARRAY, _PRIVATE_LIST, _SLOTS, _MARKS = (0, 1, 2, 3, 8, 16, 24, 40, 552)
_NODE_SIZE: Final = 576
#: Where a node that is to be freed waits for the end of the grace period.
_RCU_HEAD: Final = _PRIVATE_LIST
_RCU_FREE: Final = 1

#: Slots of a node: what six bits of an index count.
CHUNK_SHIFT: Final = 6
CHUNK_SIZE: Final = 1 << CHUNK_SHIFT
CHUNK_MASK: Final = CHUNK_SIZE - 1

# struct xarray.
_FLAGS, _HEAD = 4, 8

#: xa_flags.
TRACK_FREE: Final = 4
_ZERO_BUSY: Final = 8
ALLOC_WRAPPED: Final = 16
#: ``__GFP_BITS_SHIFT``: where the marks of the whole array begin.
MARK_SHIFT: Final = 27

FREE_MARK: Final = 0
MAX_MARKS: Final = 3

RETRY_ENTRY: Final = 256 << 2 | 2
ZERO_ENTRY: Final = 257 << 2 | 2
_LAST_SIBLING: Final = (CHUNK_SIZE - 2) << 2 | 2

#: What ``xa_state.xa_node`` holds besides nodes and errors.
_ROOT: Final = 0
BOUNDS: Final = 1
RESTART: Final = 3


def is_internal(entry: int) -> bool:
    return entry & 3 == 2


def is_node(entry: int) -> bool:
    return entry & 3 == 2 and 4096 < entry <= _U64 - 4095 * 4 - 2


def is_sibling(entry: int) -> bool:
    return entry & 3 == 2 and entry <= _LAST_SIBLING


def xa_error(number: int) -> int:
    """``XA_ERROR(-number)``."""
    return (-number << 2 | 2) & _U64


class Xas:
    """``struct xa_state``: a place in an array, and what is done there.

    :param xa: the address of the array
    :param shift: how many bits of an index the entry does without
    :param sibs: in how many more slots it is
    :param alloc: a node to take before any other
    :param update: the module's function that is told of nodes that have changed
    """

    __slots__ = ("alloc", "get", "index", "kernel", "memory", "node", "offset", "set", "shift", "sibs", "update", "xa")

    def __init__(self, kernel: Kernel, xa: int, index: int = 0) -> None:
        self.kernel = kernel
        self.memory = kernel.memory
        self.get = kernel.memory.read_pointer
        self.set = kernel.memory.write_pointer
        self.xa = xa
        self.index = index
        self.node = RESTART
        self.offset = self.shift = self.sibs = self.alloc = self.update = 0

    @classmethod
    def of(cls, kernel: Kernel, view: StructView) -> Xas:
        """The caller's own."""
        xas = cls(kernel, view["xa"], view["xa_index"])
        xas.node, xas.offset = view["xa_node"], view["xa_offset"]
        xas.shift, xas.sibs = view["xa_shift"], view["xa_sibs"]
        xas.alloc, xas.update = view["xa_alloc"], view["xa_update"]
        return xas

    def store_to(self, view: StructView) -> None:
        """Hand it back to the caller."""
        view["xa_index"], view["xa_node"], view["xa_offset"] = (self.index, self.node, self.offset)
        view["xa_shift"], view["xa_sibs"], view["xa_alloc"] = (self.shift, self.sibs, self.alloc)

    def reset(self, index: int) -> None:
        """``xas_set()``."""
        self.index, self.node = index, RESTART

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

    # The state

    @property
    def error(self) -> int:
        """The errno that it stands at, 0 if none."""
        return -((self.node - (1 << 64)) >> 2) if self.node & 3 == 2 else 0

    def fail(self, number: int) -> None:
        """``xas_set_err()``."""
        self.node = xa_error(number)

    @property
    def invalid(self) -> bool:
        """Whether it stands nowhere."""
        return self.node & 3 != 0

    @property
    def _at_top(self) -> bool:
        """``xas_top()``: at the head of the array, or nowhere without an error."""
        return self.node <= RESTART

    def bounds(self) -> int:
        """Nothing is there: it is beyond what the array has."""
        self.node = BOUNDS
        return 0

    @property
    def last(self) -> int:
        """The last index that the entry stands for."""
        return self.index | ((self.sibs + 1) << self.shift) - 1

    @property
    def within(self) -> bool:
        """``xas_sibling()``: whether the index is behind the first one of the entry that it stands at."""
        if not self.node:
            return False
        shift = self.node_shift(self.node)
        return self.index & (CHUNK_SIZE << shift) - 1 > self.offset << shift

    # Nodes

    def node_shift(self, node: int) -> int:
        return self.memory.read_int(node + _SHIFT, 1)

    def node_offset(self, node: int) -> int:
        """In which slot of its parent a node is."""
        return self.memory.read_int(node + _OFFSET, 1)

    def parent(self, node: int) -> int:
        return self.get(node + _PARENT)

    def count(self, node: int) -> int:
        return self.memory.read_int(node + _COUNT, 1)

    def slot(self, node: int, offset: int) -> int:
        """The address of a slot."""
        return node + _SLOTS + 8 * offset

    def entry(self, node: int, offset: int) -> int:
        return self.get(node + _SLOTS + 8 * offset)

    def place(self) -> int:
        """The address of the slot where it stands."""
        return self.slot(self.node, self.offset) if self.node else self.xa + _HEAD

    def marks(self, node: int, mark: int) -> int:
        return self.get(node + _MARKS + 8 * mark)

    def set_marks(self, node: int, mark: int, bits: int) -> None:
        self.set(node + _MARKS + 8 * mark, bits)

    def _updated(self, node: int) -> None:
        """``xas_update()``: tell whose array it is."""
        if self.update:
            self.kernel.cpu.call(self.update, node)

    def _new_node(self) -> int:
        """:raises OSError: ENOMEM"""
        node = self.kernel.slab.kmalloc(_NODE_SIZE)
        self.memory.write(node, bytes(_NODE_SIZE))
        self.set(node + _PRIVATE_LIST, node + _PRIVATE_LIST)
        self.set(node + _PRIVATE_LIST + 8, node + _PRIVATE_LIST)
        return node

    def _add_node(self, shift: int) -> int:
        """``xas_alloc()``: a node below the one where it stands.

        :returns: 0 where there is no memory: then that is the error
        """
        if self.invalid:
            return 0
        node, parent = self.alloc, self.node
        if node:
            self.alloc = 0
        else:
            try:
                node = self._new_node()
            except OSError:
                self.fail(errno.ENOMEM)
                return 0
        if parent:
            self.memory.write_int(node + _OFFSET, self.offset, 1)
            self.memory.write_int(parent + _COUNT, self.count(parent) + 1, 1)
            self._updated(parent)
        self.memory.write_int(node + _SHIFT, shift, 1)
        self.memory.write(node + _COUNT, b"\0\0")
        self.set(node + _PARENT, parent)
        self.set(node + _ARRAY, self.xa)
        return node

    def _free_node(self, node: int) -> None:
        """Readers may be there until the grace period ends."""
        self.set(node + _ARRAY, _RCU_FREE)
        kfree = self.kernel.slab.kfree
        self.kernel.softirq.arm(node + _RCU_HEAD, time.monotonic() + 1 / HZ, lambda: kfree(node))

    def _free_nodes(self, top: int) -> None:
        """Free a node and all below it; who still stands there has to try again."""
        shift = self.node_shift(top)
        for offset in range(CHUNK_SIZE):
            entry = self.entry(top, offset)
            if shift and is_node(entry):
                self._free_nodes(entry - 2)
            elif entry:
                self.set(self.slot(top, offset), RETRY_ENTRY)
        self.memory.write(top + _COUNT, b"\0\0")
        self._updated(top)
        self._free_node(top)

    def destroy_alloc(self) -> None:
        """``xas_destroy()``: give back what was allocated beforehand."""
        while self.alloc:
            node, self.alloc = self.alloc, self.parent(self.alloc)
            self.kernel.slab.kfree(node)

    def nomem(self) -> bool:
        """``xas_nomem()``.

        :returns: whether memory was missing, and there is some now: the operation is to be tried again
        """
        if self.error != errno.ENOMEM:
            self.destroy_alloc()
            return False
        try:
            self.alloc = self._new_node()
        except OSError:
            return False
        self.node = RESTART
        return True

    def max_index(self, entry: int) -> int:
        """The last index that fits below *entry*."""
        return (CHUNK_SIZE << self.node_shift(entry - 2)) - 1 if is_node(entry) else 0

    # Walking

    def start(self) -> int:
        """``xas_start()``."""
        if not self.invalid:
            return self.get(self.place())
        if self.error:
            return 0
        entry = self.head
        if self.index > self.max_index(entry):
            return self.bounds()
        self.node = _ROOT
        return entry

    def descend(self, node: int) -> int:
        """From a node to its slot for the index, of an entry in several slots to the first one."""
        self.node = node
        shift = self.node_shift(node)
        self.offset = self.index >> shift & CHUNK_MASK
        found = self.entry(node, self.offset)
        while is_sibling(found):
            self.offset = found >> 2
            found = self.entry(node, self.offset)
            if shift and is_node(found):
                found = RETRY_ENTRY
        return found

    def load(self) -> int:
        entry = self.start()
        while is_node(entry):
            node = entry - 2
            shift = self.node_shift(node)
            if self.shift > shift:
                break
            entry = self.descend(node)
            if not shift:
                break
        return entry

    def _move(self, offset: int) -> None:
        """Have the index be that of a slot of the node where it stands; behind its last slot there is another."""
        shift = self.node_shift(self.node)
        self.index = (self.index >> shift + CHUNK_SHIFT << CHUNK_SHIFT) + offset << shift & _U64

    def _move_on(self) -> None:
        self.offset += 1
        self._move(self.offset)

    def _climb(self, step: int) -> None:
        """To the parent, beside the slot that the node is in."""
        self.offset = self.node_offset(self.node) + step
        self.node = self.parent(self.node)

    def find(self, max: int) -> int:
        """``xas_find()``: the next entry, up to index *max*; 0 if there is none."""
        if self.error or self.node == BOUNDS:
            return 0
        if self.index > max:
            return self.bounds()
        if not self.node:
            self.index = 1
            return self.bounds()
        if self.node == RESTART:
            entry = self.load()
            if entry or self.invalid or not self.node:
                return entry
        elif not self.node_shift(self.node) and self.offset != self.index & CHUNK_MASK:
            self.offset = (self.index - 1 & CHUNK_MASK) + 1
        self._move_on()
        while self.node and self.index <= max:
            if self.offset == CHUNK_SIZE:
                self._climb(1)
                continue
            entry = self.entry(self.node, self.offset)
            if is_node(entry):
                self.node, self.offset = entry - 2, 0
                continue
            if entry and not is_sibling(entry):
                return entry
            self._move_on()
        if not self.node:
            self.node = BOUNDS
        return 0

    def find_marked(self, max: int, mark: int) -> int:
        """``xas_find_marked()``: the next entry with a mark; the free mark may be on none.

        :returns: 0 for what is free, too: then :attr:`node` says whether there was anything (RESTART: no)
        """
        if self.error:
            return 0
        if self.index > max:
            self.node = RESTART
            return 0
        found = self._next_marked(max, mark)
        if found is not None:
            return found
        if self.index > max:
            self.node = RESTART
            return 0
        return self.bounds()

    def _next_marked(self, max: int, mark: int) -> int | None:
        advance = True
        if not self.node:
            self.index = 1
            return None
        if self._at_top:
            advance = False
            entry = self.head
            self.node = _ROOT
            if self.index > self.max_index(entry):
                return None
            if not is_node(entry):
                if self.marked(mark):
                    return entry
                self.index = 1
                return None
            self.node = entry - 2
            self.offset = self.index >> self.node_shift(self.node)
        free = mark == FREE_MARK and self.track_free
        while self.index <= max:
            if self.offset == CHUNK_SIZE:
                self._climb(1)
                if not self.node:
                    break
                advance = False
                continue
            if not advance:
                entry = self.entry(self.node, self.offset)
                if is_sibling(entry):
                    self.offset = entry >> 2
                    self._move(self.offset)
            first = self.offset + advance
            bits = self.marks(self.node, mark) >> first << first
            offset = (bits & -bits).bit_length() - 1 if bits else CHUNK_SIZE
            if offset > self.offset:
                advance = False
                self._move(offset)
                if self.index - 1 & _U64 >= max:  # it may have begun anew at 0
                    self.node = RESTART
                    return 0
                self.offset = offset
                if offset == CHUNK_SIZE:
                    continue
            entry = self.entry(self.node, self.offset)
            if not entry and not free:
                continue
            if not is_node(entry):
                return entry
            self.node = entry - 2
            self.offset = self.index >> self.node_shift(self.node) & CHUNK_MASK
        return None

    def find_conflict(self) -> int:
        """``xas_find_conflict()``: the next entry among the indices that this one is to stand for, 0 if none."""
        if self.error or not self.node:
            return 0
        if self._at_top:
            found = self.start()
            if not found:
                return 0
            while is_node(found):
                found = self.descend(found - 2)
            if found:
                return found
        if self.node_shift(self.node) > self.shift:
            return 0
        while True:
            if self.node_shift(self.node) == self.shift:
                if self.offset & self.sibs == self.sibs:
                    break
            elif self.offset == CHUNK_MASK:
                self._climb(0)
                if not self.node:
                    break
                continue
            self.offset += 1
            found = self.entry(self.node, self.offset)
            if is_sibling(found):
                continue
            while is_node(found):
                self.node, self.offset = found - 2, 0
                found = self.entry(self.node, 0)
            if found:
                return found
        self.offset -= self.sibs
        return 0

    def beside(self, step: int) -> int:
        """``__xas_next()`` and ``__xas_prev()``: the neighbour's entry, whatever it is."""
        if not self.node & 2:
            self.index = self.index + step & _U64
        if not self.node:
            return self.bounds()
        if self.invalid:
            return self.load()
        if self.offset != self.index >> self.node_shift(self.node) & CHUNK_MASK:
            self.offset += step
        while not 0 <= self.offset < CHUNK_SIZE:
            self._climb(step)
            if not self.node:
                self.offset &= 0xFF
                return self.bounds()
        while is_node(entry := self.entry(self.node, self.offset)):
            self.node = entry - 2
            self.offset = self.index >> self.node_shift(self.node) & CHUNK_MASK
        return entry

    def pause(self) -> None:
        """``xas_pause()``: go on behind this entry when the array may have changed."""
        if self.invalid:
            return
        node, self.node = self.node, RESTART
        if not node:
            self.index = self.index + 1 & _U64
            return
        offset = self.offset + 1
        while offset < CHUNK_SIZE and is_sibling(self.entry(node, offset)):
            offset += 1
        self.index = self.index + (offset - self.offset << self.node_shift(node)) & _U64
        if not self.index:
            self.node = BOUNDS

    def order(self) -> int:
        """``xas_get_order()``: how many indices the entry stands for, as a power of two."""
        if not self.node:
            return 0
        order = 0
        while (offset := self.offset + (1 << order)) < CHUNK_SIZE and is_sibling(self.entry(self.node, offset)):
            order += 1
        return order + self.node_shift(self.node)

    # Changing

    def _expand(self, head: int) -> int:
        """``xas_expand()``: make the tree high enough.

        :returns: the shift of the node that is to be its top, and one more level; negative where there is no memory
        """
        last, size = self.index, (self.sibs + 1) << self.shift
        if size > 1:
            last |= size - 1
            last += last == size - 1
        shift = 0
        if not head:
            if not last:
                return 0
            while last >> shift >= CHUNK_SIZE:
                shift += CHUNK_SHIFT
            return shift + CHUNK_SHIFT
        if is_node(head):
            shift = self.node_shift(head - 2) + CHUNK_SHIFT
        self.node = _ROOT
        node = head - 2 if is_node(head) else 0
        while last > self.max_index(head):
            self.node = _ROOT
            node = self._add_node(shift)
            if not node:
                return -1
            self.memory.write(node + _COUNT, bytes((1, head & 1)))
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
            self._updated(node)
            shift += CHUNK_SHIFT
        self.node = node
        return shift

    def create(self, allow_root: bool) -> int:
        """``xas_create()``: make all nodes on the way to the index.

        :returns: the entry that is there
        """
        if self.error:
            return 0
        if self._at_top:
            entry = self.head
            self.node = _ROOT
            shift = self._expand(ZERO_ENTRY if not entry and self.flags & _ZERO_BUSY else entry)
            if shift < 0:
                return 0
            if not shift and not allow_root:
                shift = CHUNK_SHIFT
            entry = self.head
            place = self.xa + _HEAD
        else:
            shift = self.node_shift(self.node)
            place = self.place()
            entry = self.get(place)
        while shift > self.shift:
            shift -= CHUNK_SHIFT
            if not entry:
                node = self._add_node(shift)
                if not node:
                    break
                if self.track_free:
                    self.set_marks(node, FREE_MARK, _U64)
                self.set(place, node + 2)
            elif is_node(entry):
                node = entry - 2
            else:
                break
            entry = self.descend(node)
            place = self.place()
        return entry

    def create_range(self) -> None:
        """``xas_create_range()``: make all nodes for all indices that the entry stands for."""
        index, shift, sibs = self.index, self.shift, self.sibs
        self.index |= ((sibs + 1) << shift) - 1
        if not self.invalid and self.node and self.node_shift(self.node) == shift:
            self.offset |= sibs
        self.shift = self.sibs = 0
        while True:
            self.create(True)
            if self.error:
                self.shift, self.sibs, self.index = shift, sibs, index
                return
            if self.index <= index | CHUNK_MASK:
                break
            self.index -= CHUNK_SIZE
            while self.node and self.node_shift(self.node) < shift:
                offset = self.node_offset(self.node)
                self._climb(-1)
                if offset:
                    break
        self.index = index
        if self.node:
            self.offset = index >> self.node_shift(self.node) & CHUNK_MASK

    def update_node(self, count: int, values: int) -> None:
        """More or fewer entries are in the node."""
        node = self.node
        if not node or not (count or values):
            return
        memory = self.memory
        memory.write_int(node + _COUNT, self.count(node) + count, 1)
        memory.write_int(node + _NR_VALUES, memory.read_int(node + _NR_VALUES, 1) + values, 1)
        self._updated(node)
        if count < 0:
            self.delete_node()

    def delete_node(self) -> None:
        """``xas_delete_node()``: free the node if it is empty, and those above that become so; make the tree lower."""
        node = self.node
        while not self.count(node):
            parent = self.parent(node)
            self.node, self.offset = parent, self.node_offset(node)
            self._free_node(node)
            if not parent:
                self.head = 0
                self.node = BOUNDS
                return
            self.set(self.slot(parent, self.offset), 0)
            self.memory.write_int(parent + _COUNT, self.count(parent) - 1, 1)
            node = parent
            self._updated(node)
        if not self.parent(node):
            self._shrink(node)

    def _shrink(self, node: int) -> None:
        """``xas_shrink()``: while the top has nothing but its first slot, that becomes the top."""
        while self.count(node) == 1:
            entry = self.entry(node, 0)
            if not entry or not self._shrinks(node, entry):
                break
            if entry == ZERO_ENTRY and self.flags & _ZERO_BUSY:
                entry = 0
            self.node = BOUNDS
            self.head = entry
            if self.track_free and not self.marks(node, FREE_MARK) & 1:
                self.mark_all(FREE_MARK, False)
            self.memory.write(node + _COUNT, b"\0\0")
            if not is_node(entry):
                self.set(self.slot(node, 0), RETRY_ENTRY)
            self._updated(node)
            self._free_node(node)
            if not is_node(entry):
                break
            node = entry - 2
            self.set(node + _PARENT, 0)

    def _shrinks(self, node: int, entry: int) -> bool:
        """Whether *entry* may take the place of the node that has nothing else."""
        return is_node(entry) or not self.node_shift(node)

    def store(self, entry: int) -> int:
        """``xas_store()``: into all slots of the entry; what it covers in part goes as a whole.

        :returns: what was there
        """
        first = self.create(not is_node(entry) and entry != ZERO_ENTRY) if entry else self.load()
        if self.invalid:
            return first
        node = self.node
        shift = self.node_shift(node) if node else 0
        if node and self.shift < shift:
            self.sibs = 0
        if first == entry and not self.sibs:
            return first
        if node and self.sibs:
            self._squash_marks()
        if not entry:
            self.init_marks()
        if not node:
            self.head = entry
            if is_node(first):
                self._free_nodes(first - 2)
            return first
        value = entry & 1
        following = was = first
        offset, last = self.offset, self.offset + self.sibs
        count = values = 0
        while True:
            self.set(self.slot(node, offset), entry)
            if is_node(following) and shift:
                self._free_nodes(following - 2)
            count += (not following) - (not entry)
            values += value - (was & 1)
            if entry:
                if offset == last:
                    break
                if not is_sibling(entry):
                    entry = self.offset << 2 | 2
            elif offset == CHUNK_MASK:
                break
            offset += 1
            following = self.entry(node, offset)
            if not is_sibling(following):
                if not entry and offset > last:
                    break
                was = following
        self.update_node(count, values)
        return was

    # Splitting

    def split_alloc(self, entry: int, order: int) -> None:
        """``xas_split_alloc()``: allocate what it takes to make several entries of one."""
        if self.shift + 2 * CHUNK_SHIFT < order:
            self.kernel.traps.warn_at("lib/xarray.c", 1012, site="xas_split_alloc+0xd5")
            self._no_split()
            return
        if self.shift + CHUNK_SHIFT > order:
            return
        for _ in range(1 << order % CHUNK_SHIFT):
            try:
                node = self._new_node()
            except OSError:
                self._no_split()
                return
            self.set(node + _ARRAY, self.xa)
            first = 0
            for offset in range(CHUNK_SIZE):
                if not offset & self.sibs:
                    first = offset
                self.set(self.slot(node, offset), entry if offset == first else first << 2 | 2)
            self.set(node + _PARENT, self.alloc)
            self.alloc = node

    def _no_split(self) -> None:
        self.destroy_alloc()
        self.fail(errno.ENOMEM)

    def split(self, entry: int, order: int) -> None:
        """``xas_split()``: put entries of this one's size in the place of one of *order*, with its marks."""
        current = self.load()
        node = self.node
        if self._at_top:
            return
        marks = [mark for mark in range(MAX_MARKS) if self.marks(node, mark) >> self.offset & 1]
        shift, values = self.node_shift(node), 0
        offset = self.offset + (1 << order % CHUNK_SHIFT) - 1
        while offset >= self.offset:
            if self.shift < shift:
                child = self.alloc
                self.alloc = self.parent(child)
                count_values = CHUNK_SIZE if entry & 1 else 0
                self.memory.write(child, bytes((shift - CHUNK_SHIFT, offset, CHUNK_SIZE, count_values)))
                self.set(child + _PARENT, node)
                for mark in marks:
                    self.set_marks(node, mark, self.marks(node, mark) | 1 << offset)
                    self.set_marks(child, mark, _U64)
                self.set(self.slot(node, offset), child + 2)
                values -= current & 1
                self._updated(child)
            else:
                first = offset - self.sibs
                for mark in marks:
                    self.set_marks(node, mark, self.marks(node, mark) | 1 << first)
                self.set(self.slot(node, first), entry)
                for sibling in range(first + 1, offset + 1):
                    self.set(self.slot(node, sibling), first << 2 | 2)
                values += ((entry & 1) - (current & 1)) * (self.sibs + 1)
                offset = first
            offset -= 1
        memory = self.memory
        memory.write_int(node + _NR_VALUES, memory.read_int(node + _NR_VALUES, 1) + values, 1)
        self._updated(node)

    # Marks

    def _squash_marks(self) -> None:
        """The marks of all slots that become one entry are that one's."""
        rest = ((1 << self.sibs) - 1) << self.offset + 1
        for mark in range(MAX_MARKS):
            bits = self.marks(self.node, mark)
            if bits & rest:
                self.set_marks(self.node, mark, bits & ~rest | 1 << self.offset)

    def get_mark(self, mark: int) -> bool:
        if self.invalid:
            return False
        return bool(self.marks(self.node, mark) >> self.offset & 1) if self.node else self.marked(mark)

    def set_mark(self, mark: int) -> None:
        if self.invalid:
            return
        node, offset = self.node, self.offset
        while node:
            bits = self.marks(node, mark)
            if bits >> offset & 1:
                return
            self.set_marks(node, mark, bits | 1 << offset)
            offset = self.node_offset(node)
            node = self.parent(node)
        self.mark_all(mark, True)

    def clear_mark(self, mark: int) -> None:
        if self.invalid:
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
            offset = self.node_offset(node)
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
            self._free_nodes(entry - 2)

    def set_range(self, first: int, last: int) -> None:
        """``xas_set_range()``: stand for as many indices from *first* on as one entry can, up to *last*."""
        self.reset(first)
        shift, sibs, offset = 0, last - first, CHUNK_MASK
        while not first & CHUNK_MASK:
            if sibs < CHUNK_MASK or (sibs == CHUNK_MASK and offset < CHUNK_MASK):
                break
            shift += CHUNK_SHIFT
            if offset == CHUNK_MASK:
                offset = sibs & CHUNK_MASK
            sibs >>= CHUNK_SHIFT
            first >>= CHUNK_SHIFT
        offset = first & CHUNK_MASK
        sibs = min(sibs, CHUNK_MASK - offset)
        if (first + sibs + 1 << shift) - 1 > last:
            sibs -= 1
        self.shift, self.sibs = shift, sibs

    def set_order(self, index: int, order: int) -> None:
        """``xas_set_order()``: stand for 2**order indices, *index* among them."""
        self.index = index >> order << order if order < _BITS_PER_LONG else 0
        self.shift = order - order % CHUNK_SHIFT
        self.sibs = (1 << order % CHUNK_SHIFT) - 1
        self.node = RESTART
