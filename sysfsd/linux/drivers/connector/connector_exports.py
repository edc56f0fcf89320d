"""Callbacks of the connector, messages to and from user space over netlink."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import registered

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/connector/connector.c")


@export(
    "int cn_add_callback(const struct cb_id *id, const char *name,"
    " void (*callback)(struct cn_msg *, struct netlink_skb_parms *))"
)
def cn_add_callback(kernel: Kernel, id: StructView, name: bytes | None, callback: int) -> int:
    registered(kernel).add("connector", (id["idx"], id["val"]), callback, errno.EINVAL)
    return 0


@export("void cn_del_callback(const struct cb_id *id)")
def cn_del_callback(kernel: Kernel, id: StructView) -> None:
    registered(kernel).remove_key("connector", (id["idx"], id["val"]))
