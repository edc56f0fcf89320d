"""Network namespaces, and what modules register with the network stack."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sysfsd.kernel.driver_core import DriverCore
from sysfsd.kernel.err import err
from sysfsd.kernel.exports.locking import mutex_is_locked, mutex_lock, mutex_trylock, mutex_unlock
from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.kobject import Sysfs
from sysfsd.kernel.list import INIT_LIST_HEAD, list_add_tail, list_del
from sysfsd.kernel.net_device import IFF, NetDevices, notifier_to_errno
from sysfsd.kernel.proc_fs import ProcFs
from sysfsd.kernel.registrations import Registrations
from sysfsd.kernel.vsprintf import ptr_to_hashval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area(
    "net",
    "net/core/net_namespace.c, net/core/dev.c, net/core/rtnetlink.c, net/core/sock.c, net/socket.c, net/sched/,"
    " net/ipv4/, net/ipv6/, net/netfilter/core.c, net/netlink/genetlink.c",
)

_NPROTO = 46
_AF_INET, _AF_INET6 = 2, 10
_MIN_PERNET_OPS_ID = 3
_GENL_START_ALLOC = 19

_FAMILIES = (
    "PF_UNSPEC", "PF_UNIX/PF_LOCAL", "PF_INET", "PF_AX25", "PF_IPX", "PF_APPLETALK", "PF_NETROM", "PF_BRIDGE",
    "PF_ATMPVC", "PF_X25", "PF_INET6", "PF_ROSE", "PF_DECnet", "PF_NETBEUI", "PF_SECURITY", "PF_KEY",
    "PF_NETLINK/PF_ROUTE", "PF_PACKET", "PF_ASH", "PF_ECONET", "PF_ATMSVC", "PF_RDS", "PF_SNA", "PF_IRDA", "PF_PPPOX",
    "PF_WANPIPE", "PF_LLC", "PF_IB", "PF_MPLS", "PF_CAN", "PF_TIPC", "PF_BLUETOOTH", "PF_IUCV", "PF_RXRPC", "PF_ISDN",
    "PF_PHONET", "PF_IEEE802154", "PF_CAIF", "PF_ALG", "PF_NFC", "PF_VSOCK", "PF_KCM", "PF_QIPCRTR", "PF_SMC",
    "PF_XDP", "PF_MCTP",
)  # fmt: skip
#: Families, protocols and the like that the kernel proper has.
_BUILTIN: dict[str, set[object]] = {
    "family": {1, 2, 10, 16, 17, 44},
    "tcp_congestion": {"reno", "cubic"},
    "tcp_ulp": {"mptcp"},
    "qdisc": {"pfifo", "bfifo", "pfifo_head_drop", "noqueue", "mq", "pfifo_fast", "fq_codel"},
    "inet_protocol": {1, 2, 6, 17},
    "inet6_protocol": {0, 6, 17, 43, 44, 58, 59, 60},
    "genl_family": {"nlctrl", "NLBL_MGMT", "netdev", "ethtool", "devlink", "SEG6", "IOAM6", "tcp_metrics", "mptcp_pm"},
}


def _init_net(kernel: Kernel, address: int) -> None:
    net = kernel.struct("net", address)
    for head in ("list", "exit_list", "dev_base_head", "rules_ops"):
        INIT_LIST_HEAD(kernel.memory, net.at(head))
    net["user_ns"] = kernel.exports.data_address("init_user_ns")
    net["passive.refs.counter"] = net["ns.count.refs.counter"] = 1
    net["ns.inum"] = 0xF0000000
    net["ifindex"] = 1
    proc = kernel.state(ProcFs)
    net["proc_net"], net["proc_net_stat"] = proc.net.address, proc.net_stat.address
    net["net_cookie"] = 1


def _net_namespace_list(kernel: Kernel, address: int) -> None:
    INIT_LIST_HEAD(kernel.memory, address)
    list_add_tail(kernel.memory, kernel.exports.data_address("init_net") + kernel.image.offset("net", "list"), address)


export.data("struct net init_net", _init_net)
export.data("struct list_head net_namespace_list", _net_namespace_list)
export.data(
    "struct rw_semaphore pernet_ops_rwsem",
    lambda kernel, address: INIT_LIST_HEAD(kernel.memory, kernel.struct("rw_semaphore", address).at("wait_list")),
)
export.data(
    "struct mutex nf_conn_btf_access_lock",
    lambda kernel, address: INIT_LIST_HEAD(kernel.memory, kernel.struct("mutex", address).at("wait_list")),
)
export.data("const struct ip_tunnel_encap_ops *iptun_encaps[8]")
export.data("const struct ip6_tnl_encap_ops *ip6tun_encaps[8]")


class Net:
    """The network namespace of one kernel: what belongs to it, by the numbers that modules get for it."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.net = kernel.struct("net", kernel.exports.data_address("init_net"))
        self._ids: dict[int, int] = {}
        self._operations: dict[int, None] = {}
        self._capacity = 16
        self.net["gen"] = self._new_generic(self._capacity)
        self.rtnl_mutex = kernel.struct("mutex", kernel.slab.kmalloc(kernel.image.structs["mutex"].size))
        INIT_LIST_HEAD(kernel.memory, self.rtnl_mutex.at("wait_list"))
        self.devices = kernel.state(NetDevices)

    def _new_generic(self, capacity: int) -> int:
        """``net_alloc_generic()``."""
        address = self._kernel.slab.kmalloc(8 * (_MIN_PERNET_OPS_ID + capacity))
        self._kernel.struct("net_generic", address)["s.len"] = capacity
        return address

    def register(self, ops: StructView) -> None:
        """``register_pernet_operations()``: begin with the one namespace that there is.

        :raises OSError: what the operations' init says, ENOMEM
        """
        kernel = self._kernel
        if ops["id"]:
            taken = set(self._ids.values())
            number = next(n for n in range(_MIN_PERNET_OPS_ID, 1 << 20) if n not in taken)
            kernel.memory.write_int(ops["id"], number)
            self._ids[ops.address] = number
        self._operations[ops.address] = None
        try:
            self._init(ops)
        except OSError:
            self._forget(ops)
            raise

    def _forget(self, ops: StructView) -> None:
        self._operations.pop(ops.address, None)
        self._ids.pop(ops.address, None)

    def _init(self, ops: StructView) -> None:
        """``ops_init()``."""
        kernel, data = self._kernel, 0
        if ops["id"] and ops["size"]:
            data = kernel.slab.kmalloc(ops["size"])
            self._assign(self._ids[ops.address], data)
        if ops["init"]:
            ret = kernel.cpu.call(ops["init"], self.net.address)
            if ret:
                if data:
                    self._assign(self._ids[ops.address], 0)
                    kernel.slab.kfree(data)
                raise err(-ret)

    def _assign(self, number: int, data: int) -> None:
        """``net_assign_generic()``."""
        memory = self._kernel.memory
        generic = self.net["gen"]
        if number >= self._capacity + _MIN_PERNET_OPS_ID:
            old, capacity = generic, self._capacity
            self._capacity = max(2 * capacity, number)
            generic = self._new_generic(self._capacity)
            at = 8 * _MIN_PERNET_OPS_ID
            memory.write(generic + at, memory.read(old + at, 8 * capacity))
            self.net["gen"] = generic
            self._kernel.slab.kfree(old)
        memory.write_pointer(generic + 8 * number, data)

    def unregister(self, ops: StructView) -> None:
        """``unregister_pernet_operations()``."""
        kernel = self._kernel
        if ops.address not in self._operations:
            return
        for name in ("pre_exit", "exit"):
            if ops[name]:
                kernel.cpu.call(ops[name], self.net.address)
        for name in ("exit_batch", "exit_batch_rtnl"):
            if ops[name]:
                head = kernel.slab.kmalloc(16)
                INIT_LIST_HEAD(kernel.memory, head)
                list_add_tail(kernel.memory, self.net.at("exit_list"), head)
                kernel.cpu.call(ops[name], head, head)
                list_del(kernel.memory, self.net.at("exit_list"))
                kernel.slab.kfree(head)
        number = self._ids.get(ops.address)
        if number is not None and ops["size"]:
            where = self.net["gen"] + 8 * number
            kernel.slab.kfree(kernel.memory.read_pointer(where))
            kernel.memory.write_pointer(where, 0)
        self._forget(ops)

    def _class(self) -> StructView:
        """The directory of /sys/class/net."""
        core = self._kernel.state(DriverCore)
        found = core.class_(self.devices.class_.address)
        assert found is not None
        return core.subsys_kobj(found)

    def class_create_file(self, attr: StructView) -> None:
        """:raises OSError: EEXIST, ENOMEM"""
        sysfs = self._kernel.state(Sysfs)
        directory = sysfs.directory(self._class())
        assert directory is not None
        sysfs.create_file(directory, attr.address)

    def class_remove_file(self, attr: StructView) -> None:
        sysfs = self._kernel.state(Sysfs)
        directory = sysfs.directory(self._class())
        assert directory is not None
        sysfs.remove_by_name(directory, attr.string("attr.name").decode("latin-1"))


