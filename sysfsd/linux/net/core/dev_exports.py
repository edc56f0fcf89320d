"""Network devices: registering and opening them, their queues, receiving from them."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area, CallVaList
from sysfsd.linux.kernel.printk.printk import Level
from sysfsd.linux.kernel.sched.core import SOFTIRQ_OFFSET
from sysfsd.linux.lib.list import INIT_LIST_HEAD, list_add_tail, list_del, list_entries
from sysfsd.linux.lib.vsprintf import ptr_to_hashval, vsnprintf
from sysfsd.linux.net.core.dev import NetDevices, notifier_to_errno
from sysfsd.linux.net.core.net_namespace_exports import Net
from sysfsd.linux.net.core.netdevice import IFF, LinkState, RegState
from sysfsd.linux.net.core.rtnetlink_exports import rtnl_lock, rtnl_lock_killable, rtnl_unlock
from sysfsd.linux.net.core.skbuff import Napi
from sysfsd.linux.net.core.skbuff_exports import skbs_of
from sysfsd.linux.registrations import registered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("net/core/dev.c", "net/core/dev_addr_lists.c", "net/core/link_watch.c")

_QUEUE_STATE_DRV_XOFF = 1

_ADDRESS_TAKEN = 3


def net_devices(kernel: Kernel) -> NetDevices:
    return kernel.state(Net).devices


@export(
    "struct net_device *alloc_netdev_mqs(int sizeof_priv, const char *name, unsigned char name_assign_type,"
    " void (*setup)(struct net_device *), unsigned int txqs, unsigned int rxqs)"
)
def alloc_netdev_mqs(
    kernel: Kernel, sizeof_priv: int, name: bytes, name_assign_type: int, setup: int, txqs: int, rxqs: int
) -> StructView | None:
    return net_devices(kernel).alloc(
        sizeof_priv, name, name_assign_type, txqs, rxqs, lambda dev: _set_up(kernel, dev, setup)
    )


def _set_up(kernel: Kernel, dev: StructView, setup: int) -> None:
    kernel.cpu.call(setup, dev.address)


@export("void free_netdev(struct net_device *dev)")
def free_netdev(kernel: Kernel, dev: StructView) -> None:
    net_devices(kernel).free(dev)


@export("int register_netdevice(struct net_device *dev)")
def register_netdevice(kernel: Kernel, dev: StructView) -> int:
    net_devices(kernel).register(dev)
    return 0


@export("int register_netdev(struct net_device *dev)")
def register_netdev(kernel: Kernel, dev: StructView) -> int:
    if rtnl_lock_killable(kernel):
        raise err(errno.EINTR)
    try:
        net_devices(kernel).register(dev)
    finally:
        rtnl_unlock(kernel)
    return 0


@export("void unregister_netdevice_queue(struct net_device *dev, struct list_head *head)")
def unregister_netdevice_queue(kernel: Kernel, dev: StructView, head: StructView) -> None:
    if head:
        entry = dev.at("unreg_list")
        list_del(kernel.memory, entry)
        list_add_tail(kernel.memory, entry, head.address)
    else:
        net_devices(kernel).unregister(dev)


@export("void unregister_netdevice_many(struct list_head *head)")
def unregister_netdevice_many(kernel: Kernel, head: StructView) -> None:
    offset = kernel.image.offset("net_device", "unreg_list")
    for entry in list(list_entries(kernel.memory, head.address)):
        list_del(kernel.memory, entry)
        INIT_LIST_HEAD(kernel.memory, entry)
        net_devices(kernel).unregister(kernel.struct("net_device", entry - offset))


@export("void unregister_netdev(struct net_device *dev)")
def unregister_netdev(kernel: Kernel, dev: StructView) -> None:
    rtnl_lock(kernel)
    net_devices(kernel).unregister(dev)
    rtnl_unlock(kernel)


@export("int init_dummy_netdev(struct net_device *dev)")
def init_dummy_netdev(kernel: Kernel, dev: StructView) -> int:
    kernel.memory.write(dev.address, bytes(dev.struct.size))
    dev["reg_state"] = RegState.DUMMY
    INIT_LIST_HEAD(kernel.memory, dev.at("napi_list"))
    dev["state"] = LinkState.PRESENT | LinkState.START
    dev["nd_net.net"] = kernel.exports.data_address("init_net")
    return 0


@export("int netdev_refcnt_read(const struct net_device *dev)")
def netdev_refcnt_read(kernel: Kernel, dev: StructView) -> int:
    return net_devices(kernel).refcnt(dev)


# Finding them


def _found(kernel: Kernel, dev: StructView | None, hold: bool) -> StructView | None:
    if dev is not None and hold:
        net_devices(kernel).hold(dev)
    return dev


@export(
    "struct net_device *__dev_get_by_name(struct net *net, const char *name)",
    "struct net_device *dev_get_by_name_rcu(struct net *net, const char *name)",
)
def __dev_get_by_name(kernel: Kernel, net: StructView, name: bytes) -> StructView | None:
    return net_devices(kernel).by_name(name)


@export("struct net_device *dev_get_by_name(struct net *net, const char *name)")
def dev_get_by_name(kernel: Kernel, net: StructView, name: bytes) -> StructView | None:
    return _found(kernel, net_devices(kernel).by_name(name), True)


@export(
    "struct net_device *__dev_get_by_index(struct net *net, int ifindex)",
    "struct net_device *dev_get_by_index_rcu(struct net *net, int ifindex)",
)
def __dev_get_by_index(kernel: Kernel, net: StructView, ifindex: int) -> StructView | None:
    return net_devices(kernel).by_index(ifindex)


@export("struct net_device *dev_get_by_index(struct net *net, int ifindex)")
def dev_get_by_index(kernel: Kernel, net: StructView, ifindex: int) -> StructView | None:
    return _found(kernel, net_devices(kernel).by_index(ifindex), True)


@export("int dev_alloc_name(struct net_device *dev, const char *name)")
def dev_alloc_name(kernel: Kernel, dev: StructView, name: bytes) -> int:
    new = net_devices(kernel).valid_name(dev, name)
    dev["name"] = new
    digits = new[len(name.partition(b"%")[0]) :]
    return int(digits) if b"%" in name and digits.isdigit() else 0


@export("int dev_get_iflink(const struct net_device *dev)")
def dev_get_iflink(kernel: Kernel, dev: StructView) -> int:
    found = net_devices(kernel).operation(dev, "ndo_get_iflink")
    return dev["ifindex"] if found is None else found


@export("unsigned int dev_get_flags(const struct net_device *dev)")
def dev_get_flags(kernel: Kernel, dev: StructView) -> int:
    flags = dev["flags"] & ~0x70140 | dev["gflags"] & 0x300
    if dev["state"] & LinkState.START:
        flags |= (0x40 if dev["operstate"] in (0, 6) else 0) | (0 if dev["state"] & LinkState.NOCARRIER else 0x10000)
        flags |= 0x20000 if dev["state"] & LinkState.DORMANT else 0
    return flags


# Changing them


@export("int dev_open(struct net_device *dev, struct netlink_ext_ack *extack)")
def dev_open(kernel: Kernel, dev: StructView, extack: StructView) -> int:
    net_devices(kernel).open(dev)
    return 0


@export("void dev_close(struct net_device *dev)")
def dev_close(kernel: Kernel, dev: StructView) -> None:
    net_devices(kernel).close(dev)


@export("int dev_change_flags(struct net_device *dev, unsigned int flags, struct netlink_ext_ack *extack)")
def dev_change_flags(kernel: Kernel, dev: StructView, flags: int, extack: StructView) -> int:
    net_devices(kernel).change_flags(dev, flags)
    return 0


@export("int dev_set_promiscuity(struct net_device *dev, int inc)")
def dev_set_promiscuity(kernel: Kernel, dev: StructView, inc: int) -> int:
    net_devices(kernel).set_promiscuity(dev, inc)
    return 0


@export("int dev_set_mtu(struct net_device *dev, int new_mtu)")
def dev_set_mtu(kernel: Kernel, dev: StructView, new_mtu: int) -> int:
    net_devices(kernel).set_mtu(dev, new_mtu)
    return 0


@export("int dev_set_mac_address(struct net_device *dev, struct sockaddr *sa, struct netlink_ext_ack *extack)")
def dev_set_mac_address(kernel: Kernel, dev: StructView, sa: StructView, extack: StructView) -> int:
    net_devices(kernel).set_mac_address(dev, sa)
    return 0


@export("void dev_addr_mod(struct net_device *dev, unsigned int offset, const void *addr, size_t len)")
def dev_addr_mod(kernel: Kernel, dev: StructView, offset: int, addr: int, length: int) -> None:
    net_devices(kernel).set_address(dev, offset, kernel.memory.read(addr, length))


@export("void netdev_update_features(struct net_device *dev)", "void netdev_change_features(struct net_device *dev)")
def netdev_update_features(kernel: Kernel, dev: StructView) -> None:
    net_devices(kernel).update_features(dev)


@export("void netdev_features_change(struct net_device *dev)")
def netdev_features_change(kernel: Kernel, dev: StructView) -> None:
    net_devices(kernel).notify("FEAT_CHANGE", dev)


@export("void netdev_state_change(struct net_device *dev)")
def netdev_state_change(kernel: Kernel, dev: StructView) -> None:
    if dev["flags"] & 1:
        net_devices(kernel).notify("CHANGE", dev)


@export("void __netdev_notify_peers(struct net_device *dev)", "void netdev_notify_peers(struct net_device *dev)")
def netdev_notify_peers(kernel: Kernel, dev: StructView) -> None:
    net_devices(kernel).notify("NOTIFY_PEERS", dev)
    net_devices(kernel).notify("RESEND_IGMP", dev)


@export("int netif_set_real_num_tx_queues(struct net_device *dev, unsigned int txq)")
def netif_set_real_num_tx_queues(kernel: Kernel, dev: StructView, txq: int) -> int:
    return _set_real(dev, "tx", txq)


@export("int netif_set_real_num_rx_queues(struct net_device *dev, unsigned int rxq)")
def netif_set_real_num_rx_queues(kernel: Kernel, dev: StructView, rxq: int) -> int:
    return _set_real(dev, "rx", rxq)


def _set_real(dev: StructView, way: str, count: int) -> int:
    if count < 1 or count > dev[f"num_{way}_queues"]:
        raise err(errno.EINVAL)
    dev[f"real_num_{way}_queues"] = count
    return 0


@export("struct rtnl_link_stats64 *dev_get_stats(struct net_device *dev, struct rtnl_link_stats64 *storage)")
def dev_get_stats(kernel: Kernel, dev: StructView, storage: StructView) -> StructView:
    net_devices(kernel).stats(dev, storage)
    return storage


@export("void linkwatch_fire_event(struct net_device *dev)")
def linkwatch_fire_event(kernel: Kernel, dev: StructView) -> None:
    net_devices(kernel).link.link_event(dev)


def _stop_queues(kernel: Kernel, dev: StructView, stop: bool) -> None:
    for queue in net_devices(kernel).tx_queues(dev):
        state = queue["state"]
        queue["state"] = state | _QUEUE_STATE_DRV_XOFF if stop else state & ~_QUEUE_STATE_DRV_XOFF


@export("void netif_tx_stop_all_queues(struct net_device *dev)")
def netif_tx_stop_all_queues(kernel: Kernel, dev: StructView) -> None:
    _stop_queues(kernel, dev, True)


@export("void netif_tx_wake_queue(struct netdev_queue *dev_queue)")
def netif_tx_wake_queue(kernel: Kernel, dev_queue: StructView) -> None:
    """No packet waits in the queue."""
    dev_queue["state"] &= ~_QUEUE_STATE_DRV_XOFF


@export("void netif_schedule_queue(struct netdev_queue *txq)", "void __netif_schedule(struct Qdisc *q)")
def netif_schedule_queue(kernel: Kernel, txq: StructView) -> None:
    """No packet waits in the queue."""


@export("void netif_device_detach(struct net_device *dev)")
def netif_device_detach(kernel: Kernel, dev: StructView) -> None:
    state = dev["state"]
    dev["state"] = state & ~LinkState.PRESENT
    if state & LinkState.PRESENT and state & LinkState.START:
        _stop_queues(kernel, dev, True)


@export("void netif_device_attach(struct net_device *dev)")
def netif_device_attach(kernel: Kernel, dev: StructView) -> None:
    state = dev["state"]
    dev["state"] = state | LinkState.PRESENT
    if not state & LinkState.PRESENT and state & LinkState.START:
        _stop_queues(kernel, dev, False)


# What is said of them


def _printer(name: str, level: Level) -> None:
    @export(f"void {name}(const struct net_device *dev, const char *fmt, ...)")
    def netdev_printk_level(kernel: Kernel, dev: StructView, fmt: bytes, args: CallVaList) -> None:
        net_devices(kernel).printk(level, dev, vsnprintf(kernel, fmt, args))


for _name in ("emerg", "alert", "crit", "err", "notice", "info"):
    _printer(f"netdev_{_name}", Level[_name.upper()])

_printer("netdev_warn", Level.WARNING)


@export("void netdev_printk(const char *level, const struct net_device *dev, const char *format, ...)")
def netdev_printk(kernel: Kernel, level: bytes, dev: StructView, format: bytes, args: CallVaList) -> None:
    net_devices(kernel).printk(level[1] - ord("0"), dev, vsnprintf(kernel, format, args))


_EVENTS = (
    "UP", "DOWN", "REBOOT", "CHANGE", "REGISTER", "UNREGISTER", "CHANGEMTU", "CHANGEADDR", "PRE_CHANGEADDR",
    "GOING_DOWN", "CHANGENAME", "FEAT_CHANGE", "BONDING_FAILOVER", "PRE_UP", "PRE_TYPE_CHANGE", "POST_TYPE_CHANGE",
    "POST_INIT", "RELEASE", "NOTIFY_PEERS", "JOIN", "CHANGEUPPER", "RESEND_IGMP", "PRECHANGEMTU", "CHANGEINFODATA",
    "BONDING_INFO", "PRECHANGEUPPER", "CHANGELOWERSTATE", "UDP_TUNNEL_PUSH_INFO", "UDP_TUNNEL_DROP_INFO",
    "CHANGE_TX_QUEUE_LEN", "CVLAN_FILTER_PUSH_INFO", "CVLAN_FILTER_DROP_INFO", "SVLAN_FILTER_PUSH_INFO",
    "SVLAN_FILTER_DROP_INFO",
)  # fmt: skip


class EventNames:
    """The names of what is told of devices, as strings in the kernel's memory."""

    def __init__(self, kernel: Kernel) -> None:
        self.names = {
            kernel.image.constant(f"NETDEV_{name}"): kernel.slab.string(f"NETDEV_{name}".encode()) for name in _EVENTS
        }
        self.unknown = kernel.slab.string(b"UNKNOWN_NETDEV_EVENT")


