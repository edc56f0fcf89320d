"""Sorting and searching arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("lib/sort.c", "lib/bsearch.c")


def _heapsort(num: int, compare: Callable[[int, int], int], swap: Callable[[int, int], None]) -> None:
    """Sort *num* elements in place, which go by their numbers.

    What is equal comes to lie as in the kernel: a path of larger children is followed down to a leaf, then back up to
    where the element belongs.
    """

    def sift(root: int, end: int) -> None:
        leaf = root
        while (right := 2 * leaf + 2) < end:
            leaf = right - 1 if compare(right - 1, right) >= 0 else right
        if right == end:
            leaf = right - 1
        while leaf != root and compare(root, leaf) >= 0:
            leaf = (leaf - 1) // 2
        place = leaf
        while leaf != root:
            leaf = (leaf - 1) // 2
            swap(leaf, place)

    for root in range(num // 2 - 1, -1, -1):
        sift(root, num)
    for end in range(num - 1, 0, -1):
        swap(0, end)
        sift(0, end)


def _sort(
    kernel: Kernel, base: int, num: int, size: int, compare: Callable[[int, int], int], swap: int, *priv: int
) -> None:
    memory = kernel.memory

    def exchange(a: int, b: int) -> None:
        if swap:
            kernel.cpu.call(swap, base + a * size, base + b * size, size, *priv)
            return
        first = memory.read(base + a * size, size)
        memory.write(base + a * size, memory.read(base + b * size, size))
        memory.write(base + b * size, first)

    _heapsort(num, lambda a, b: compare(base + a * size, base + b * size), exchange)


@export(
    "void sort(void *base, size_t num, size_t size, int (*cmp_func)(const void *, const void *),"
    " void (*swap_func)(void *, void *, int))"
)
def sort(kernel: Kernel, base: int, num: int, size: int, cmp_func: int, swap_func: int) -> None:
    _sort(kernel, base, num, size, lambda a, b: kernel.cpu.call(cmp_func, a, b), swap_func)


@export(
    "void sort_r(void *base, size_t num, size_t size, int (*cmp_func)(const void *, const void *, const void *),"
    " void (*swap_func)(void *, void *, int, const void *), const void *priv)"
)
def sort_r(kernel: Kernel, base: int, num: int, size: int, cmp_func: int, swap_func: int, priv: int) -> None:
    _sort(kernel, base, num, size, lambda a, b: kernel.cpu.call(cmp_func, a, b, priv), swap_func, priv)


@export(
    "void *bsearch(const void *key, const void *base, size_t num, size_t size, int (*cmp)(const void *, const void *))"
)
def bsearch(kernel: Kernel, key: int, base: int, num: int, size: int, cmp: int) -> int:
    while num:
        pivot = base + (num >> 1) * size
        result = kernel.cpu.call(cmp, key, pivot)
        if result == 0:
            return pivot
        if result > 0:
            base = pivot + size
            num -= 1
        num >>= 1
    return 0