def _registered(kernel: Kernel) -> Registrations:
    return kernel.state(Registrations)


@export(
    "int register_pernet_subsys(struct pernet_operations *ops)",
    "int register_pernet_device(struct pernet_operations *ops)",
)
def register_pernet_subsys(kernel: Kernel, ops: StructView) -> int:
    kernel.state(Net).register(ops)
    return 0


@export(
    "void unregister_pernet_subsys(struct pernet_operations *ops)",
    "void unregister_pernet_device(struct pernet_operations *ops)",
)
def unregister_pernet_subsys(kernel: Kernel, ops: StructView) -> None:
    kernel.state(Net).unregister(ops)


# Devices


def _tell(kernel: Kernel, nb: StructView, event: str, dev: StructView) -> int:
    """Tell one block of something about a device."""
    with kernel.state(NetDevices).notifier_info(dev) as info:
        return kernel.cpu.call(nb["notifier_call"], nb.address, kernel.image.constant(f"NETDEV_{event}"), info)


@export("int register_netdevice_notifier(struct notifier_block *nb)")
def register_netdevice_notifier(kernel: Kernel, nb: StructView) -> int:
    devices = list(kernel.state(NetDevices).listed())
    with _rtnl(kernel):
        _registered(kernel).chain_register("netdev_chain", nb.address)
        for told, dev in enumerate(devices):
            ret = _tell(kernel, nb, "REGISTER", dev)
            if error := notifier_to_errno(ret):
                for before in devices[:told]:
                    _tell_gone(kernel, nb, before)
                _registered(kernel).remove("netdev_chain", nb.address)
                raise err(error)
            if dev["flags"] & IFF.UP:
                _tell(kernel, nb, "UP", dev)
    return 0