@export("const char *netdev_cmd_to_name(enum netdev_cmd cmd)")
def netdev_cmd_to_name(kernel: Kernel, cmd: int) -> int:
    names = kernel.state(EventNames)
    return names.names.get(cmd, names.unknown)


# Devices


def _tell(kernel: Kernel, nb: StructView, event: str, dev: StructView) -> int:
    """Tell one block of something about a device."""
    with kernel.state(NetDevices).notifier_info(dev) as info:
        return kernel.cpu.call(nb["notifier_call"], nb.address, kernel.image.constant(f"NETDEV_{event}"), info)


@export("int register_netdevice_notifier(struct notifier_block *nb)")
def register_netdevice_notifier(kernel: Kernel, nb: StructView) -> int:
    devices = list(kernel.state(NetDevices).listed())
    with _rtnl(kernel):
        registered(kernel).chain_register("netdev_chain", nb.address)
        for told, dev in enumerate(devices):
            ret = _tell(kernel, nb, "REGISTER", dev)
            if error := notifier_to_errno(ret):
                for before in devices[:told]:
                    _tell_gone(kernel, nb, before)
                registered(kernel).remove("netdev_chain", nb.address)
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
    return register_netdevice_notifier(kernel, nb)


@export("int unregister_netdevice_notifier(struct notifier_block *nb)")
def unregister_netdevice_notifier(kernel: Kernel, nb: StructView) -> int:
    with _rtnl(kernel):
        registered(kernel).chain_unregister("netdev_chain", nb.address)
        for dev in list(kernel.state(NetDevices).listed()):
            _tell_gone(kernel, nb, dev)
    return 0


