"""Places in the network stack that one module fills, or several in an order, and which nothing here ever calls."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.kernel.err import err
from sysfsd.kernel.exports.locking import mutex_lock, mutex_unlock
from sysfsd.kernel.exports.net import Net
from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.list import INIT_LIST_HEAD
from sysfsd.kernel.registrations import Registrations

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area(
    "net_hooks",
    "net/socket.c, net/netfilter/, net/xfrm/, net/ipv4/xfrm4_protocol.c, net/ipv6/xfrm6_protocol.c, net/netlink/,"
    " net/l3mdev/l3mdev.c, net/ipv4/inet_fragment.c",
)

_AF_INET, _AF_INET6 = 2, 10
_ESP, _AH, _COMP = 50, 51, 108
_NFPROTO_NUMPROTO, _NF_LOG_TYPE_MAX = 11, 2
_MAX_LINKS = 32
#: Protocols of netlink that the kernel proper serves.
_BUILTIN_NETLINK = {0, 2, 4, 9, 10, 15, 16, 18}

export.data("const struct nf_nat_hook *nf_nat_hook")
export.data("const struct nf_ct_hook *nf_ct_hook")
export.data("const struct nfnl_ct_hook *nfnl_ct_hook")
export.data("const struct nf_ipv6_ops *nf_ipv6_ops")
export.data("void *nfct_btf_struct_access")
export.data("const struct udp_tunnel_nic_ops *udp_tunnel_nic_ops")
export.data("const struct nf_conntrack_zone nf_ct_zone_dflt")
export.data("int sysctl_fb_tunnels_only_for_init_net")
export.data("int sysctl_devconf_inherit_init_net")
export.data("int sysctl_nf_log_all_netns")
export.data("u32 sysctl_wmem_max", 212992)
export.data("u32 sysctl_rmem_max", 212992)
export.data("int sysctl_optmem_max", 20480)


def _registered(kernel: Kernel) -> Registrations:
    return kernel.state(Registrations)


def _hook(declaration: str, kind: str) -> None:
    """A place for one function or table of them; NULL empties it."""

    @export(declaration)
    def set_(kernel: Kernel, hook: object) -> None:
        address = getattr(hook, "address", hook)
        _registered(kernel).remove_key("hook", kind)
        if address:
            _registered(kernel).add("hook", kind, int(address))  # type: ignore[call-overload]


_hook("void vlan_ioctl_set(int (*hook)(struct net *, void *))", "vlan_ioctl")
_hook("void brioctl_set(int (*hook)(struct net *, unsigned int, void *))", "br_ioctl")
_hook("void ethtool_set_ethtool_phy_ops(const struct ethtool_phy_ops *ops)", "ethtool_phy_ops")
_hook("void nf_register_queue_handler(const struct nf_queue_handler *qh)", "nf_queue")


_hook("void xfrm_if_register_cb(const struct xfrm_if_cb *ifcb)", "xfrm_if")


@export("void xfrm_if_unregister_cb(void)")
def xfrm_if_unregister_cb(kernel: Kernel) -> None:
    _registered(kernel).remove_key("hook", "xfrm_if")


@export("bool dev_valid_name(const char *name)")
def dev_valid_name(kernel: Kernel, name: bytes) -> bool:
    if not name or len(name) >= 16 or name in (b".", b".."):
        return False
    return not any(char in b"/:" or chr(char).isspace() for char in name)


@export("void nf_unregister_queue_handler(void)")
def nf_unregister_queue_handler(kernel: Kernel) -> None:
    _registered(kernel).remove_key("hook", "nf_queue")


@export("void sock_diag_register_inet_compat(const struct sock_diag_inet_compat *ptr)")
def sock_diag_register_inet_compat(kernel: Kernel, ptr: StructView) -> None:
    _registered(kernel).add("sock_diag_inet_compat", 0, ptr.address)


@export("void sock_diag_unregister_inet_compat(const struct sock_diag_inet_compat *ptr)")
def sock_diag_unregister_inet_compat(kernel: Kernel, ptr: StructView) -> None:
    _registered(kernel).remove("sock_diag_inet_compat", ptr.address)


@export("void dev_add_offload(struct packet_offload *po)")
def dev_add_offload(kernel: Kernel, po: StructView) -> None:
    _registered(kernel).add("packet_offload", po.address, po.address)


@export("void dev_remove_offload(struct packet_offload *po)")
def dev_remove_offload(kernel: Kernel, po: StructView) -> None:
    _registered(kernel).remove("packet_offload", po.address)


@export("bool ipv6_mod_enabled(void)")
def ipv6_mod_enabled(kernel: Kernel) -> bool:
    return True


@export("int register_nexthop_notifier(struct net *net, struct notifier_block *nb, struct netlink_ext_ack *extack)")
def register_nexthop_notifier(kernel: Kernel, net: StructView, nb: StructView, extack: StructView) -> int:
    _registered(kernel).chain_register("nexthop", nb.address)
    return 0


@export("int unregister_nexthop_notifier(struct net *net, struct notifier_block *nb)")
def unregister_nexthop_notifier(kernel: Kernel, net: StructView, nb: StructView) -> int:
    _registered(kernel).chain_unregister("nexthop", nb.address)
    return 0


@export("int l3mdev_table_lookup_register(enum l3mdev_type l3type, lookup_by_table_id_t fn)")
def l3mdev_table_lookup_register(kernel: Kernel, l3type: int, fn: int) -> int:
    if l3type > 1:
        raise err(errno.EINVAL)
    found = _registered(kernel).find("l3mdev", l3type)
    if found is not None and found != fn:
        raise err(errno.EBUSY)
    _registered(kernel).remove_key("l3mdev", l3type)
    _registered(kernel).add("l3mdev", l3type, fn)
    return 0


@export("void l3mdev_table_lookup_unregister(enum l3mdev_type l3type, lookup_by_table_id_t fn)")
def l3mdev_table_lookup_unregister(kernel: Kernel, l3type: int, fn: int) -> None:
    if _registered(kernel).find("l3mdev", l3type) == fn:
        _registered(kernel).remove_key("l3mdev", l3type)


@export("int register_btf_kfunc_id_set(enum bpf_prog_type prog_type, const struct btf_kfunc_id_set *kset)")
def register_btf_kfunc_id_set(kernel: Kernel, prog_type: int, kset: StructView) -> int:
    """No program is ever loaded that could call them."""
    _registered(kernel).remove_key("btf_kfunc", (prog_type, kset.address))
    _registered(kernel).add("btf_kfunc", (prog_type, kset.address), kset.address)
    return 0


# IPsec


def _chained(family: int, struct: str, add_name: str, del_name: str) -> None:
    """Handlers of a protocol, chained by priority in the modules' own memory."""

    @export(f"int {add_name}(struct {struct} *handler, unsigned char protocol)")
    def add(kernel: Kernel, handler: StructView, protocol: int) -> int:
        if protocol not in (_ESP, _AH, _COMP):
            raise err(errno.EINVAL)
        registered, key = _registered(kernel), (family, protocol)
        first = registered.find("xfrm_protocol", key) or 0
        before, at = 0, first
        for _ in range(_MAX_LINKS):
            if not at:
                break
            other = kernel.struct(struct, at)
            if other["priority"] == handler["priority"]:
                raise err(errno.EEXIST)
            if other["priority"] > handler["priority"]:
                break
            before, at = at, other["next"]
        handler["next"] = at
        if before:
            kernel.struct(struct, before)["next"] = handler.address
        else:
            registered.remove_key("xfrm_protocol", key)
            registered.add("xfrm_protocol", key, handler.address)
        return 0

    @export(f"int {del_name}(struct {struct} *handler, unsigned char protocol)")
    def remove(kernel: Kernel, handler: StructView, protocol: int) -> int:
        if protocol not in (_ESP, _AH, _COMP):
            raise err(errno.EINVAL)
        registered, key = _registered(kernel), (family, protocol)
        before, at = 0, registered.find("xfrm_protocol", key) or 0
        for _ in range(_MAX_LINKS):
            if not at or at == handler.address:
                break
            before, at = at, kernel.struct(struct, at)["next"]
        if at != handler.address:
            raise err(errno.ENOENT)
        if before:
            kernel.struct(struct, before)["next"] = handler["next"]
        else:
            registered.remove_key("xfrm_protocol", key)
            if handler["next"]:
                registered.add("xfrm_protocol", key, handler["next"])
        return 0