@contextmanager
def _rtnl(kernel: Kernel) -> Iterator[None]:
    rtnl_lock(kernel)
    try:
        yield
    finally:
        rtnl_unlock(kernel)


def _tell_gone(kernel: Kernel, nb: StructView, dev: StructView) -> None:
    if dev["flags"] & IFF.UP:
        _tell(kernel, nb, "GOING_DOWN", dev)
        _tell(kernel, nb, "DOWN", dev)
    _tell(kernel, nb, "UNREGISTER", dev)


@export("int register_netdevice_notifier_net(struct net *net, struct notifier_block *nb)")
def register_netdevice_notifier_net(kernel: Kernel, net: StructView, nb: StructView) -> int:
    return register_netdevice_notifier(kernel, nb)  # type: ignore[no-any-return]


@export("int unregister_netdevice_notifier(struct notifier_block *nb)")
def unregister_netdevice_notifier(kernel: Kernel, nb: StructView) -> int:
    with _rtnl(kernel):
        _registered(kernel).chain_unregister("netdev_chain", nb.address)
        for dev in list(kernel.state(NetDevices).listed()):
            _tell_gone(kernel, nb, dev)
    return 0


@export("int unregister_netdevice_notifier_net(struct net *net, struct notifier_block *nb)")
def unregister_netdevice_notifier_net(kernel: Kernel, net: StructView, nb: StructView) -> int:
    return unregister_netdevice_notifier(kernel, nb)  # type: ignore[no-any-return]


def _chain(register: str, unregister: str, chain: str) -> None:
    """A chain that here is never told anything: no address, neighbour or route ever changes."""

    @export(f"int {register}(struct notifier_block *nb)")
    def add(kernel: Kernel, nb: StructView) -> int:
        _registered(kernel).chain_register(chain, nb.address)
        return 0

    @export(f"int {unregister}(struct notifier_block *nb)")
    def remove(kernel: Kernel, nb: StructView) -> int:
        _registered(kernel).chain_unregister(chain, nb.address)
        return 0


for _name in (
    "inetaddr", "inet6addr", "inetaddr_validator", "inet6addr_validator", "netevent", "switchdev", "switchdev_blocking",
):  # fmt: skip
    _chain(f"register_{_name}_notifier", f"unregister_{_name}_notifier", _name)
