"""Packets, and the polling of devices for them."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.mm.memory import PageFault
from sysfsd.linux.net.core.skbuff import SkBuffs

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("net/core/skbuff.c", "net/core/dev.c")


def skbs_of(kernel: Kernel) -> SkBuffs:
    return kernel.state(SkBuffs)


def return_address(kernel: Kernel) -> int:
    """``__builtin_return_address(0)``."""
    return kernel.memory.read_pointer(kernel.current.sp)


# Allocating


@export("struct sk_buff *__alloc_skb(unsigned int size, gfp_t gfp_mask, int flags, int node)")
def __alloc_skb(kernel: Kernel, size: int, gfp_mask: int, flags: int, node: int) -> StructView | None:
    try:
        return skbs_of(kernel).alloc(size)
    except OSError:
        return None


@export("struct sk_buff *__netdev_alloc_skb(struct net_device *dev, unsigned int len, gfp_t gfp_mask)")
def __netdev_alloc_skb(kernel: Kernel, dev: StructView, length: int, gfp_mask: int) -> StructView | None:
    try:
        return skbs_of(kernel).netdev_alloc(dev.address, length)
    except OSError:
        return None


@export("struct sk_buff *__napi_alloc_skb(struct napi_struct *napi, unsigned int len, gfp_t gfp_mask)")
def __napi_alloc_skb(kernel: Kernel, napi: StructView, length: int, gfp_mask: int) -> StructView | None:
    return __netdev_alloc_skb(kernel, napi.to("dev"), length, gfp_mask)


@export("struct sk_buff *build_skb(void *data, unsigned int frag_size)")
def build_skb(kernel: Kernel, data: int, frag_size: int) -> StructView:
    return skbs_of(kernel).build(data, frag_size)


@export("struct sk_buff *skb_clone(struct sk_buff *skb, gfp_t gfp_mask)")
def skb_clone(kernel: Kernel, skb: StructView, gfp_mask: int) -> StructView:
    return skbs_of(kernel).clone(skb)


@export("struct sk_buff *skb_copy(const struct sk_buff *skb, gfp_t gfp_mask)")
def skb_copy(kernel: Kernel, skb: StructView, gfp_mask: int) -> StructView:
    return skbs_of(kernel).copy(skb)


@export("struct sk_buff *skb_copy_expand(const struct sk_buff *skb, int newheadroom, int newtailroom, gfp_t gfp_mask)")
def skb_copy_expand(kernel: Kernel, skb: StructView, newheadroom: int, newtailroom: int, gfp_mask: int) -> StructView:
    return skbs_of(kernel).copy(skb, newheadroom, newtailroom)


@export("int pskb_expand_head(struct sk_buff *skb, int nhead, int ntail, gfp_t gfp_mask)")
def pskb_expand_head(kernel: Kernel, skb: StructView, nhead: int, ntail: int, gfp_mask: int) -> int:
    skbs_of(kernel).expand_head(skb, nhead, ntail)
    return 0


@export("struct sk_buff *skb_realloc_headroom(struct sk_buff *skb, unsigned int headroom)")
def skb_realloc_headroom(kernel: Kernel, skb: StructView, headroom: int) -> StructView:
    skbs = skbs_of(kernel)
    other = skbs.clone(skb)
    more = headroom - skbs.headroom(skb)
    if more > 0:
        skbs.expand_head(other, (more + 63) & -64, 0)
    return other


# Freeing


@export(
    "void kfree_skb_reason(struct sk_buff *skb, enum skb_drop_reason reason)",
    "void consume_skb(struct sk_buff *skb)",
    "void __dev_kfree_skb_any(struct sk_buff *skb, enum skb_free_reason reason)",
    "void __dev_kfree_skb_irq(struct sk_buff *skb, enum skb_free_reason reason)",
    "void napi_consume_skb(struct sk_buff *skb, int budget)",
)
def kfree_skb_reason(kernel: Kernel, skb: StructView, *_: int) -> None:
    skbs_of(kernel).free(skb)


@export("void kfree_skb_list_reason(struct sk_buff *segs, enum skb_drop_reason reason)")
def kfree_skb_list_reason(kernel: Kernel, segs: StructView, reason: int) -> None:
    while segs.address:
        following = segs.to("next")
        skbs_of(kernel).free(segs)
        segs = following


# Their data


@export("void *skb_put(struct sk_buff *skb, unsigned int len)")
def skb_put(kernel: Kernel, skb: StructView, length: int) -> int:
    return skbs_of(kernel).put(skb, length, return_address(kernel))


@export("void *skb_push(struct sk_buff *skb, unsigned int len)")
def skb_push(kernel: Kernel, skb: StructView, length: int) -> int:
    return skbs_of(kernel).push(skb, length, return_address(kernel))


@export("void *skb_pull(struct sk_buff *skb, unsigned int len)")
def skb_pull(kernel: Kernel, skb: StructView, length: int) -> int:
    return skbs_of(kernel).pull(skb, length)


@export("void skb_trim(struct sk_buff *skb, unsigned int len)")
def skb_trim(kernel: Kernel, skb: StructView, length: int) -> None:
    skbs_of(kernel).trim(skb, length)


@export("int ___pskb_trim(struct sk_buff *skb, unsigned int len)")
def ___pskb_trim(kernel: Kernel, skb: StructView, length: int) -> int:
    skbs_of(kernel).trim(skb, length)
    return 0


@export("int skb_copy_bits(const struct sk_buff *skb, int offset, void *to, int len)")
def skb_copy_bits(kernel: Kernel, skb: StructView, offset: int, to: int, length: int) -> int:
    if offset > skb["len"] - length:
        raise err(errno.EFAULT)
    kernel.memory.write(to, kernel.memory.read(skb["data"] + offset, length))
    return 0


@export("int __skb_pad(struct sk_buff *skb, int pad, bool free_on_error)")
def __skb_pad(kernel: Kernel, skb: StructView, pad: int, free_on_error: bool) -> int:
    missing = pad - (skb["end"] - skb["tail"])
    if missing > 0 or skb["cloned"]:
        try:
            skbs_of(kernel).expand_head(skb, 0, max(missing, 0))
        except PageFault:
            raise
        except OSError:
            if free_on_error:
                skbs_of(kernel).free(skb)
            raise
    kernel.memory.write(skb["data"] + skb["len"], bytes(pad))
    return 0


# Lists of them


def _insert(kernel: Kernel, head: StructView, skb: StructView, before: int, following: int) -> None:
    skb["prev"], skb["next"] = before, following
    kernel.struct("sk_buff", before)["next"] = skb.address
    kernel.struct("sk_buff", following)["prev"] = skb.address
    head["qlen"] += 1


def _remove(kernel: Kernel, head: StructView, skb: StructView) -> None:
    before, following = skb["prev"], skb["next"]
    kernel.struct("sk_buff", before)["next"] = following
    kernel.struct("sk_buff", following)["prev"] = before
    skb["prev"] = skb["next"] = 0
    head["qlen"] -= 1


@export("void skb_queue_tail(struct sk_buff_head *list, struct sk_buff *newsk)")
def skb_queue_tail(kernel: Kernel, list: StructView, newsk: StructView) -> None:
    _insert(kernel, list, newsk, list["prev"], list.address)


@export("void skb_queue_head(struct sk_buff_head *list, struct sk_buff *newsk)")
def skb_queue_head(kernel: Kernel, list: StructView, newsk: StructView) -> None:
    _insert(kernel, list, newsk, list.address, list["next"])


def _dequeue(kernel: Kernel, list: StructView, member: str) -> StructView | None:
    found = list[member]
    if found == list.address:
        return None
    skb = kernel.struct("sk_buff", found)
    _remove(kernel, list, skb)
    return skb


@export("struct sk_buff *skb_dequeue(struct sk_buff_head *list)")
def skb_dequeue(kernel: Kernel, list: StructView) -> StructView | None:
    return _dequeue(kernel, list, "next")


@export("struct sk_buff *skb_dequeue_tail(struct sk_buff_head *list)")
def skb_dequeue_tail(kernel: Kernel, list: StructView) -> StructView | None:
    return _dequeue(kernel, list, "prev")


@export("void skb_queue_purge(struct sk_buff_head *list)")
def skb_queue_purge(kernel: Kernel, list: StructView) -> None:
    while (skb := _dequeue(kernel, list, "next")) is not None:
        skbs_of(kernel).free(skb)


@export("void skb_unlink(struct sk_buff *skb, struct sk_buff_head *list)")
def skb_unlink(kernel: Kernel, skb: StructView, list: StructView) -> None:
    _remove(kernel, list, skb)