_chained(_AF_INET, "xfrm4_protocol", "xfrm4_protocol_register", "xfrm4_protocol_deregister")
_chained(_AF_INET6, "xfrm6_protocol", "xfrm6_protocol_register", "xfrm6_protocol_deregister")


@export("int xfrm_register_type_offload(const struct xfrm_type_offload *type, unsigned short family)")
def xfrm_register_type_offload(kernel: Kernel, type: StructView, family: int) -> int:
    if family not in (_AF_INET, _AF_INET6):
        raise err(errno.EAFNOSUPPORT)
    if type["proto"] != _ESP:
        kernel.traps.warn_here("net/xfrm/xfrm_state.c", 381)
        raise err(errno.EPROTONOSUPPORT)
    _registered(kernel).add("xfrm_type_offload", (family, type["proto"]), type.address)
    return 0


@export("void xfrm_unregister_type_offload(const struct xfrm_type_offload *type, unsigned short family)")
def xfrm_unregister_type_offload(kernel: Kernel, type: StructView, family: int) -> None:
    _registered(kernel).remove("xfrm_type_offload", type.address)


@export("int xfrm_input_register_afinfo(const struct xfrm_input_afinfo *afinfo)")
def xfrm_input_register_afinfo(kernel: Kernel, afinfo: StructView) -> int:
    if afinfo["family"] > _AF_INET6:
        raise err(errno.EAFNOSUPPORT)
    _registered(kernel).add("xfrm_input_afinfo", (afinfo["is_ipip"], afinfo["family"]), afinfo.address)
    return 0