_chain("netlink_register_notifier", "netlink_unregister_notifier", "netlink")


@export("void dev_add_pack(struct packet_type *pt)")
def dev_add_pack(kernel: Kernel, pt: StructView) -> None:
    _registered(kernel).add("packet_type", pt.address, pt.address)


@export("void dev_remove_pack(struct packet_type *pt)", "void __dev_remove_pack(struct packet_type *pt)")
def dev_remove_pack(kernel: Kernel, pt: StructView) -> None:
    if not _registered(kernel).remove("packet_type", pt.address):
        kernel.log.pr_warn(f"dev_remove_pack: {ptr_to_hashval(pt.address)} not found")


# Tables of operations: what they go by, and what is wrong with a bad one


def _text(member: str) -> Callable[[StructView], str]:
    return lambda ops: ops.string(member).decode("latin-1")


def _table(
    register: str,
    unregister: str,
    key: Callable[[StructView], object],
    kind: str,
    *,
    taken: int = errno.EEXIST,
    check: Callable[[Kernel, StructView], None] = lambda kernel, ops: None,
    missing: int = errno.ENOENT,
) -> None:
    """Declare a pair of functions that put something into a table and take it out."""
    returns = unregister.startswith("int ")

    @export(register)
    def add(kernel: Kernel, ops: StructView) -> int:
        check(kernel, ops)
        name = key(ops)
        if name in _BUILTIN.get(kind, ()):
            raise err(taken)
        _registered(kernel).add(kind, name, ops.address, taken)
        return 0

    @export(unregister)
    def remove(kernel: Kernel, ops: StructView) -> int:
        if not _registered(kernel).remove(kind, ops.address) and returns:
            raise err(missing)
        return 0


def _needs(*members: str) -> Callable[[Kernel, StructView], None]:
    def check(kernel: Kernel, ops: StructView) -> None:
        if not all(ops[member] for member in members):
            raise err(errno.EINVAL)

    return check


def _congestion(kernel: Kernel, ca: StructView) -> None:
    name = ca.string("name").decode("latin-1")
    if not ca["ssthresh"] or not ca["undo_cwnd"] or not (ca["cong_avoid"] or ca["cong_control"]):
        kernel.log.pr_err(f"TCP: {name} does not implement required ops")
        raise err(errno.EINVAL)
    if _registered(kernel).find("tcp_congestion", name) is not None or name in _BUILTIN["tcp_congestion"]:
        kernel.log.pr_notice(f"TCP: {name} already registered or non-unique key")


def _rtnl_link(kernel: Kernel, ops: StructView) -> None:
    if (ops["alloc"] or ops["setup"]) and not ops["dellink"]:
        ops["dellink"] = kernel.exports.address_of("unregister_netdevice_queue")


_table(
    "int rtnl_link_register(struct rtnl_link_ops *ops)",
    "void rtnl_link_unregister(struct rtnl_link_ops *ops)",
    _text("kind"),
    "rtnl_link",
    check=_rtnl_link,
)
_table(
    "void rtnl_af_register(struct rtnl_af_ops *ops)",
    "void rtnl_af_unregister(struct rtnl_af_ops *ops)",
    lambda ops: ops.address,
    "rtnl_af",
)
_table(
    "int register_tcf_proto_ops(struct tcf_proto_ops *ops)",
    "void unregister_tcf_proto_ops(struct tcf_proto_ops *ops)",
    _text("kind"),
    "tcf_proto",
)
_table(
    "int tcf_em_register(struct tcf_ematch_ops *ops)",
    "void tcf_em_unregister(struct tcf_ematch_ops *ops)",
    lambda ops: ops["kind"],
    "tcf_ematch",
    check=_needs("match"),
)
_table(
    "int tcp_register_congestion_control(struct tcp_congestion_ops *ca)",
    "void tcp_unregister_congestion_control(struct tcp_congestion_ops *ca)",
    _text("name"),
    "tcp_congestion",
    check=_congestion,
)
_table(
    "int tcp_register_ulp(struct tcp_ulp_ops *ulp)",
    "void tcp_unregister_ulp(struct tcp_ulp_ops *ulp)",
    _text("name"),
    "tcp_ulp",
)
_table(
    "int nf_register_sockopt(struct nf_sockopt_ops *reg)",
    "void nf_unregister_sockopt(struct nf_sockopt_ops *reg)",
    lambda ops: ops.address,
    "nf_sockopt",
)
_table(
    "int textsearch_register(struct ts_ops *ops)",
    "int textsearch_unregister(struct ts_ops *ops)",
    _text("name"),
    "textsearch",
    check=_needs("name", "init", "find", "get_pattern", "get_pattern_len"),
)


