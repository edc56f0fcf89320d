"""Packets, and the polling of devices for them."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.kernel.err import err
from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.memory import PageFault
from sysfsd.kernel.sched import SOFTIRQ_OFFSET
from sysfsd.kernel.skbuff import Napi, SkBuffs

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("skbuff", "net/core/skbuff.c, net/core/dev.c, net/ethernet/eth.c")

_GRO_NORMAL = 3


def _skbs(kernel: Kernel) -> SkBuffs:
    return kernel.state(SkBuffs)


def _caller(kernel: Kernel) -> int:
    """``__builtin_return_address(0)``."""
    return kernel.memory.read_pointer(kernel.current.sp)


# Allocating


@export("struct sk_buff *__alloc_skb(unsigned int size, gfp_t gfp_mask, int flags, int node)")
def __alloc_skb(kernel: Kernel, size: int, gfp_mask: int, flags: int, node: int) -> StructView | None:
    try:
        return _skbs(kernel).alloc(size)
    except OSError:
        return None


@export("struct sk_buff *__netdev_alloc_skb(struct net_device *dev, unsigned int len, gfp_t gfp_mask)")
def __netdev_alloc_skb(kernel: Kernel, dev: StructView, length: int, gfp_mask: int) -> StructView | None:
    try:
        return _skbs(kernel).netdev_alloc(dev.address, length)
    except OSError:
        return None


@export("struct sk_buff *__napi_alloc_skb(struct napi_struct *napi, unsigned int len, gfp_t gfp_mask)")
def __napi_alloc_skb(kernel: Kernel, napi: StructView, length: int, gfp_mask: int) -> StructView | None:
    return __netdev_alloc_skb(kernel, napi.to("dev"), length, gfp_mask)  # type: ignore[no-any-return]


@export("struct sk_buff *build_skb(void *data, unsigned int frag_size)")
def build_skb(kernel: Kernel, data: int, frag_size: int) -> StructView:
    return _skbs(kernel).build(data, frag_size)


@export("struct sk_buff *skb_clone(struct sk_buff *skb, gfp_t gfp_mask)")
def skb_clone(kernel: Kernel, skb: StructView, gfp_mask: int) -> StructView:
    return _skbs(kernel).clone(skb)


@export("struct sk_buff *skb_copy(const struct sk_buff *skb, gfp_t gfp_mask)")
def skb_copy(kernel: Kernel, skb: StructView, gfp_mask: int) -> StructView:
    return _skbs(kernel).copy(skb)


@export("struct sk_buff *skb_copy_expand(const struct sk_buff *skb, int newheadroom, int newtailroom, gfp_t gfp_mask)")
def skb_copy_expand(kernel: Kernel, skb: StructView, newheadroom: int, newtailroom: int, gfp_mask: int) -> StructView:
    return _skbs(kernel).copy(skb, newheadroom, newtailroom)


@export("int pskb_expand_head(struct sk_buff *skb, int nhead, int ntail, gfp_t gfp_mask)")
def pskb_expand_head(kernel: Kernel, skb: StructView, nhead: int, ntail: int, gfp_mask: int) -> int:
    _skbs(kernel).expand_head(skb, nhead, ntail)
    return 0


@export("struct sk_buff *skb_realloc_headroom(struct sk_buff *skb, unsigned int headroom)")
def skb_realloc_headroom(kernel: Kernel, skb: StructView, headroom: int) -> StructView:
    skbs = _skbs(kernel)
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
    _skbs(kernel).free(skb)


@export("void kfree_skb_list_reason(struct sk_buff *segs, enum skb_drop_reason reason)")
def kfree_skb_list_reason(kernel: Kernel, segs: StructView, reason: int) -> None:
    while segs.address:
        following = segs.to("next")
        _skbs(kernel).free(segs)
        segs = following


# Their data


@export("void *skb_put(struct sk_buff *skb, unsigned int len)")
def skb_put(kernel: Kernel, skb: StructView, length: int) -> int:
    return _skbs(kernel).put(skb, length, _caller(kernel))


@export("void *skb_push(struct sk_buff *skb, unsigned int len)")
def skb_push(kernel: Kernel, skb: StructView, length: int) -> int:
    return _skbs(kernel).push(skb, length, _caller(kernel))


@export("void *skb_pull(struct sk_buff *skb, unsigned int len)")
def skb_pull(kernel: Kernel, skb: StructView, length: int) -> int:
    return _skbs(kernel).pull(skb, length)


@export("void skb_trim(struct sk_buff *skb, unsigned int len)")
def skb_trim(kernel: Kernel, skb: StructView, length: int) -> None:
    _skbs(kernel).trim(skb, length)


@export("int ___pskb_trim(struct sk_buff *skb, unsigned int len)")
def ___pskb_trim(kernel: Kernel, skb: StructView, length: int) -> int:
    _skbs(kernel).trim(skb, length)
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
            _skbs(kernel).expand_head(skb, 0, max(missing, 0))
        except PageFault:
            raise
        except OSError:
            if free_on_error:
                _skbs(kernel).free(skb)
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
        _skbs(kernel).free(skb)


@export("void skb_unlink(struct sk_buff *skb, struct sk_buff_head *list)")
def skb_unlink(kernel: Kernel, skb: StructView, list: StructView) -> None:
    _remove(kernel, list, skb)


# Ethernet


@export("__be16 eth_type_trans(struct sk_buff *skb, struct net_device *dev)")
def eth_type_trans(kernel: Kernel, skb: StructView, dev: StructView) -> int:
    return _skbs(kernel).eth_type_trans(skb, dev)


@export(
    "int eth_header(struct sk_buff *skb, struct net_device *dev, unsigned short type, const void *daddr,"
    " const void *saddr, unsigned int len)"
)
def eth_header(kernel: Kernel, skb: StructView, dev: StructView, type: int, daddr: int, saddr: int, length: int) -> int:
    memory = kernel.memory
    where = _skbs(kernel).push(skb, 14, _caller(kernel))
    protocol = length if type in (1, 4) else type
    memory.write(where + 6, memory.read(saddr or dev["dev_addr"], 6) + (protocol & 0xFFFF).to_bytes(2, "big"))
    if daddr:
        memory.write(where, memory.read(daddr, 6))
        return 14
    if dev["flags"] & 0x88:
        memory.write(where, bytes(6))
        return 14
    return -14


@export("int eth_header_parse(const struct sk_buff *skb, unsigned char *haddr)")
def eth_header_parse(kernel: Kernel, skb: StructView, haddr: int) -> int:
    kernel.memory.write(haddr, kernel.memory.read(skb["head"] + skb["mac_header"] + 6, 6))
    return 6


@export("__be16 eth_header_parse_protocol(const struct sk_buff *skb)")
def eth_header_parse_protocol(kernel: Kernel, skb: StructView) -> int:
    return kernel.memory.read_int(skb["head"] + skb["mac_header"] + 12, 2)


# Receiving


@export("int netif_rx(struct sk_buff *skb)", "int __netif_rx(struct sk_buff *skb)")
def netif_rx(kernel: Kernel, skb: StructView) -> int:
    ret = kernel.state(Napi).netif_rx(skb)
    if not kernel.sched.preempt_count & ~(SOFTIRQ_OFFSET - 1):
        kernel.softirq.do_softirq()
    return ret


@export("int netif_receive_skb(struct sk_buff *skb)", "int netif_receive_skb_core(struct sk_buff *skb)")
def netif_receive_skb(kernel: Kernel, skb: StructView) -> int:
    return _skbs(kernel).receive(skb)


@export("gro_result_t napi_gro_receive(struct napi_struct *napi, struct sk_buff *skb)")
def napi_gro_receive(kernel: Kernel, napi: StructView, skb: StructView) -> int:
    """No packets are put together."""
    _skbs(kernel).receive(skb)
    return _GRO_NORMAL


# Sending


@export("int __dev_queue_xmit(struct sk_buff *skb, struct net_device *sb_dev)")
def __dev_queue_xmit(kernel: Kernel, skb: StructView, sb_dev: StructView) -> int:
    return _skbs(kernel).transmit(skb)


# Polling


@export(
    "void netif_napi_add_weight(struct net_device *dev, struct napi_struct *napi,"
    " int (*poll)(struct napi_struct *, int), int weight)"
)
def netif_napi_add_weight(kernel: Kernel, dev: StructView, napi: StructView, poll: int, weight: int) -> None:
    kernel.state(Napi).add(dev, napi, poll, weight)


@export("void __netif_napi_del(struct napi_struct *napi)")
def __netif_napi_del(kernel: Kernel, napi: StructView) -> None:
    kernel.state(Napi).delete(napi)


@export("void napi_enable(struct napi_struct *n)")
def napi_enable(kernel: Kernel, n: StructView) -> None:
    kernel.state(Napi).enable(n)


@export("void napi_disable(struct napi_struct *n)")
def napi_disable(kernel: Kernel, n: StructView) -> None:
    kernel.state(Napi).disable(n)


@export("bool napi_schedule_prep(struct napi_struct *n)")
def napi_schedule_prep(kernel: Kernel, n: StructView) -> bool:
    return kernel.state(Napi).schedule_prep(n)


@export("void __napi_schedule(struct napi_struct *n)", "void __napi_schedule_irqoff(struct napi_struct *n)")
def __napi_schedule(kernel: Kernel, n: StructView) -> None:
    kernel.state(Napi).schedule(n)


@export("bool napi_complete_done(struct napi_struct *n, int work_done)")
def napi_complete_done(kernel: Kernel, n: StructView, work_done: int) -> bool:
    return kernel.state(Napi).complete_done(n)
