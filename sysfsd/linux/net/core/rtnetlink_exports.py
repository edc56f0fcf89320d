"""The RTNL lock, and kinds of links."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.locking.mutex_exports import (
    mutex_is_locked,
    mutex_lock,
    mutex_lock_killable,
    mutex_trylock,
    mutex_unlock,
)
from sysfsd.linux.net.core.net_namespace_exports import Net
from sysfsd.linux.registrations import declare_table, registered, text_key

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("net/core/rtnetlink.c")


def _rtnl_link(kernel: Kernel, ops: StructView) -> None:
    if (ops["alloc"] or ops["setup"]) and not ops["dellink"]:
        ops["dellink"] = kernel.exports.address_of("unregister_netdevice_queue")


declare_table(
    export,
    "int rtnl_link_register(struct rtnl_link_ops *ops)",
    "void rtnl_link_unregister(struct rtnl_link_ops *ops)",
    text_key("kind"),
    "rtnl_link",
    check=_rtnl_link,
)

declare_table(
    export,
    "void rtnl_af_register(struct rtnl_af_ops *ops)",
    "void rtnl_af_unregister(struct rtnl_af_ops *ops)",
    lambda ops: ops.address,
    "rtnl_af",
)


# rtnetlink


@export("void rtnl_lock(void)")
def rtnl_lock(kernel: Kernel) -> None:
    mutex_lock(kernel, kernel.state(Net).rtnl_mutex)


@export("void rtnl_unlock(void)")
def rtnl_unlock(kernel: Kernel) -> None:
    net = kernel.state(Net)
    mutex_unlock(kernel, net.rtnl_mutex)
    net.devices.run_todo()


@export("int rtnl_trylock(void)")
def rtnl_trylock(kernel: Kernel) -> int:
    return int(mutex_trylock(kernel, kernel.state(Net).rtnl_mutex))


@export("int rtnl_is_locked(void)")
def rtnl_is_locked(kernel: Kernel) -> int:
    return int(mutex_is_locked(kernel, kernel.state(Net).rtnl_mutex))


def _rtnl_set(kernel: Kernel, protocol: int, msgtype: int, doit: int, dumpit: int) -> None:
    """A later registration for the same message replaces what it gives of the earlier."""
    registrations = registered(kernel)
    for what, function in (("doit", doit), ("dumpit", dumpit)):
        if function:
            registrations.remove_key("rtnl", (protocol, msgtype, what))
            registrations.add("rtnl", (protocol, msgtype, what), function)


@export(
    "int rtnl_register_module(struct module *owner, int protocol, int msgtype, rtnl_doit_func doit,"
    " rtnl_dumpit_func dumpit, unsigned int flags)"
)
def rtnl_register_module(
    kernel: Kernel, owner: StructView, protocol: int, msgtype: int, doit: int, dumpit: int, flags: int
) -> int:
    _rtnl_set(kernel, protocol, msgtype, doit, dumpit)
    return 0


@export("int rtnl_unregister(int protocol, int msgtype)")
def rtnl_unregister(kernel: Kernel, protocol: int, msgtype: int) -> int:
    registrations = registered(kernel)
    found = [registrations.remove_key("rtnl", (protocol, msgtype, what)) for what in ("doit", "dumpit")]
    if not any(found):
        raise err(errno.ENOENT)
    return 0


@export("void rtnl_unregister_all(int protocol)")
def rtnl_unregister_all(kernel: Kernel, protocol: int) -> None:
    registrations = registered(kernel)
    for key in registrations.items("rtnl"):
        if isinstance(key, tuple) and key[0] == protocol:
            registrations.remove_key("rtnl", key)


@export("int rtnl_lock_killable(void)")
def rtnl_lock_killable(kernel: Kernel) -> int:
    return mutex_lock_killable(kernel, kernel.state(Net).rtnl_mutex)


@export("int __rtnl_link_register(struct rtnl_link_ops *ops)")
def __rtnl_link_register(kernel: Kernel, ops: StructView) -> int:
    if (ops["alloc"] or ops["setup"]) and not ops["dellink"]:
        ops["dellink"] = kernel.exports.address_of("unregister_netdevice_queue")
    registered(kernel).add("rtnl_link", ops.string("kind").decode("latin-1"), ops.address)
    return 0


@export("void __rtnl_link_unregister(struct rtnl_link_ops *ops)")
def __rtnl_link_unregister(kernel: Kernel, ops: StructView) -> None:
    registered(kernel).remove("rtnl_link", ops.address)
