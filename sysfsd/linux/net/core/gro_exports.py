"""Handlers of generic receive offload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.net.core.skbuff_exports import skbs_of
from sysfsd.linux.registrations import registered

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("net/core/gro.c")


@export("void dev_add_offload(struct packet_offload *po)")
def dev_add_offload(kernel: Kernel, po: StructView) -> None:
    registered(kernel).add("packet_offload", po.address, po.address)


@export("void dev_remove_offload(struct packet_offload *po)")
def dev_remove_offload(kernel: Kernel, po: StructView) -> None:
    registered(kernel).remove("packet_offload", po.address)


_GRO_NORMAL = 3


@export("gro_result_t napi_gro_receive(struct napi_struct *napi, struct sk_buff *skb)")
def napi_gro_receive(kernel: Kernel, napi: StructView, skb: StructView) -> int:
    """No packets are put together."""
    skbs_of(kernel).receive(skb)
    return _GRO_NORMAL