@export("int unregister_netdevice_notifier_net(struct net *net, struct notifier_block *nb)")
def unregister_netdevice_notifier_net(kernel: Kernel, net: StructView, nb: StructView) -> int:
    return unregister_netdevice_notifier(kernel, nb)


@export("void dev_add_pack(struct packet_type *pt)")
def dev_add_pack(kernel: Kernel, pt: StructView) -> None:
    registered(kernel).add("packet_type", pt.address, pt.address)


@export("void dev_remove_pack(struct packet_type *pt)", "void __dev_remove_pack(struct packet_type *pt)")
def dev_remove_pack(kernel: Kernel, pt: StructView) -> None:
    if not registered(kernel).remove("packet_type", pt.address):
        kernel.log.pr_warn(f"dev_remove_pack: {ptr_to_hashval(pt.address)} not found")


@export("bool dev_valid_name(const char *name)")
def dev_valid_name(kernel: Kernel, name: bytes) -> bool:
    if not name or len(name) >= 16 or name in (b".", b".."):
        return False
    return not any(char in b"/:" or chr(char).isspace() for char in name)


# Receiving


@export("int netif_rx(struct sk_buff *skb)", "int __netif_rx(struct sk_buff *skb)")
def netif_rx(kernel: Kernel, skb: StructView) -> int:
    ret = kernel.state(Napi).netif_rx(skb)
    if not kernel.sched.preempt_count & ~(SOFTIRQ_OFFSET - 1):
        kernel.softirq.do_softirq()
    return ret