@export("int xfrm_input_unregister_afinfo(const struct xfrm_input_afinfo *afinfo)")
def xfrm_input_unregister_afinfo(kernel: Kernel, afinfo: StructView) -> int:
    key = (afinfo["is_ipip"], afinfo["family"])
    found = _registered(kernel).find("xfrm_input_afinfo", key)
    if found is not None and found != afinfo.address:
        raise err(errno.EINVAL)
    _registered(kernel).remove_key("xfrm_input_afinfo", key)
    return 0


@export("void xfrm_register_km(struct xfrm_mgr *km)")
def xfrm_register_km(kernel: Kernel, km: StructView) -> None:
    _registered(kernel).add("xfrm_mgr", km.address, km.address)


@export("void xfrm_unregister_km(struct xfrm_mgr *km)")
def xfrm_unregister_km(kernel: Kernel, km: StructView) -> None:
    _registered(kernel).remove("xfrm_mgr", km.address)


# Logging of packets


@export("int nf_log_register(u_int8_t pf, struct nf_logger *logger)")
def nf_log_register(kernel: Kernel, pf: int, logger: StructView) -> int:
    registered, type_ = _registered(kernel), logger["type"]
    if pf >= _NFPROTO_NUMPROTO or type_ >= _NF_LOG_TYPE_MAX:
        raise err(errno.EINVAL)
    families = range(_NFPROTO_NUMPROTO) if pf == 0 else (pf,)
    if any(registered.find("nf_logger", (family, type_)) is not None for family in families):
        raise err(errno.EEXIST)
    for family in families:
        registered.add("nf_logger", (family, type_), logger.address)
    return 0


@export("void nf_log_unregister(struct nf_logger *logger)")
def nf_log_unregister(kernel: Kernel, logger: StructView) -> None:
    _registered(kernel).remove("nf_logger", logger.address)


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


# Netlink


@export(
    "struct sock *__netlink_kernel_create(struct net *net, int unit, struct module *module,"
    " struct netlink_kernel_cfg *cfg)"
)
def __netlink_kernel_create(kernel: Kernel, net: StructView, unit: int, module: StructView, cfg: StructView) -> int:
    """The kernel's end of a netlink protocol; nobody is at the other."""
    if not 0 <= unit < 32 or unit in _BUILTIN_NETLINK or _registered(kernel).find("netlink", unit) is not None:
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
    _registered(kernel).add("netlink", unit, sock.address)
    return sock.address


@export("void netlink_kernel_release(struct sock *sk)")
def netlink_kernel_release(kernel: Kernel, sk: StructView) -> None:
    if sk.address and _registered(kernel).remove("netlink", sk.address):
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


@export("int __rtnl_link_register(struct rtnl_link_ops *ops)")
def __rtnl_link_register(kernel: Kernel, ops: StructView) -> int:
    if (ops["alloc"] or ops["setup"]) and not ops["dellink"]:
        ops["dellink"] = kernel.exports.address_of("unregister_netdevice_queue")
    _registered(kernel).add("rtnl_link", ops.string("kind").decode("latin-1"), ops.address)
    return 0


@export("void __rtnl_link_unregister(struct rtnl_link_ops *ops)")
def __rtnl_link_unregister(kernel: Kernel, ops: StructView) -> None:
    _registered(kernel).remove("rtnl_link", ops.address)


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


@export("int netdev_class_create_file_ns(const struct class_attribute *class_attr, const void *ns)")
def netdev_class_create_file_ns(kernel: Kernel, class_attr: StructView, ns: int) -> int:
    kernel.state(Net).class_create_file(class_attr)
    return 0


@export("void netdev_class_remove_file_ns(const struct class_attribute *class_attr, const void *ns)")
def netdev_class_remove_file_ns(kernel: Kernel, class_attr: StructView, ns: int) -> None:
    kernel.state(Net).class_remove_file(class_attr)