@export("int sock_diag_register(const struct sock_diag_handler *hndl)")
def sock_diag_register(kernel: Kernel, hndl: StructView) -> int:
    if hndl["family"] >= _NPROTO:
        raise err(errno.EINVAL)
    _registered(kernel).add("sock_diag", hndl["family"], hndl.address, errno.EBUSY)
    return 0


@export("void sock_diag_unregister(const struct sock_diag_handler *hndl)")
def sock_diag_unregister(kernel: Kernel, hndl: StructView) -> None:
    _registered(kernel).remove("sock_diag", hndl.address)


@export("int register_qdisc(struct Qdisc_ops *qops)")
def register_qdisc(kernel: Kernel, qops: StructView) -> int:
    name = qops.string("id").decode("latin-1")
    if name in _BUILTIN["qdisc"]:
        raise err(errno.EEXIST)
    if qops["cl_ops"]:
        cl = qops.to("cl_ops")
        if not (cl["find"] and cl["walk"] and cl["leaf"]) or (
            cl["tcf_block"] and not (cl["bind_tcf"] and cl["unbind_tcf"])
        ):
            raise err(errno.EINVAL)
    _registered(kernel).add("qdisc", name, qops.address)
    return 0


@export("void unregister_qdisc(struct Qdisc_ops *qops)")
def unregister_qdisc(kernel: Kernel, qops: StructView) -> None:
    if not _registered(kernel).remove("qdisc", qops.address):
        name = qops.string("id").decode("latin-1")
        kernel.traps.warn_message(f"unregister qdisc({name}) failed", "net/sched/sch_api.c", 208)


@export("int tcf_register_action(struct tc_action_ops *act, struct pernet_operations *ops)")
def tcf_register_action(kernel: Kernel, act: StructView, ops: StructView) -> int:
    if not act["act"] or not act["dump"] or not act["init"]:
        raise err(errno.EINVAL)
    kernel.state(Net).register(ops)
    act["net_id"] = kernel.memory.read_int(ops["id"])
    registered = _registered(kernel)
    try:
        registered.add("tc_action_id", act["id"], act.address)
        registered.add("tc_action", act.string("kind"), act.address)
    except OSError:
        registered.remove("tc_action_id", act.address)
        kernel.state(Net).unregister(ops)
        raise
    return 0


@export("int tcf_unregister_action(struct tc_action_ops *act, struct pernet_operations *ops)")
def tcf_unregister_action(kernel: Kernel, act: StructView, ops: StructView) -> int:
    registered = _registered(kernel)
    registered.remove("tc_action_id", act.address)
    if not registered.remove("tc_action", act.address):
        raise err(errno.ENOENT)
    kernel.state(Net).unregister(ops)
    return 0


# Sockets


@export("int proto_register(struct proto *prot, int alloc_slab)")
def proto_register(kernel: Kernel, prot: StructView, alloc_slab: int) -> int:
    name = prot.string("name")
    if prot["memory_allocated"] and not prot["sysctl_mem"]:
        kernel.log.pr_err(f"proto_register: missing sysctl_mem for {name.decode('latin-1')}")
        raise err(errno.EINVAL)
    if alloc_slab:
        prot["slab"] = _socket_cache(kernel, name, prot["obj_size"])
        if prot["rsk_prot"]:
            rsk = prot.to("rsk_prot")
            rsk["slab_name"] = kernel.slab.string(b"request_sock_" + name)
            rsk["slab"] = _socket_cache(kernel, b"request_sock_" + name, rsk["obj_size"])
        if prot["twsk_prot"]:
            twsk = prot.to("twsk_prot")
            twsk["twsk_slab_name"] = kernel.slab.string(b"tw_sock_" + name)
            twsk["twsk_slab"] = _socket_cache(kernel, b"tw_sock_" + name, twsk["twsk_obj_size"])
    _registered(kernel).add("proto", prot.address, prot.address)
    return 0


def _socket_cache(kernel: Kernel, name: bytes, size: int) -> int:
    address = kernel.slab.kmalloc(kernel.image.structs["kmem_cache"].size)
    kernel.slab.create(name.decode("latin-1"), size, 64, 0, address)
    view = kernel.struct("kmem_cache", address)
    view["object_size"], view["size"], view["name"] = size, size, kernel.slab.string(name)
    return address