@export("int netif_receive_skb(struct sk_buff *skb)", "int netif_receive_skb_core(struct sk_buff *skb)")
def netif_receive_skb(kernel: Kernel, skb: StructView) -> int:
    return skbs_of(kernel).receive(skb)


# Sending


@export("int __dev_queue_xmit(struct sk_buff *skb, struct net_device *sb_dev)")
def __dev_queue_xmit(kernel: Kernel, skb: StructView, sb_dev: StructView) -> int:
    return skbs_of(kernel).transmit(skb)


# Polling


@export(
    "void netif_napi_add_weight(struct net_device *dev, struct napi_struct *napi,"
    " int (*poll)(struct napi_struct *, int), int weight)"
)
def netif_napi_add_weight(kernel: Kernel, dev: StructView, napi: StructView, poll: int, weight: int) -> None:
    kernel.state(Napi).add(dev, napi, poll, weight)


@export("void __netif_napi_del(struct napi_struct *napi)")
def __netif_napi_del(kernel: Kernel, napi: StructView) -> None:
    kernel.state(Napi).delete(napi)


@export("void napi_enable(struct napi_struct *n)")
def napi_enable(kernel: Kernel, n: StructView) -> None:
    kernel.state(Napi).enable(n)


@export("void napi_disable(struct napi_struct *n)")
def napi_disable(kernel: Kernel, n: StructView) -> None:
    kernel.state(Napi).disable(n)


@export("bool napi_schedule_prep(struct napi_struct *n)")
def napi_schedule_prep(kernel: Kernel, n: StructView) -> bool:
    return kernel.state(Napi).schedule_prep(n)


@export("void __napi_schedule(struct napi_struct *n)", "void __napi_schedule_irqoff(struct napi_struct *n)")
def __napi_schedule(kernel: Kernel, n: StructView) -> None:
    kernel.state(Napi).schedule(n)


@export("bool napi_complete_done(struct napi_struct *n, int work_done)")
def napi_complete_done(kernel: Kernel, n: StructView, work_done: int) -> bool:
    return kernel.state(Napi).complete_done(n)


@export("void synchronize_net(void)")
def synchronize_net(kernel: Kernel) -> None:
    kernel.sched.relax()
