"""Netlink sockets of the kernel, and families of generic netlink."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.locking.mutex_exports import mutex_lock, mutex_unlock
from sysfsd.linux.lib.list import INIT_LIST_HEAD
from sysfsd.linux.registrations import BUILTIN, declare_chain, registered

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("net/netlink/af_netlink.c", "net/netlink/genetlink.c")

_GENL_START_ALLOC = 19

declare_chain(export, "netlink", "netlink_register_notifier", "netlink_unregister_notifier")


# Generic netlink


@export("int genl_register_family(struct genl_family *family)")
def genl_register_family(kernel: Kernel, family: StructView) -> int:
    name = family.string("name").decode("latin-1")
    registrations = registered(kernel)
    if name in BUILTIN["genl_family"]:
        raise err(errno.EEXIST)
    registrations.add("genl_family", name, family.address)
    used = {kernel.struct("genl_family", other)["id"] for other in registrations.items("genl_family").values()}
    first = _GENL_START_ALLOC + 1 + len(BUILTIN["genl_family"])
    family["id"] = next(number for number in range(first, 1024) if number not in used)
    family["mcgrp_offset"] = family["id"]
    return 0


@export("int genl_unregister_family(const struct genl_family *family)")
def genl_unregister_family(kernel: Kernel, family: StructView) -> int:
    if not registered(kernel).remove("genl_family", family.address):
        raise err(errno.ENOENT)
    return 0


# Netlink


@export(
    "struct sock *__netlink_kernel_create(struct net *net, int unit, struct module *module,"
    " struct netlink_kernel_cfg *cfg)"
)
def __netlink_kernel_create(kernel: Kernel, net: StructView, unit: int, module: StructView, cfg: StructView) -> int:
    """The kernel's end of a netlink protocol; nobody is at the other."""
    if not 0 <= unit < 32 or unit in BUILTIN["netlink"] or registered(kernel).find("netlink", unit) is not None:
        return 0
    sock = kernel.struct("netlink_sock", kernel.slab.kmalloc(kernel.image.structs["netlink_sock"].size))
    sk = sock.sub("sk")
    sk["__sk_common.skc_family"], sk["__sk_common.skc_refcnt.refs.counter"] = 16, 1
    sk["__sk_common.skc_net.net"] = net.address
    sk["sk_protocol"] = unit
    for queue in ("sk_receive_queue", "sk_write_queue", "sk_error_queue"):
        head = sk.at(queue)
        kernel.memory.write_pointer(head, head)
        kernel.memory.write_pointer(head + 8, head)
    if cfg.address and cfg["input"]:
        sock["netlink_rcv"] = cfg["input"]
    if cfg.address:
        sock["ngroups"] = max(cfg["groups"], 32)
    registered(kernel).add("netlink", unit, sock.address)
    return sock.address


@export("void netlink_kernel_release(struct sock *sk)")
def netlink_kernel_release(kernel: Kernel, sk: StructView) -> None:
    if sk.address and registered(kernel).remove("netlink", sk.address):
        kernel.slab.kfree(sk.address)


class Genl:
    """The lock of generic netlink."""

    def __init__(self, kernel: Kernel) -> None:
        self.mutex = kernel.struct("mutex", kernel.slab.kmalloc(kernel.image.structs["mutex"].size))
        INIT_LIST_HEAD(kernel.memory, self.mutex.at("wait_list"))


@export("void genl_lock(void)")
def genl_lock(kernel: Kernel) -> None:
    mutex_lock(kernel, kernel.state(Genl).mutex)


@export("void genl_unlock(void)")
def genl_unlock(kernel: Kernel) -> None:
    mutex_unlock(kernel, kernel.state(Genl).mutex)
