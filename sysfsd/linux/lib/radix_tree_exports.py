"""What modules call of radix trees."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.lib.radix_tree import RadixTree
from sysfsd.linux.lib.xarray import CHUNK_MASK, MARK_SHIFT, is_internal
from sysfsd.linux.mm.gfp import GFP_DIRECT_RECLAIM

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/radix-tree.c")

_U64: Final = (1 << 64) - 1
_HEAD: Final = 8

# What the iterator is to look for (radix_tree_next_chunk()).
_ITER_TAG_MASK: Final = 0x0F
_ITER_TAGGED: Final = 0x10
_ITER_CONTIG: Final = 0x20


@export("void idr_destroy(struct idr *idr)")
def idr_destroy(kernel: Kernel, idr: StructView) -> None:
    RadixTree(kernel, idr.at("idr_rt")).destroy()


@export("void idr_preload(gfp_t gfp_mask)")
def idr_preload(kernel: Kernel, gfp_mask: int) -> None:
    """What ends it, inlined in the module, enables preemption again."""
    kernel.sched.preempt_count += 1


# Radix trees


@export("int radix_tree_insert(struct xarray *root, unsigned long index, void *item)")
def radix_tree_insert(kernel: Kernel, root: StructView, index: int, item: int) -> int:
    if is_internal(item):
        kernel.traps.bug_at("lib/radix-tree.c", 708, "radix_tree_insert+0x1a8")
    xas = RadixTree(kernel, root.address, index)
    if xas.create(True):
        raise err(errno.EEXIST)
    if xas.error:
        raise err(xas.error)
    xas.set(xas.place(), item)
    xas.update_node(1, item & 1)
    return 0


@export("void *radix_tree_lookup(const struct xarray *root, unsigned long index)")
def radix_tree_lookup(kernel: Kernel, root: StructView, index: int) -> int:
    return RadixTree(kernel, root.address, index).load()


@export("void **radix_tree_lookup_slot(const struct xarray *root, unsigned long index)")
def radix_tree_lookup_slot(kernel: Kernel, root: StructView, index: int) -> int:
    xas = RadixTree(kernel, root.address, index)
    return xas.place() if xas.load() else 0


@export("void radix_tree_replace_slot(struct xarray *root, void **slot, void *item)")
def radix_tree_replace_slot(kernel: Kernel, root: StructView, slot: int, item: int) -> None:
    old = kernel.memory.read_pointer(slot)
    if slot != root.address + _HEAD and (bool(item) != bool(old) or (item ^ old) & 1):
        kernel.traps.warn_at("lib/radix-tree.c", 886, site="radix_tree_replace_slot+0x4f", once=True)
    kernel.memory.write_pointer(slot, item)


@export("void *radix_tree_delete_item(struct xarray *root, unsigned long index, void *item)")
def radix_tree_delete_item(kernel: Kernel, root: StructView, index: int, item: int) -> int:
    xas = RadixTree(kernel, root.address, index)
    entry = xas.load()
    if xas.invalid or not (entry or (xas.track_free and xas.taken)) or (item and entry != item):
        return 0
    xas.remove(entry)
    return entry


@export("void *radix_tree_delete(struct xarray *root, unsigned long index)")
def radix_tree_delete(kernel: Kernel, root: StructView, index: int) -> int:
    return radix_tree_delete_item(kernel, root, index, 0)


@export("void *radix_tree_tag_set(struct xarray *root, unsigned long index, unsigned int tag)")
def radix_tree_tag_set(kernel: Kernel, root: StructView, index: int, tag: int) -> int:
    xas = RadixTree(kernel, root.address, index)
    entry = xas.load()
    if xas.invalid:
        kernel.traps.bug_at("lib/radix-tree.c", 972, "radix_tree_tag_set+0xab")
    if xas.node and not entry:
        kernel.traps.bug_at("lib/radix-tree.c", 979, "radix_tree_tag_set+0x7b")
    xas.set_mark(tag)
    return entry


@export("void *radix_tree_tag_clear(struct xarray *root, unsigned long index, unsigned int tag)")
def radix_tree_tag_clear(kernel: Kernel, root: StructView, index: int, tag: int) -> int:
    xas = RadixTree(kernel, root.address, index)
    entry = xas.load()
    if entry:
        xas.clear_mark(tag)
    return entry


@export("int radix_tree_tag_get(const struct xarray *root, unsigned long index, unsigned int tag)")
def radix_tree_tag_get(kernel: Kernel, root: StructView, index: int, tag: int) -> bool:
    xas = RadixTree(kernel, root.address, index)
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
        for xas in RadixTree.entries(kernel, root.address, first_index, mark):
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
    xas = RadixTree(kernel, root.address, index)
    tag = flags & _ITER_TAG_MASK if flags & _ITER_TAGGED else None
    if not xas.seek(tag, bool(flags & _ITER_CONTIG)):
        return 0
    node = xas.node
    iter["index"], iter["node"] = xas.index, node
    iter["next_index"] = (xas.index | CHUNK_MASK) + 1 & _U64 if node else 1
    if not node:
        iter["tags"] = 1
    elif tag is not None:
        iter["tags"] = xas.marks(node, tag) >> xas.offset
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
    xas = RadixTree(kernel, root.address, index)
    entry = xas.load()
    if xas.invalid:
        return
    xas.remove(entry)
    if xas.node != iter["node"]:  # it has been freed
        iter["index"] = iter["next_index"]


@export("int radix_tree_preload(gfp_t gfp_mask)")
def radix_tree_preload(kernel: Kernel, gfp_mask: int) -> int:
    if not gfp_mask & GFP_DIRECT_RECLAIM:
        kernel.traps.warn_at("lib/radix-tree.c", 366, site="radix_tree_preload+0x12", once=True)
    return int(radix_tree_maybe_preload(kernel, gfp_mask))


@export("int radix_tree_maybe_preload(gfp_t gfp_mask)")
def radix_tree_maybe_preload(kernel: Kernel, gfp_mask: int) -> int:
    """What ends it, inlined in the module, enables preemption again."""
    kernel.sched.preempt_count += 1
    return 0
