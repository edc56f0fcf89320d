"""Encapsulations of light-weight tunnels."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import registered

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("net/core/lwtunnel.c")


@export("int lwtunnel_encap_add_ops(const struct lwtunnel_encap_ops *ops, unsigned int num)")
def lwtunnel_encap_add_ops(kernel: Kernel, ops: StructView, num: int) -> int:
    if num > 11:
        raise err(errno.ERANGE)
    if registered(kernel).find("lwtunnel", num) is not None:
        return -1
    registered(kernel).add("lwtunnel", num, ops.address)
    return 0


@export("int lwtunnel_encap_del_ops(const struct lwtunnel_encap_ops *ops, unsigned int encap_type)")
def lwtunnel_encap_del_ops(kernel: Kernel, ops: StructView, encap_type: int) -> int:
    if encap_type in (0,) or encap_type > 11:
        raise err(errno.ERANGE)
    return 0 if registered(kernel).remove("lwtunnel", ops.address) else -1
