"""Linked lists: the checks of each addition and removal, sorting, lists without locks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NoReturn

from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.printk.printk import Level

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/list_debug.c", "lib/list_sort.c", "lib/llist.c")

# include/linux/poison.h
LIST_POISON1: Final = 0xDEAD000000000100

LIST_POISON2: Final = 0xDEAD000000000122

_NEXT, _PREV = 0, 8


#: Where in the kernel each check stands, by its line.
_SITES: Final = {
    23: "__list_add_valid.cold+0xc",
    25: "__list_add_valid.cold+0x59",
    27: "__list_add_valid.cold+0x4b",
    30: "__list_add_valid.cold+0x3a",
    33: "__list_add_valid.cold+0x23",
    49: "__list_del_entry_valid.cold+0xf",
    51: "__list_del_entry_valid.cold+0x6d",
    53: "__list_del_entry_valid.cold+0x5c",
    56: "__list_del_entry_valid.cold+0x4b",
    59: "__list_del_entry_valid.cold+0x37",
    62: "__list_del_entry_valid.cold+0x23",
}


def _corrupt(kernel: Kernel, line: int, text: str) -> NoReturn:
    """``CHECK_DATA_CORRUPTION()``."""
    kernel.log.emit(text.encode() + b"\n", Level.ERR, caller=kernel.current.pid)
    kernel.traps.bug_at("lib/list_debug.c", line, _SITES[line])


@export("bool __list_add_valid(struct list_head *new, struct list_head *prev, struct list_head *next)")
def __list_add_valid(kernel: Kernel, new_: StructView, prev_: StructView, next_: StructView) -> bool:
    new, prev, following = new_.address, prev_.address, next_.address
    read = kernel.memory.read_pointer
    if not prev:
        _corrupt(kernel, 23, "list_add corruption. prev is NULL.")
    if not following:
        _corrupt(kernel, 25, "list_add corruption. next is NULL.")
    back = read(following + _PREV)
    if back != prev:
        _corrupt(
            kernel,
            27,
            f"list_add corruption. next->prev should be prev ({prev:016x}), but was {back:016x}."
            f" (next={following:016x}).",
        )
    forth = read(prev + _NEXT)
    if forth != following:
        _corrupt(
            kernel,
            30,
            f"list_add corruption. prev->next should be next ({following:016x}), but was {forth:016x}."
            f" (prev={prev:016x}).",
        )
    if new in (prev, following):
        _corrupt(kernel, 33, f"list_add double add: new={new:016x}, prev={prev:016x}, next={following:016x}.")
    return True


@export("bool __list_del_entry_valid(struct list_head *entry)")
def __list_del_entry_valid(kernel: Kernel, entry_: StructView) -> bool:
    entry = entry_.address
    read = kernel.memory.read_pointer
    prev, following = read(entry + _PREV), read(entry + _NEXT)
    if not following:
        _corrupt(kernel, 49, f"list_del corruption, {entry:016x}->next is NULL")
    if not prev:
        _corrupt(kernel, 51, f"list_del corruption, {entry:016x}->prev is NULL")
    if following == LIST_POISON1:
        _corrupt(kernel, 53, f"list_del corruption, {entry:016x}->next is LIST_POISON1 ({following:016x})")
    if prev == LIST_POISON2:
        _corrupt(kernel, 56, f"list_del corruption, {entry:016x}->prev is LIST_POISON2 ({prev:016x})")
    forth = read(prev + _NEXT)
    if forth != entry:
        _corrupt(
            kernel,
            59,
            f"list_del corruption. prev->next should be {entry:016x}, but was {forth:016x}. (prev={prev:016x})",
        )
    back = read(following + _PREV)
    if back != entry:
        _corrupt(
            kernel,
            62,
            f"list_del corruption. next->prev should be {entry:016x}, but was {back:016x}. (next={following:016x})",
        )
    return True


class _Entry:
    """An entry of a list that is being sorted: only whether one belongs behind another is asked."""

    __slots__ = ("_after", "address")

    def __init__(self, address: int, after: Callable[[int, int], bool]) -> None:
        self.address = address
        self._after = after

    def __lt__(self, earlier: _Entry) -> bool:
        return self._after(earlier.address, self.address)


@export(
    "void list_sort(void *priv, struct list_head *head,"
    " int (*cmp)(void *, const struct list_head *, const struct list_head *))"
)
def list_sort(kernel: Kernel, priv: int, head: StructView, cmp: int) -> None:
    """A stable sort, as the kernel's is; which entries it compares is another matter."""
    memory, start = kernel.memory, head.address
    entries: list[_Entry] = []
    at = memory.read_pointer(start + _NEXT)
    while at != start:
        entries.append(_Entry(at, lambda a, b: kernel.cpu.call(cmp, priv, a, b) > 0))
        at = memory.read_pointer(at + _NEXT)
    if len(entries) < 2:
        return
    entries.sort()
    order = [start, *(entry.address for entry in entries), start]
    for before, after in pairwise(order):
        memory.write_pointer(before + _NEXT, after)
        memory.write_pointer(after + _PREV, before)


# Lists without locks


@export("bool llist_add_batch(struct llist_node *new_first, struct llist_node *new_last, struct llist_head *head)")
def llist_add_batch(kernel: Kernel, new_first: StructView, new_last: StructView, head: StructView) -> bool:
    first = head["first"]
    new_last["next"] = first
    head["first"] = new_first.address
    return not first


@export("struct llist_node *llist_del_first(struct llist_head *head)")
def llist_del_first(kernel: Kernel, head: StructView) -> int:
    first = head["first"]
    if first:
        head["first"] = kernel.memory.read_pointer(first)
    return first


@export("struct llist_node *llist_reverse_order(struct llist_node *head)")
def llist_reverse_order(kernel: Kernel, head: StructView) -> int:
    memory = kernel.memory
    at, reversed_ = head.address, 0
    while at:
        following = memory.read_pointer(at)
        memory.write_pointer(at, reversed_)
        at, reversed_ = following, at
    return reversed_
