"""Netfilter: hooks, loggers, queues, socket options."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import declare_hook, declare_table, registered

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area(
    "net/netfilter/core.c",
    "net/netfilter/nf_log.c",
    "net/netfilter/nf_queue.c",
    "net/netfilter/nf_sockopt.c",
)

_NFPROTO_NUMPROTO, _NF_LOG_TYPE_MAX = 11, 2

export.data("const struct nf_nat_hook *nf_nat_hook")

export.data("const struct nf_ct_hook *nf_ct_hook")

export.data("const struct nfnl_ct_hook *nfnl_ct_hook")

export.data("const struct nf_ipv6_ops *nf_ipv6_ops")

export.data("const struct nf_conntrack_zone nf_ct_zone_dflt")

export.data("int sysctl_nf_log_all_netns")

declare_hook(export, "void nf_register_queue_handler(const struct nf_queue_handler *qh)", "nf_queue")


@export("void nf_unregister_queue_handler(void)")
def nf_unregister_queue_handler(kernel: Kernel) -> None:
    registered(kernel).remove_key("hook", "nf_queue")


# Logging of packets


@export("int nf_log_register(u_int8_t pf, struct nf_logger *logger)")
def nf_log_register(kernel: Kernel, pf: int, logger: StructView) -> int:
    registrations, type_ = registered(kernel), logger["type"]
    if pf >= _NFPROTO_NUMPROTO or type_ >= _NF_LOG_TYPE_MAX:
        raise err(errno.EINVAL)
    families = range(_NFPROTO_NUMPROTO) if pf == 0 else (pf,)
    if any(registrations.find("nf_logger", (family, type_)) is not None for family in families):
        raise err(errno.EEXIST)
    for family in families:
        registrations.add("nf_logger", (family, type_), logger.address)
    return 0


@export("void nf_log_unregister(struct nf_logger *logger)")
def nf_log_unregister(kernel: Kernel, logger: StructView) -> None:
    registered(kernel).remove("nf_logger", logger.address)


@export("int nf_log_set(struct net *net, u_int8_t pf, const struct nf_logger *logger)")
def nf_log_set(kernel: Kernel, net: StructView, pf: int, logger: StructView) -> int:
    if pf == 0 or pf >= _NFPROTO_NUMPROTO:
        raise err(errno.EOPNOTSUPP)
    where = net.at("nf.nf_loggers") + 8 * pf
    if not kernel.memory.read_pointer(where):
        kernel.memory.write_pointer(where, logger.address)
    return 0


@export("void nf_log_unset(struct net *net, const struct nf_logger *logger)")
def nf_log_unset(kernel: Kernel, net: StructView, logger: StructView) -> None:
    for pf in range(_NFPROTO_NUMPROTO):
        where = net.at("nf.nf_loggers") + 8 * pf
        if kernel.memory.read_pointer(where) == logger.address:
            kernel.memory.write_pointer(where, 0)


declare_table(
    export,
    "int nf_register_sockopt(struct nf_sockopt_ops *reg)",
    "void nf_unregister_sockopt(struct nf_sockopt_ops *reg)",
    lambda ops: ops.address,
    "nf_sockopt",
)


# Netfilter


@export("int nf_register_net_hook(struct net *net, const struct nf_hook_ops *reg)")
def nf_register_net_hook(kernel: Kernel, net: StructView, reg: StructView) -> int:
    registered(kernel).add("nf_hook", reg.address, reg.address)
    return 0


@export("void nf_unregister_net_hook(struct net *net, const struct nf_hook_ops *reg)")
def nf_unregister_net_hook(kernel: Kernel, net: StructView, reg: StructView) -> None:
    registered(kernel).remove("nf_hook", reg.address)


@export("int nf_register_net_hooks(struct net *net, const struct nf_hook_ops *reg, unsigned int n)")
def nf_register_net_hooks(kernel: Kernel, net: StructView, reg: StructView, n: int) -> int:
    for index in range(n):
        nf_register_net_hook(kernel, net, kernel.struct("nf_hook_ops", reg.address + index * reg.struct.size))
    return 0


@export("void nf_unregister_net_hooks(struct net *net, const struct nf_hook_ops *reg, unsigned int hookcount)")
def nf_unregister_net_hooks(kernel: Kernel, net: StructView, reg: StructView, hookcount: int) -> None:
    for index in range(hookcount):
        nf_unregister_net_hook(kernel, net, kernel.struct("nf_hook_ops", reg.address + index * reg.struct.size))