@export("void proto_unregister(struct proto *prot)")
def proto_unregister(kernel: Kernel, prot: StructView) -> None:
    _registered(kernel).remove("proto", prot.address)
    places = [(prot, "slab", "")]
    if prot["rsk_prot"]:
        places.append((prot.to("rsk_prot"), "slab", "slab_name"))
    if prot["twsk_prot"]:
        places.append((prot.to("twsk_prot"), "twsk_slab", "twsk_slab_name"))
    for view, slab, name in places:
        cache = kernel.slab.caches.get(view[slab])
        if cache is not None:
            kernel.slab.destroy(cache, lambda cache: None)
        view[slab] = 0
        if name:
            kernel.slab.kfree(view[name])
            view[name] = 0


@export("int sock_register(const struct net_proto_family *ops)")
def sock_register(kernel: Kernel, ops: StructView) -> int:
    family = ops["family"]
    if not 0 <= family < _NPROTO:
        kernel.log.pr_crit(f"protocol {family} >= NPROTO({_NPROTO})")
        raise err(errno.ENOBUFS)
    if family in _BUILTIN["family"]:
        raise err(errno.EEXIST)
    _registered(kernel).add("family", family, ops.address)
    kernel.log.pr_info(f"NET: Registered {_FAMILIES[family]} protocol family")
    return 0


@export("void sock_unregister(int family)")
def sock_unregister(kernel: Kernel, family: int) -> None:
    if not 0 <= family < _NPROTO:
        kernel.traps.bug_here("net/socket.c", 3133)
    _registered(kernel).remove_key("family", family)
    kernel.log.pr_info(f"NET: Unregistered {_FAMILIES[family]} protocol family")


def _protocols(table: str, struct: str, kind: str, add_name: str, del_name: str) -> None:
    """Handlers of IP protocols, by number; the functions return -1 for any failure."""

    @export(f"int {add_name}(const struct {struct} *prot, unsigned char protocol)")
    def add(kernel: Kernel, prot: StructView, protocol: int) -> int:
        taken = protocol in _BUILTIN.get(kind, ()) or _registered(kernel).find(kind, protocol) is not None
        if taken:
            return -1
        _registered(kernel).add(kind, protocol, prot.address)
        return 0

    @export(f"int {del_name}(const struct {struct} *prot, unsigned char protocol)")
    def remove(kernel: Kernel, prot: StructView, protocol: int) -> int:
        if _registered(kernel).find(kind, protocol) != prot.address:
            return -1
        _registered(kernel).remove_key(kind, protocol)
        return 0


_protocols("inet_protos", "net_protocol", "inet_protocol", "inet_add_protocol", "inet_del_protocol")
_protocols("inet6_protos", "inet6_protocol", "inet6_protocol", "inet6_add_protocol", "inet6_del_protocol")
_protocols("inet_offloads", "net_offload", "inet_offload", "inet_add_offload", "inet_del_offload")
_protocols("inet6_offloads", "net_offload", "inet6_offload", "inet6_add_offload", "inet6_del_offload")


@export("void inet_register_protosw(struct inet_protosw *p)")
def inet_register_protosw(kernel: Kernel, p: StructView) -> None:
    _registered(kernel).add("inetsw", p.address, p.address)


@export("int inet6_register_protosw(struct inet_protosw *p)")
def inet6_register_protosw(kernel: Kernel, p: StructView) -> int:
    _registered(kernel).add("inetsw6", p.address, p.address)
    return 0


@export("void inet_unregister_protosw(struct inet_protosw *p)")
def inet_unregister_protosw(kernel: Kernel, p: StructView) -> None:
    _registered(kernel).remove("inetsw", p.address)


@export("void inet6_unregister_protosw(struct inet_protosw *p)")
def inet6_unregister_protosw(kernel: Kernel, p: StructView) -> None:
    _registered(kernel).remove("inetsw6", p.address)


_XFRM_PROTOCOLS = (108, 51, 50, 4, 60, 43, 41)


@export("int xfrm_register_type(const struct xfrm_type *type, unsigned short family)")
def xfrm_register_type(kernel: Kernel, type: StructView, family: int) -> int:
    if family not in (_AF_INET, _AF_INET6):
        raise err(errno.EAFNOSUPPORT)
    if type["proto"] not in _XFRM_PROTOCOLS:
        kernel.traps.warn_here("net/xfrm/xfrm_state.c", 253)
        raise err(errno.EPROTONOSUPPORT)
    _registered(kernel).add("xfrm_type", (family, type["proto"]), type.address)
    return 0


