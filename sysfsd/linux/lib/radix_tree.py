"""Radix trees (lib/radix-tree.c): they share their nodes with arrays (:mod:`.xarray`).

Those that give out ids (struct idr) have the mark of what is free, and count the places that are taken: NULL may be
there, or what looks like a node.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.lib.xarray import CHUNK_MASK, CHUNK_SHIFT, CHUNK_SIZE, FREE_MARK, Xas, is_internal

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

__all__ = ["RadixTree"]

_U64: Final = (1 << 64) - 1
_SLOTS: Final = struct.Struct(f"<{CHUNK_SIZE}Q")


class RadixTree(Xas):
    """A place in a tree."""

    __slots__ = ()

    def descend(self, node: int) -> int:
        self.node = node
        self.offset = self.index >> self.node_shift(node) & CHUNK_MASK
        return self.get(self.place())

    def load(self) -> int:
        """``__radix_tree_lookup()``."""
        entry = self.start()
        while is_internal(entry) and not self.invalid:
            entry = self.descend(entry - 2)
            if not self.node_shift(self.node):
                break
        return entry

    @property
    def taken(self) -> bool:
        """Whether somebody has the id where it stands."""
        return not self.invalid and not self.get_mark(FREE_MARK)

    def _following(self, node: int, first: int, mark: int | None) -> int:
        """The first slot from *first* on that holds something, or that has a mark; CHUNK_SIZE if there is none."""
        if mark is None:
            slots = _SLOTS.unpack(self.memory.read(self.slot(node, 0), _SLOTS.size))
            return next((offset for offset in range(first, CHUNK_SIZE) if slots[offset]), CHUNK_SIZE)
        bits = self.marks(node, mark) >> first << first
        return (bits & -bits).bit_length() - 1 if bits else CHUNK_SIZE

    def seek(self, mark: int | None = None, contiguous: bool = False) -> bool:
        """``radix_tree_next_chunk()``: to the first entry from the index on, with a mark.

        :param contiguous: only if that is where it stands
        :returns: whether there is one
        """
        if mark is not None and not self.marked(mark):
            return False
        while True:
            child = self.head
            if not child or self.index > self.max_index(child):
                return False
            self.node = self.offset = 0
            if not is_internal(child):
                return True
            while True:
                node = child - 2
                shift = self.node_shift(node)
                first = self.index >> shift & CHUNK_MASK
                offset = self._following(node, first, mark)
                if offset != first:
                    if contiguous:
                        return False
                    self.index = (self.index >> shift + CHUNK_SHIFT << CHUNK_SHIFT) + offset << shift
                    if self.index > _U64:
                        return False
                    if offset == CHUNK_SIZE:
                        break
                child = self.entry(node, offset)
                if not child:
                    break
                if not shift or not is_internal(child):
                    self.node, self.offset = node, offset
                    return True

    @classmethod
    def entries(cls, kernel: Kernel, root: int, first: int = 0, mark: int | None = None) -> Iterator[RadixTree]:
        """The places of all entries from an index on; the tree may change meanwhile."""
        while first <= _U64:
            place = cls(kernel, root, first)
            if not place.seek(mark):
                return
            yield place
            first = place.index + 1

    def take_free(self, item: int, last: int) -> None:
        """``idr_get_free()``: have the first free place from the index on, up to *last*, hold *item*.

        :raises OSError: ENOSPC
        """
        self.index = self._free_from(self.index, last)
        self.create(False)
        if self.error:
            raise err(self.error)
        self.set(self.place(), item)
        self.update_node(1, item & 1)
        self.clear_mark(FREE_MARK)

    def _free_from(self, index: int, last: int) -> int:
        while index <= last:
            child = self.head
            highest = self.max_index(child)
            if not self.marked(FREE_MARK):
                index = max(index, highest + 1)
            if index > last:
                break
            if index > highest or not is_internal(child):
                return index
            while True:
                node = child - 2
                shift = self.node_shift(node)
                first = index >> shift & CHUNK_MASK
                offset = self._following(node, first, FREE_MARK)
                if offset != first:
                    index = (index >> shift + CHUNK_SHIFT << CHUNK_SHIFT) + offset << shift
                    if offset == CHUNK_SIZE:
                        break
                child = self.entry(node, offset)
                if not shift or not child:
                    return index if index <= last else self._full()
        return self._full()

    def _full(self) -> int:
        raise err(errno.ENOSPC)

    def remove(self, entry: int) -> None:
        """``__radix_tree_delete()``."""
        self.init_marks()
        self.set(self.place(), 0)
        self.update_node(-1, -(entry & 1))

    def _shrinks(self, node: int, entry: int) -> bool:
        """What has an id stays in a node."""
        return bool(self.node_shift(node)) or not self.track_free
