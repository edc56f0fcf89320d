"""What modules register with IPv4: congestion control, upper-layer protocols, sockets, addresses' notifiers."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.lib.list import INIT_LIST_HEAD
from sysfsd.linux.registrations import BUILTIN, declare_chain, declare_table, registered, text_key

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area(
    "net/ipv4/ip_tunnel_core.c",
    "net/ipv4/devinet.c",
    "net/ipv4/tcp_cong.c",
    "net/ipv4/tcp_ulp.c",
    "net/ipv4/af_inet.c",
    "net/ipv4/udp_tunnel_stub.c",
    "net/ipv4/nexthop.c",
    "net/ipv4/inet_fragment.c",
)

export.data("const struct ip_tunnel_encap_ops *iptun_encaps[8]")

export.data("const struct ip6_tnl_encap_ops *ip6tun_encaps[8]")


declare_chain(export, "inetaddr", "register_inetaddr_notifier", "unregister_inetaddr_notifier")

declare_chain(
    export, "inetaddr_validator", "register_inetaddr_validator_notifier", "unregister_inetaddr_validator_notifier"
)


def _congestion(kernel: Kernel, ca: StructView) -> None:
    name = ca.string("name").decode("latin-1")
    if not ca["ssthresh"] or not ca["undo_cwnd"] or not (ca["cong_avoid"] or ca["cong_control"]):
        kernel.log.pr_err(f"TCP: {name} does not implement required ops")
        raise err(errno.EINVAL)
    if registered(kernel).find("tcp_congestion", name) is not None or name in BUILTIN["tcp_congestion"]:
        kernel.log.pr_notice(f"TCP: {name} already registered or non-unique key")


declare_table(
    export,
    "int tcp_register_congestion_control(struct tcp_congestion_ops *ca)",
    "void tcp_unregister_congestion_control(struct tcp_congestion_ops *ca)",
    text_key("name"),
    "tcp_congestion",
    check=_congestion,
)

declare_table(
    export,
    "int tcp_register_ulp(struct tcp_ulp_ops *ulp)",
    "void tcp_unregister_ulp(struct tcp_ulp_ops *ulp)",
    text_key("name"),
    "tcp_ulp",
)


@export("void inet_register_protosw(struct inet_protosw *p)")
def inet_register_protosw(kernel: Kernel, p: StructView) -> None:
    registered(kernel).add("inetsw", p.address, p.address)


@export("void inet_unregister_protosw(struct inet_protosw *p)")
def inet_unregister_protosw(kernel: Kernel, p: StructView) -> None:
    registered(kernel).remove("inetsw", p.address)


export.data("const struct udp_tunnel_nic_ops *udp_tunnel_nic_ops")


@export("int register_nexthop_notifier(struct net *net, struct notifier_block *nb, struct netlink_ext_ack *extack)")
def register_nexthop_notifier(kernel: Kernel, net: StructView, nb: StructView, extack: StructView) -> int:
    registered(kernel).chain_register("nexthop", nb.address)
    return 0


@export("int unregister_nexthop_notifier(struct net *net, struct notifier_block *nb)")
def unregister_nexthop_notifier(kernel: Kernel, net: StructView, nb: StructView) -> int:
    registered(kernel).chain_unregister("nexthop", nb.address)
    return 0


# Fragments


@export("int inet_frags_init(struct inet_frags *f)")
def inet_frags_init(kernel: Kernel, f: StructView) -> int:
    address = kernel.slab.kmalloc(kernel.image.structs["kmem_cache"].size)
    name = f.string("frags_cache_name")
    kernel.slab.create(name.decode("latin-1"), f["qsize"], 8, 0, address)
    view = kernel.struct("kmem_cache", address)
    view["object_size"], view["size"], view["name"] = f["qsize"], f["qsize"], kernel.slab.string(name)
    f["frags_cachep"], f["refcnt.refs.counter"] = address, 1
    INIT_LIST_HEAD(kernel.memory, f.at("completion.wait.task_list"))
    return 0


@export("void inet_frags_fini(struct inet_frags *f)")
def inet_frags_fini(kernel: Kernel, f: StructView) -> None:
    cache = kernel.slab.caches.get(f["frags_cachep"])
    if cache is not None:
        kernel.slab.destroy(cache, lambda cache: None)
    f["frags_cachep"] = 0