@export("void xfrm_unregister_type(const struct xfrm_type *type, unsigned short family)")
def xfrm_unregister_type(kernel: Kernel, type: StructView, family: int) -> None:
    _registered(kernel).remove("xfrm_type", type.address)


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
    registered = _registered(kernel)
    for what, function in (("doit", doit), ("dumpit", dumpit)):
        if function:
            registered.remove_key("rtnl", (protocol, msgtype, what))
            registered.add("rtnl", (protocol, msgtype, what), function)


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
    registered = _registered(kernel)
    found = [registered.remove_key("rtnl", (protocol, msgtype, what)) for what in ("doit", "dumpit")]
    if not any(found):
        raise err(errno.ENOENT)
    return 0


@export("void rtnl_unregister_all(int protocol)")
def rtnl_unregister_all(kernel: Kernel, protocol: int) -> None:
    registered = _registered(kernel)
    for key in registered.items("rtnl"):
        if isinstance(key, tuple) and key[0] == protocol:
            registered.remove_key("rtnl", key)


# Generic netlink


@export("int genl_register_family(struct genl_family *family)")
def genl_register_family(kernel: Kernel, family: StructView) -> int:
    name = family.string("name").decode("latin-1")
    registered = _registered(kernel)
    if name in _BUILTIN["genl_family"]:
        raise err(errno.EEXIST)
    registered.add("genl_family", name, family.address)
    used = {kernel.struct("genl_family", other)["id"] for other in registered.items("genl_family").values()}
    first = _GENL_START_ALLOC + 1 + len(_BUILTIN["genl_family"])
    family["id"] = next(number for number in range(first, 1024) if number not in used)
    family["mcgrp_offset"] = family["id"]
    return 0


@export("int genl_unregister_family(const struct genl_family *family)")
def genl_unregister_family(kernel: Kernel, family: StructView) -> int:
    if not _registered(kernel).remove("genl_family", family.address):
        raise err(errno.ENOENT)
    return 0


# Netfilter


@export("int nf_register_net_hook(struct net *net, const struct nf_hook_ops *reg)")
def nf_register_net_hook(kernel: Kernel, net: StructView, reg: StructView) -> int:
    _registered(kernel).add("nf_hook", reg.address, reg.address)
    return 0


@export("void nf_unregister_net_hook(struct net *net, const struct nf_hook_ops *reg)")
def nf_unregister_net_hook(kernel: Kernel, net: StructView, reg: StructView) -> None:
    _registered(kernel).remove("nf_hook", reg.address)


@export("int nf_register_net_hooks(struct net *net, const struct nf_hook_ops *reg, unsigned int n)")
def nf_register_net_hooks(kernel: Kernel, net: StructView, reg: StructView, n: int) -> int:
    for index in range(n):
        nf_register_net_hook(kernel, net, kernel.struct("nf_hook_ops", reg.address + index * reg.struct.size))
    return 0


@export("void nf_unregister_net_hooks(struct net *net, const struct nf_hook_ops *reg, unsigned int hookcount)")
def nf_unregister_net_hooks(kernel: Kernel, net: StructView, reg: StructView, hookcount: int) -> None:
    for index in range(hookcount):
        nf_unregister_net_hook(kernel, net, kernel.struct("nf_hook_ops", reg.address + index * reg.struct.size))


@export("int lwtunnel_encap_add_ops(const struct lwtunnel_encap_ops *ops, unsigned int num)")
def lwtunnel_encap_add_ops(kernel: Kernel, ops: StructView, num: int) -> int:
    if num > 11:
        raise err(errno.ERANGE)
    if _registered(kernel).find("lwtunnel", num) is not None:
        return -1
    _registered(kernel).add("lwtunnel", num, ops.address)
    return 0


@export("int lwtunnel_encap_del_ops(const struct lwtunnel_encap_ops *ops, unsigned int encap_type)")
def lwtunnel_encap_del_ops(kernel: Kernel, ops: StructView, encap_type: int) -> int:
    if encap_type in (0,) or encap_type > 11:
        raise err(errno.ERANGE)
    return 0 if _registered(kernel).remove("lwtunnel", ops.address) else -1
