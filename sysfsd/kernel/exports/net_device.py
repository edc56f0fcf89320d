"""Network devices: allocating and registering them, their addresses, links and queues."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.kernel.driver_core import DriverCore
from sysfsd.kernel.err import err
from sysfsd.kernel.exports.locking import mutex_lock_killable
from sysfsd.kernel.exports.net import Net, rtnl_lock, rtnl_unlock
from sysfsd.kernel.exports.registry import Area, CallVaList
from sysfsd.kernel.list import INIT_LIST_HEAD, list_del, list_entries
from sysfsd.kernel.net_device import LinkState, NetDevices, RegState
from sysfsd.kernel.net_device import ether_setup as setup_ether
from sysfsd.kernel.printk import Level
from sysfsd.kernel.vsprintf import vsnprintf

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("net_device", "net/core/dev.c, net/ethernet/eth.c, net/sched/sch_generic.c, net/core/dev_addr_lists.c")

_QUEUE_STATE_DRV_XOFF = 1
_NET_NAME_ENUM = 1
_ETH_ALEN = 6
_ADDRESS_TAKEN = 3

export.data("struct Qdisc noop_qdisc")


def _devices(kernel: Kernel) -> NetDevices:
    return kernel.state(Net).devices


@export(
    "struct net_device *alloc_netdev_mqs(int sizeof_priv, const char *name, unsigned char name_assign_type,"
    " void (*setup)(struct net_device *), unsigned int txqs, unsigned int rxqs)"
)
def alloc_netdev_mqs(
    kernel: Kernel, sizeof_priv: int, name: bytes, name_assign_type: int, setup: int, txqs: int, rxqs: int
) -> StructView | None:
    return _devices(kernel).alloc(
        sizeof_priv, name, name_assign_type, txqs, rxqs, lambda dev: _set_up(kernel, dev, setup)
    )


def _set_up(kernel: Kernel, dev: StructView, setup: int) -> None:
    kernel.cpu.call(setup, dev.address)


@export("struct net_device *alloc_etherdev_mqs(int sizeof_priv, unsigned int txqs, unsigned int rxqs)")
def alloc_etherdev_mqs(kernel: Kernel, sizeof_priv: int, txqs: int, rxqs: int) -> StructView | None:
    return _devices(kernel).alloc(
        sizeof_priv, b"eth%d", _NET_NAME_ENUM, txqs, rxqs, lambda dev: setup_ether(kernel, dev)
    )


@export(
    "struct net_device *devm_alloc_etherdev_mqs(struct device *dev, int sizeof_priv, unsigned int txqs,"
    " unsigned int rxqs)"
)
def devm_alloc_etherdev_mqs(
    kernel: Kernel, dev: StructView, sizeof_priv: int, txqs: int, rxqs: int
) -> StructView | None:
    ndev = alloc_etherdev_mqs(kernel, sizeof_priv, txqs, rxqs)
    if ndev is not None:
        core = kernel.state(DriverCore)
        core.resource_add(dev, core.resource_alloc(lambda data: free_netdev(kernel, ndev), 8))
    return ndev  # type: ignore[no-any-return]


@export("int devm_register_netdev(struct device *dev, struct net_device *ndev)")
def devm_register_netdev(kernel: Kernel, dev: StructView, ndev: StructView) -> int:
    register_netdev(kernel, ndev)
    core = kernel.state(DriverCore)
    core.resource_add(dev, core.resource_alloc(lambda data: unregister_netdev(kernel, ndev), 8))
    return 0


@export("void ether_setup(struct net_device *dev)")
def ether_setup(kernel: Kernel, dev: StructView) -> None:
    setup_ether(kernel, dev)


@export("void free_netdev(struct net_device *dev)")
def free_netdev(kernel: Kernel, dev: StructView) -> None:
    _devices(kernel).free(dev)


@export("int rtnl_lock_killable(void)")
def rtnl_lock_killable(kernel: Kernel) -> int:
    return mutex_lock_killable(kernel, kernel.state(Net).rtnl_mutex)  # type: ignore[no-any-return]


@export("int register_netdevice(struct net_device *dev)")
def register_netdevice(kernel: Kernel, dev: StructView) -> int:
    _devices(kernel).register(dev)
    return 0


@export("int register_netdev(struct net_device *dev)")
def register_netdev(kernel: Kernel, dev: StructView) -> int:
    if rtnl_lock_killable(kernel):
        raise err(errno.EINTR)
    try:
        _devices(kernel).register(dev)
    finally:
        rtnl_unlock(kernel)
    return 0


@export("void unregister_netdevice_queue(struct net_device *dev, struct list_head *head)")
def unregister_netdevice_queue(kernel: Kernel, dev: StructView, head: int) -> None:
    if head:
        memory = kernel.memory
        list_del(memory, dev.at("unreg_list"))
        last = memory.read_pointer(head + 8)
        entry = dev.at("unreg_list")
        memory.write_pointer(last, entry)
        memory.write_pointer(entry, head)
        memory.write_pointer(entry + 8, last)
        memory.write_pointer(head + 8, entry)
    else:
        _devices(kernel).unregister(dev)


@export("void unregister_netdevice_many(struct list_head *head)")
def unregister_netdevice_many(kernel: Kernel, head: int) -> None:
    offset = kernel.image.offset("net_device", "unreg_list")
    for entry in list(list_entries(kernel.memory, head)):
        list_del(kernel.memory, entry)
        INIT_LIST_HEAD(kernel.memory, entry)
        _devices(kernel).unregister(kernel.struct("net_device", entry - offset))


@export("void unregister_netdev(struct net_device *dev)")
def unregister_netdev(kernel: Kernel, dev: StructView) -> None:
    rtnl_lock(kernel)
    _devices(kernel).unregister(dev)
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
    return _devices(kernel).refcnt(dev)


# Finding them


def _found(kernel: Kernel, dev: StructView | None, hold: bool) -> StructView | None:
    if dev is not None and hold:
        _devices(kernel).hold(dev)
    return dev


@export(
    "struct net_device *__dev_get_by_name(struct net *net, const char *name)",
    "struct net_device *dev_get_by_name_rcu(struct net *net, const char *name)",
)
def __dev_get_by_name(kernel: Kernel, net: StructView, name: bytes) -> StructView | None:
    return _devices(kernel).by_name(name)


@export("struct net_device *dev_get_by_name(struct net *net, const char *name)")
def dev_get_by_name(kernel: Kernel, net: StructView, name: bytes) -> StructView | None:
    return _found(kernel, _devices(kernel).by_name(name), True)


@export(
    "struct net_device *__dev_get_by_index(struct net *net, int ifindex)",
    "struct net_device *dev_get_by_index_rcu(struct net *net, int ifindex)",
)
def __dev_get_by_index(kernel: Kernel, net: StructView, ifindex: int) -> StructView | None:
    return _devices(kernel).by_index(ifindex)


@export("struct net_device *dev_get_by_index(struct net *net, int ifindex)")
def dev_get_by_index(kernel: Kernel, net: StructView, ifindex: int) -> StructView | None:
    return _found(kernel, _devices(kernel).by_index(ifindex), True)


@export("int dev_alloc_name(struct net_device *dev, const char *name)")
def dev_alloc_name(kernel: Kernel, dev: StructView, name: bytes) -> int:
    new = _devices(kernel).valid_name(dev, name)
    dev["name"] = new
    digits = new[len(name.partition(b"%")[0]) :]
    return int(digits) if b"%" in name and digits.isdigit() else 0


@export("int dev_get_iflink(const struct net_device *dev)")
def dev_get_iflink(kernel: Kernel, dev: StructView) -> int:
    found = _devices(kernel).operation(dev, "ndo_get_iflink")
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
    _devices(kernel).open(dev)
    return 0


@export("void dev_close(struct net_device *dev)")
def dev_close(kernel: Kernel, dev: StructView) -> None:
    _devices(kernel).close(dev)


@export("int dev_change_flags(struct net_device *dev, unsigned int flags, struct netlink_ext_ack *extack)")
def dev_change_flags(kernel: Kernel, dev: StructView, flags: int, extack: StructView) -> int:
    _devices(kernel).change_flags(dev, flags)
    return 0


@export("int dev_set_promiscuity(struct net_device *dev, int inc)")
def dev_set_promiscuity(kernel: Kernel, dev: StructView, inc: int) -> int:
    _devices(kernel).set_promiscuity(dev, inc)
    return 0


@export("int dev_set_mtu(struct net_device *dev, int new_mtu)")
def dev_set_mtu(kernel: Kernel, dev: StructView, new_mtu: int) -> int:
    _devices(kernel).set_mtu(dev, new_mtu)
    return 0


@export("int dev_set_mac_address(struct net_device *dev, struct sockaddr *sa, struct netlink_ext_ack *extack)")
def dev_set_mac_address(kernel: Kernel, dev: StructView, sa: StructView, extack: StructView) -> int:
    _devices(kernel).set_mac_address(dev, sa)
    return 0


@export("void dev_addr_mod(struct net_device *dev, unsigned int offset, const void *addr, size_t len)")
def dev_addr_mod(kernel: Kernel, dev: StructView, offset: int, addr: int, length: int) -> None:
    _devices(kernel).set_address(dev, offset, kernel.memory.read(addr, length))


@export("void netdev_update_features(struct net_device *dev)", "void netdev_change_features(struct net_device *dev)")
def netdev_update_features(kernel: Kernel, dev: StructView) -> None:
    _devices(kernel).update_features(dev)


@export("void netdev_features_change(struct net_device *dev)")
def netdev_features_change(kernel: Kernel, dev: StructView) -> None:
    _devices(kernel).notify("FEAT_CHANGE", dev)


@export("void netdev_state_change(struct net_device *dev)")
def netdev_state_change(kernel: Kernel, dev: StructView) -> None:
    if dev["flags"] & 1:
        _devices(kernel).notify("CHANGE", dev)


@export("void __netdev_notify_peers(struct net_device *dev)", "void netdev_notify_peers(struct net_device *dev)")
def netdev_notify_peers(kernel: Kernel, dev: StructView) -> None:
    _devices(kernel).notify("NOTIFY_PEERS", dev)
    _devices(kernel).notify("RESEND_IGMP", dev)


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
    _devices(kernel).stats(dev, storage)
    return storage


# Ethernet addresses


def _checked_address(kernel: Kernel, dev: StructView, p: int) -> bytes:
    """``eth_prepare_mac_addr_change()``.

    :raises OSError: EBUSY of a device that is up, EADDRNOTAVAIL for what is no address of one device
    """
    if not dev["priv_flags"] & 1 << 15 and dev["state"] & LinkState.START:
        raise err(errno.EBUSY)
    address = kernel.memory.read(p + 2, _ETH_ALEN)
    if address[0] & 1 or not any(address):
        raise err(errno.EADDRNOTAVAIL)
    return address


@export("int eth_prepare_mac_addr_change(struct net_device *dev, void *p)")
def eth_prepare_mac_addr_change(kernel: Kernel, dev: StructView, p: int) -> int:
    _checked_address(kernel, dev, p)
    return 0


@export("void eth_commit_mac_addr_change(struct net_device *dev, void *p)")
def eth_commit_mac_addr_change(kernel: Kernel, dev: StructView, p: int) -> None:
    _devices(kernel).set_address(dev, 0, kernel.memory.read(p + 2, _ETH_ALEN))


@export("int eth_mac_addr(struct net_device *dev, void *p)")
def eth_mac_addr(kernel: Kernel, dev: StructView, p: int) -> int:
    _devices(kernel).set_address(dev, 0, _checked_address(kernel, dev, p))
    return 0


@export("int eth_validate_addr(struct net_device *dev)")
def eth_validate_addr(kernel: Kernel, dev: StructView) -> int:
    address = kernel.memory.read(dev["dev_addr"], _ETH_ALEN)
    if address[0] & 1 or not any(address):
        raise err(errno.EADDRNOTAVAIL)
    return 0


# The link and the queues


@export("void netif_carrier_on(struct net_device *dev)")
def netif_carrier_on(kernel: Kernel, dev: StructView) -> None:
    _devices(kernel).carrier(dev, True)


@export("void netif_carrier_off(struct net_device *dev)")
def netif_carrier_off(kernel: Kernel, dev: StructView) -> None:
    _devices(kernel).carrier(dev, False)


@export("void linkwatch_fire_event(struct net_device *dev)")
def linkwatch_fire_event(kernel: Kernel, dev: StructView) -> None:
    _devices(kernel).link_event(dev)


def _stop_queues(kernel: Kernel, dev: StructView, stop: bool) -> None:
    for queue in _devices(kernel).tx_queues(dev):
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


@export("u32 ethtool_op_get_link(struct net_device *dev)")
def ethtool_op_get_link(kernel: Kernel, dev: StructView) -> int:
    return int(not dev["state"] & LinkState.NOCARRIER)


# What is said of them


def _printer(name: str, level: Level) -> None:
    @export(f"void {name}(const struct net_device *dev, const char *fmt, ...)")
    def netdev_printk_level(kernel: Kernel, dev: StructView, fmt: bytes, args: CallVaList) -> None:
        _devices(kernel).printk(level, dev, vsnprintf(kernel, fmt, args))


for _name in ("emerg", "alert", "crit", "err", "notice", "info"):
    _printer(f"netdev_{_name}", Level[_name.upper()])
_printer("netdev_warn", Level.WARNING)


@export("void netdev_printk(const char *level, const struct net_device *dev, const char *format, ...)")
def netdev_printk(kernel: Kernel, level: bytes, dev: StructView, format: bytes, args: CallVaList) -> None:
    _devices(kernel).printk(level[1] - ord("0"), dev, vsnprintf(kernel, format, args))


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
