"""Linked lists in the kernel's memory (include/linux/list.h)."""

from __future__ import annotations

from collections.abc import Iterator

from sysfsd.linux.err import err
from sysfsd.linux.mm.memory import Memory

__all__ = ["INIT_LIST_HEAD", "list_add", "list_add_tail", "list_del", "list_del_init", "list_empty", "list_entries"]

#: More entries than a list that is not broken has.
_ENTRIES_MAX = 1 << 20


def INIT_LIST_HEAD(memory: Memory, head: int) -> None:  # noqa: N802 - the kernel's name
    memory.write_pointer(head, head)
    memory.write_pointer(head + 8, head)


def _add(memory: Memory, new: int, before: int, following: int) -> None:
    memory.write_pointer(following + 8, new)
    memory.write_pointer(new, following)
    memory.write_pointer(new + 8, before)
    memory.write_pointer(before, new)


def list_add(memory: Memory, new: int, head: int) -> None:
    """Put *new* first."""
    _add(memory, new, head, memory.read_pointer(head))


def list_add_tail(memory: Memory, new: int, head: int) -> None:
    """Put *new* last."""
    _add(memory, new, memory.read_pointer(head + 8), head)


def list_del(memory: Memory, entry: int) -> None:
    """Take *entry* out; its own pointers stay."""
    following, before = memory.read_pointer(entry), memory.read_pointer(entry + 8)
    memory.write_pointer(following + 8, before)
    memory.write_pointer(before, following)


def list_del_init(memory: Memory, entry: int) -> None:
    """Take *entry* out and make it a list of its own."""
    list_del(memory, entry)
    INIT_LIST_HEAD(memory, entry)


def list_empty(memory: Memory, head: int) -> bool:
    return memory.read_pointer(head) == head


def list_entries(memory: Memory, head: int) -> Iterator[int]:
    """The entries' own list heads in order; the one that was returned last may be taken out meanwhile.

    :raises OSError: ELOOP for a list that does not end
    """
    entry = memory.read_pointer(head)
    for _ in range(_ENTRIES_MAX):
        if entry == head:
            return
        following = memory.read_pointer(entry)
        yield entry
        entry = following
    raise err(40)
