"""Families of sockets, and ioctls that modules take over."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.net.core.net_namespace_exports import NPROTO
from sysfsd.linux.registrations import BUILTIN, declare_hook, registered

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("net/socket.c")

_FAMILIES = (
    "PF_UNSPEC", "PF_UNIX/PF_LOCAL", "PF_INET", "PF_AX25", "PF_IPX", "PF_APPLETALK", "PF_NETROM", "PF_BRIDGE",
    "PF_ATMPVC", "PF_X25", "PF_INET6", "PF_ROSE", "PF_DECnet", "PF_NETBEUI", "PF_SECURITY", "PF_KEY",
    "PF_NETLINK/PF_ROUTE", "PF_PACKET", "PF_ASH", "PF_ECONET", "PF_ATMSVC", "PF_RDS", "PF_SNA", "PF_IRDA", "PF_PPPOX",
    "PF_WANPIPE", "PF_LLC", "PF_IB", "PF_MPLS", "PF_CAN", "PF_TIPC", "PF_BLUETOOTH", "PF_IUCV", "PF_RXRPC", "PF_ISDN",
    "PF_PHONET", "PF_IEEE802154", "PF_CAIF", "PF_ALG", "PF_NFC", "PF_VSOCK", "PF_KCM", "PF_QIPCRTR", "PF_SMC",
    "PF_XDP", "PF_MCTP",
)  # fmt: skip


@export("int sock_register(const struct net_proto_family *ops)")
def sock_register(kernel: Kernel, ops: StructView) -> int:
    family = ops["family"]
    if not 0 <= family < NPROTO:
        kernel.log.pr_crit(f"protocol {family} >= NPROTO({NPROTO})")
        raise err(errno.ENOBUFS)
    if family in BUILTIN["family"]:
        raise err(errno.EEXIST)
    registered(kernel).add("family", family, ops.address)
    kernel.log.pr_info(f"NET: Registered {_FAMILIES[family]} protocol family")
    return 0


@export("void sock_unregister(int family)")
def sock_unregister(kernel: Kernel, family: int) -> None:
    if not 0 <= family < NPROTO:
        kernel.traps.bug_here("net/socket.c", 3133)
    registered(kernel).remove_key("family", family)
    kernel.log.pr_info(f"NET: Unregistered {_FAMILIES[family]} protocol family")


declare_hook(export, "void vlan_ioctl_set(int (*hook)(struct net *, void *))", "vlan_ioctl")

declare_hook(export, "void brioctl_set(int (*hook)(struct net *, unsigned int, void *))", "br_ioctl")
