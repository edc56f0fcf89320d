"""Network devices: registering them, what they show in /sys/class/net, and what they are told.

Follows net/core/dev.c, net/core/net-sysfs.c, net/core/link_watch.c and net/core/dev_addr_lists.c. No packet leaves or
arrives but those that modules make.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.err import err
from sysfsd.linux.kernel.printk.printk import Level
from sysfsd.linux.lib.list import INIT_LIST_HEAD, list_add_tail, list_del, list_entries
from sysfsd.linux.lib.ratelimit import RatelimitState
from sysfsd.linux.mm.memory import PageFault, align
from sysfsd.linux.mm.percpu import NR_CPUS
from sysfsd.linux.net.core.link_watch import LinkWatch
from sysfsd.linux.net.core.net_sysfs import NetSysfs
from sysfsd.linux.net.core.netdevice import DQL_MAX_LIMIT, IFF, LinkState, NetDevice, RegState
from sysfsd.linux.registrations import Registrations

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = ["IFNAMSIZ", "NetDevices", "ether_setup", "notifier_to_errno"]


IFNAMSIZ: Final = 16
_ALIGN: Final = 32
_MAX_ADDR_LEN: Final = 32
_DEFAULT_TX_QUEUE_LEN: Final = 1000
_GSO_MAX_SIZE: Final = 65536
_GSO_MAX_SEGS: Final = 65535
_HZ: Final = 250
_NUMA_NO_NODE: Final = -1
#: How long one waits for those that still hold a device before it is said again, and before it is complained of (s).
_REBROADCAST: Final = 1.0
_COMPLAIN: Final = 10.0
_POLL: Final = 0.05


#: What users may change, and what only the kernel does.
_SETTABLE: Final = (
    IFF.DEBUG | IFF.NOTRAILERS | IFF.NOARP | IFF.DYNAMIC | IFF.MULTICAST | IFF.PORTSEL | IFF.AUTOMEDIA
)  # fmt: skip
_VOLATILE: Final = IFF.LOOPBACK | 1 << 4 | IFF.BROADCAST | 1 << 10 | 1 << 11 | IFF.RUNNING | 7 << 16


_REG_STATES: Final = (" (uninitialized)", "", " (unregistering)", " (unregistered)", " (released)", " (dummy)")

# Features (include/linux/netdev_features.h).
_SG: Final = 1 << 0
_HW_CSUM: Final = 1 << 3
_IP_CSUMS: Final = 1 << 1 | 1 << 4
_GSO: Final = 1 << 11
_GRO: Final = 1 << 14
_ALL_TSO: Final = 0xF << 16
_SOFT_FEATURES: Final = _GSO | _GRO
_SOFT_FEATURES_OFF: Final = 1 << 41 | 1 << 57 | 1 << 59
_HIGHDMA: Final = 1 << 5


def notifier_to_errno(ret: int) -> int:
    """:returns: a positive errno, or 0"""
    return (ret & ~0x8000) - 1 if ret > 1 and ret & ~0x8000 > 1 else 0


def ether_setup(kernel: Kernel, dev: StructView) -> None:
    """``ether_setup()``."""
    dev["header_ops"] = kernel.state(NetDevices).eth_header_ops
    dev["type"] = 1
    dev["hard_header_len"] = dev["min_header_len"] = 14
    dev["mtu"] = dev["max_mtu"] = 1500
    dev["min_mtu"] = 68
    dev["addr_len"] = 6
    dev["tx_queue_len"] = _DEFAULT_TX_QUEUE_LEN
    dev["flags"] = IFF.BROADCAST | IFF.MULTICAST
    dev["priv_flags"] |= IFF.TX_SKB_SHARING
    kernel.memory.write(dev.at("broadcast"), b"\xff" * 6)


class NetDevices:
    """The network devices of one kernel, all in its one namespace."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.core = kernel.state(DriverCore)
        self.net = kernel.struct("net", kernel.exports.data_address("init_net"))
        self.known: dict[int, NetDevice] = {}
        self._todo: list[NetDevice] = []
        self._limit = RatelimitState()
        self.eth_header_ops = self._operations(
            "header_ops",
            create="eth_header",
            parse="eth_header_parse",
            cache="eth_header_cache",
            cache_update="eth_header_cache_update",
            parse_protocol="eth_header_parse_protocol",
        )
        self._default_ethtool_ops = self._operations("ethtool_ops")
        #: Links that come and go.
        self.link = LinkWatch(self)
        #: What is seen of them in /sys/class/net.
        self.sysfs = NetSysfs(self)
        self.class_ = self.sysfs.net_class()
        self.loopback = self._loopback()

    def _operations(self, struct: str, **functions: str) -> int:
        """A table of functions of the kernel proper.

        :returns: its address
        """
        kernel = self.kernel
        view = kernel.struct(struct, kernel.slab.kmalloc(kernel.image.structs[struct].size))
        for member, name in functions.items():
            view[member] = kernel.exports.address_of(name)
        return view.address

    def _loopback(self) -> StructView:
        """``lo``, which nobody has set up yet."""

        def setup(dev: StructView) -> None:
            dev["mtu"], dev["type"], dev["flags"] = 65536, 772, IFF.LOOPBACK
            dev["hard_header_len"] = dev["min_header_len"] = 14
            dev["addr_len"], dev["tx_queue_len"] = 6, _DEFAULT_TX_QUEUE_LEN
            dev["priv_flags"] |= IFF.LIVE_ADDR_CHANGE | IFF.NO_QUEUE
            dev["header_ops"], dev["netdev_ops"] = self.eth_header_ops, self._operations("net_device_ops")

        dev = self.alloc(0, b"lo", 2, 1, 1, setup)
        assert dev is not None
        self.register(dev)
        self.net["loopback_dev"] = dev.address
        return dev

    # Looking them up

    def of(self, dev: StructView) -> NetDevice:
        """What is known of the device."""
        found = self.known.get(dev.address)
        if found is None:
            found = self.known[dev.address] = NetDevice(self, dev)
        return found

    def listed(self) -> Iterator[StructView]:
        """All devices, oldest first."""
        offset = self.kernel.image.offset("net_device", "dev_list")
        for entry in list_entries(self.kernel.memory, self.net.at("dev_base_head")):
            yield self.kernel.struct("net_device", entry - offset)

    def by_name(self, name: bytes) -> StructView | None:
        return next((dev for dev in self.listed() if dev.string("name") == name), None)

    def by_index(self, index: int) -> StructView | None:
        return next((dev for dev in self.listed() if dev["ifindex"] == index), None)

    def hold(self, dev: StructView, count: int = 1) -> None:
        """``dev_hold()``."""
        where = self.kernel.percpu.cpu_base(0) + dev["pcpu_refcnt"] & (1 << 64) - 1
        self.kernel.memory.write_int(where, self.kernel.memory.read_int(where) + count)

    def refcnt(self, dev: StructView) -> int:
        """``netdev_refcnt_read()``."""
        kernel = self.kernel
        return sum(
            kernel.memory.read_int(kernel.percpu.cpu_base(cpu) + dev["pcpu_refcnt"] & (1 << 64) - 1, 4, True)
            for cpu in range(NR_CPUS)
        )

    # What devices say

    def name(self, dev: StructView) -> str:
        """``netdev_name()``."""
        name = dev.string("name").decode("latin-1")
        return "(unnamed net_device)" if not name or "%" in name else name

    def printk(self, level: int, dev: StructView, text: bytes) -> None:
        """``__netdev_printk()``."""
        kernel = self.kernel
        if not dev.address:
            kernel.log.emit(b"(NULL net_device): " + text, level, caller=kernel.current.pid)
            return
        state = dev["reg_state"]
        prefix = self.name(dev) + (_REG_STATES[state] if state < len(_REG_STATES) else " (unknown)")
        if dev["dev.parent"]:
            parent = dev.sub("dev").to("parent")
            prefix = f"{self.core.driver_string(parent)} {self.core.name(parent)} {prefix}"
            self.core.printk_emit(level, parent, prefix.encode("latin-1") + b": " + text)
        else:
            kernel.log.emit(prefix.encode("latin-1") + b": " + text, level, caller=kernel.current.pid)

    def notify(self, event: str, dev: StructView) -> int:
        """``call_netdevice_notifiers()``.

        :returns: what the last that was told said
        """
        kernel = self.kernel
        with self.notifier_info(dev) as info:
            return kernel.state(Registrations).chain_call(
                "netdev_chain", kernel.image.constant(f"NETDEV_{event}"), info
            )

    @contextmanager
    def notifier_info(self, dev: StructView) -> Iterator[int]:
        """``struct netdev_notifier_info`` about a device: with room for what is more."""
        kernel = self.kernel
        info = kernel.struct("netdev_notifier_info", kernel.slab.kmalloc(64))
        info["dev"] = dev.address
        try:
            yield info.address
        finally:
            kernel.slab.kfree(info.address)

    def operation(self, dev: StructView, name: str, *args: int) -> int | None:
        """Have a driver do something, None where it has no function for it."""
        ops = dev.to("netdev_ops")
        function = ops[name] if ops.address else 0
        return self.kernel.cpu.call(function, dev.address, *args) if function else None

    # Allocating

    def alloc(
        self,
        sizeof_priv: int,
        name: bytes,
        name_assign_type: int,
        txqs: int,
        rxqs: int,
        setup: Callable[[StructView], None],
    ) -> StructView | None:
        """``alloc_netdev_mqs()``."""
        kernel, structs = self.kernel, self.kernel.image.structs
        for count, what in ((txqs, "queues"), (rxqs, "RX queues")):
            if count < 1:
                kernel.log.pr_err(f"alloc_netdev: Unable to allocate device with zero {what}")
                return None
        size = structs["net_device"].size
        try:
            block = kernel.slab.kmalloc(align(size, _ALIGN) + align(sizeof_priv, _ALIGN) + _ALIGN - 1)
            dev = kernel.struct("net_device", align(block, _ALIGN))
            dev["padded"] = dev.address - block
            dev["pcpu_refcnt"] = kernel.percpu.dynamic.alloc(4, 4)
            kernel.percpu.initialise(dev["pcpu_refcnt"], bytes(4))
            self.hold(dev)
            self._init(dev)
            setup(dev)
            if not dev["tx_queue_len"]:
                dev["priv_flags"] |= IFF.NO_QUEUE
                dev["tx_queue_len"] = _DEFAULT_TX_QUEUE_LEN
            self._alloc_queues(dev, txqs, rxqs)
        except PageFault:
            raise
        except OSError:
            return None
        dev["name"], dev["name_assign_type"] = name, name_assign_type
        if not dev["ethtool_ops"]:
            dev["ethtool_ops"] = self._default_ethtool_ops
        self.known[dev.address] = NetDevice(self, dev)
        return dev

    def _init(self, dev: StructView) -> None:
        kernel, memory = self.kernel, self.kernel.memory
        for head in (
            "dev_list", "napi_list", "unreg_list", "close_list", "link_watch_list", "ptype_all", "ptype_specific",
            "net_notifier_list", "adj_list.upper", "adj_list.lower", "uc.list", "mc.list", "dev_addrs.list",
        ):  # fmt: skip
            INIT_LIST_HEAD(memory, dev.at(head))
        address = kernel.struct("netdev_hw_addr", kernel.slab.kmalloc(kernel.image.structs["netdev_hw_addr"].size))
        address["type"], address["refcount"] = 1, 1
        list_add_tail(memory, address.at("list"), dev.at("dev_addrs.list"))
        dev["dev_addrs.count"] = 1
        dev["dev_addr"] = address.at("addr")
        dev["nd_net.net"] = self.net.address
        dev["gso_max_size"] = dev["gro_max_size"] = dev["tso_max_size"] = _GSO_MAX_SIZE
        dev["gso_max_segs"] = dev["tso_max_segs"] = _GSO_MAX_SEGS
        dev["upper_level"] = dev["lower_level"] = 1
        dev["priv_flags"] = IFF.XMIT_DST_RELEASE | IFF.XMIT_DST_RELEASE_PERM

    def _alloc_queues(self, dev: StructView, txqs: int, rxqs: int) -> None:
        kernel, structs = self.kernel, self.kernel.image.structs
        dev["num_tx_queues"] = dev["real_num_tx_queues"] = txqs
        dev["num_rx_queues"] = dev["real_num_rx_queues"] = rxqs
        dev["_tx"] = kernel.slab.kmalloc(txqs * structs["netdev_queue"].size)
        dev["_rx"] = kernel.slab.kmalloc(rxqs * structs["netdev_rx_queue"].size)
        for queue in self.tx_queues(dev):
            queue["dev"], queue["numa_node"], queue["xmit_lock_owner"] = dev.address, _NUMA_NO_NODE, -1
            queue["dql.max_limit"], queue["dql.slack_hold_time"] = DQL_MAX_LIMIT, _HZ
        for index in range(rxqs):
            kernel.struct("netdev_rx_queue", dev["_rx"] + index * structs["netdev_rx_queue"].size)["dev"] = dev.address

    def tx_queues(self, dev: StructView, real: bool = False) -> Iterator[StructView]:
        struct = self.kernel.image.structs["netdev_queue"]
        for index in range(dev["real_num_tx_queues" if real else "num_tx_queues"]):
            yield self.kernel.struct("netdev_queue", dev["_tx"] + index * struct.size)

    def free(self, dev: StructView) -> None:
        """``free_netdev()``."""
        kernel = self.kernel
        if dev["reg_state"] == RegState.UNREGISTERING:
            dev["needs_free_netdev"] = 1
            return
        for queues in ("_tx", "_rx"):
            kernel.slab.kfree(dev[queues])
        kernel.slab.kfree(kernel.image.structs.container_of(dev["dev_addr"], "netdev_hw_addr", "addr"))
        offset = kernel.image.offset("napi_struct", "dev_list")
        for entry in list(list_entries(kernel.memory, dev.at("napi_list"))):
            list_del(kernel.memory, entry)
            napi = kernel.struct("napi_struct", entry - offset)
            napi["state"] &= ~(1 << 4)
        kernel.percpu.dynamic.free(dev["pcpu_refcnt"])
        dev["pcpu_refcnt"] = 0
        if dev["reg_state"] == RegState.UNINITIALIZED:
            self.free_memory(dev)
            return
        if dev["reg_state"] != RegState.UNREGISTERED:
            kernel.traps.bug_here("net/core/dev.c", 10694)
        dev["reg_state"] = RegState.RELEASED
        self.core.put(dev.sub("dev"))

    def free_memory(self, dev: StructView) -> None:
        """``netdev_freemem()``."""
        self.known.pop(dev.address, None)
        self.kernel.slab.kfree(dev.address - dev["padded"])

    # Names

    def valid_name(self, dev: StructView, name: bytes) -> bytes:
        """``dev_prep_valid_name()``: the name that the device gets.

        :raises OSError: EINVAL, EEXIST, ENFILE
        """
        bad = not name or len(name) >= IFNAMSIZ or name in (b".", b"..")
        if bad or any(char in b"/:" or chr(char).isspace() for char in name):
            raise err(errno.EINVAL)
        before, percent, after = name.partition(b"%")
        if not percent:
            found = self.by_name(name)
            if found is not None:
                raise err(errno.EEXIST)
            return name
        if not after.startswith(b"d") or b"%" in after:
            raise err(errno.EINVAL)
        taken = {other.string("name") for other in self.listed() if other.address != dev.address}
        for number in range(8 * 4096):
            candidate = before + b"%d" % number + after[1:]
            if candidate not in taken:
                if len(candidate) >= IFNAMSIZ:
                    break
                return candidate
        raise err(errno.ENFILE)

    # Registering

    def register(self, dev: StructView) -> None:
        """``register_netdevice()``.

        :raises OSError: EINVAL, EEXIST, ENFILE, ENOMEM, and what the driver's ``ndo_init`` says
        """
        kernel = self.kernel
        if dev["reg_state"] != RegState.UNINITIALIZED:
            kernel.traps.bug_at("net/core/dev.c", 9953, "register_netdevice+0x614")
        dev["name"] = self.valid_name(dev, dev.string("name"))
        ret = self.operation(dev, "ndo_init")
        if ret:
            raise err(-ret if ret < 0 else errno.EIO)
        try:
            self._register(dev)
        except OSError:
            self.operation(dev, "ndo_uninit")
            if dev["priv_destructor"]:
                kernel.cpu.call(dev["priv_destructor"], dev.address)
            raise
        ret = self.notify("REGISTER", dev)
        if error := notifier_to_errno(ret):
            dev["needs_free_netdev"] = 0
            self.unregister(dev)
            raise err(error)

    def _register(self, dev: StructView) -> None:
        kernel, known = self.kernel, self.of(dev)
        if not dev["ifindex"]:
            index = self.net["ifindex"]
            while self.by_index(index) is not None:
                index += 1
            dev["ifindex"], self.net["ifindex"] = index, index + 1
        elif self.by_index(dev["ifindex"]) is not None:
            raise err(errno.EBUSY)
        dev["hw_features"] |= _SOFT_FEATURES | _SOFT_FEATURES_OFF
        dev["features"] |= _SOFT_FEATURES
        dev["wanted_features"] = dev["features"] & dev["hw_features"]
        dev["vlan_features"] |= _HIGHDMA
        dev["hw_enc_features"] |= _SG
        dev["mpls_features"] |= _SG
        if error := notifier_to_errno(self.notify("POST_INIT", dev)):
            raise err(error)
        self.sysfs.register_kobject(dev)
        dev["reg_state"] = RegState.REGISTERED
        self.update_features(dev)
        dev["state"] |= LinkState.PRESENT
        if dev["state"] & (LinkState.NOCARRIER | LinkState.DORMANT | LinkState.TESTING):
            self.link.rfc2863_policy(dev)
        qdisc = kernel.exports.data_address("noop_qdisc")
        dev["qdisc"] = qdisc
        for queue in self.tx_queues(dev):
            queue["qdisc"] = queue["qdisc_sleeping"] = qdisc
        # Itself, its queues, and IPv4 and IPv6 with their parameters for neighbours.
        known.held = 1 + dev["num_tx_queues"] + dev["num_rx_queues"] + (4 if dev["mtu"] >= 1280 else 3)
        self.hold(dev, known.held)
        list_del(kernel.memory, dev.at("dev_list"))
        list_add_tail(kernel.memory, dev.at("dev_list"), self.net.at("dev_base_head"))
        if not dev["addr_assign_type"]:
            kernel.memory.write(dev.at("perm_addr"), kernel.memory.read(dev["dev_addr"], dev["addr_len"]))

    def update_features(self, dev: StructView) -> None:
        """``__netdev_update_features()``."""
        features = dev["features"] & ~dev["hw_features"] | dev["wanted_features"]
        ops = dev.to("netdev_ops")
        if ops.address and ops["ndo_fix_features"]:
            features = self.kernel.cpu.call_long(ops["ndo_fix_features"], dev.address, features)
        if features & _HW_CSUM and features & _IP_CSUMS:
            self.printk(Level.WARNING, dev, b"mixed HW and IP checksum settings.\n")
            features &= ~_IP_CSUMS
        if not features & (_HW_CSUM | _IP_CSUMS):
            features &= ~_SG
        if not features & _SG:
            features &= ~(_GSO | _ALL_TSO)
        if features != dev["features"]:
            self.operation(dev, "ndo_set_features", features)
            dev["features"] = features

    def unregister(self, dev: StructView) -> None:
        """``unregister_netdevice()``: what takes long is done when the last lock is given up (:meth:`run_todo`)."""
        kernel = self.kernel
        if dev["reg_state"] == RegState.UNINITIALIZED:
            return
        if dev["reg_state"] != RegState.REGISTERED:
            kernel.traps.bug_here("net/core/dev.c", 10856)
        self.close(dev)
        list_del(kernel.memory, dev.at("dev_list"))
        INIT_LIST_HEAD(kernel.memory, dev.at("dev_list"))
        dev["reg_state"] = RegState.UNREGISTERING
        dev["dismantle"] = 1
        self.notify("UNREGISTER", dev)
        self.operation(dev, "ndo_uninit")
        self.core.device_del(dev.sub("dev"))
        self.core.get(dev.sub("dev"))
        self.core.put(dev.sub("dev"))
        known = self.of(dev)
        self.hold(dev, -known.held)
        known.held = 0
        self._todo.append(known)

    def run_todo(self) -> None:
        """``netdev_run_todo()``: nobody holds the lock any more."""
        todo, self._todo = self._todo, []
        for known in todo:
            dev = known.dev
            self._wait_allrefs(dev)
            dev["reg_state"] = RegState.UNREGISTERED
            needs_free = dev["needs_free_netdev"]
            if dev["priv_destructor"]:
                self.kernel.cpu.call(dev["priv_destructor"], dev.address)
            if needs_free:
                self.free(dev)

    def _wait_allrefs(self, dev: StructView) -> None:
        """``netdev_wait_allrefs_any()``."""
        kernel = self.kernel
        rebroadcast = complain = time.monotonic()
        while (left := self.refcnt(dev)) != 1:
            now = time.monotonic()
            if now - rebroadcast > _REBROADCAST:
                self.notify("UNREGISTER", dev)
                rebroadcast = now
            if now - complain > _COMPLAIN:
                kernel.log.pr_emerg(
                    f"unregister_netdevice: waiting for {self.name(dev)} to become free. Usage count = {left}"
                )
                complain = now
            kernel.sched.sleep(_POLL)
            if kernel.sched.ended():
                return

    # Up and down

    def open(self, dev: StructView) -> None:
        """``dev_open()``.

        :raises OSError: ENODEV, and what the driver says
        """
        if not dev["flags"] & IFF.UP:
            self._open(dev)
            self.notify("UP", dev)

    def _open(self, dev: StructView) -> None:
        if not dev["state"] & LinkState.PRESENT:
            raise err(errno.ENODEV)
        if error := notifier_to_errno(self.notify("PRE_UP", dev)):
            raise err(error)
        dev["state"] |= LinkState.START
        ret = self.operation(dev, "ndo_validate_addr") or self.operation(dev, "ndo_open")
        if ret:
            dev["state"] &= ~LinkState.START
            raise err(-ret)
        dev["flags"] |= IFF.UP
        self.operation(dev, "ndo_set_rx_mode")

    def close(self, dev: StructView) -> None:
        """``dev_close()``."""
        if dev["flags"] & IFF.UP:
            self._close(dev)
            self.notify("DOWN", dev)

    def _close(self, dev: StructView) -> None:
        self.notify("GOING_DOWN", dev)
        dev["state"] &= ~LinkState.START
        self.operation(dev, "ndo_stop")
        dev["flags"] &= ~IFF.UP

    def change_flags(self, dev: StructView, flags: int) -> None:
        """``dev_change_flags()``.

        :raises OSError: what :meth:`open` does
        """
        old = dev["flags"]
        dev["flags"] = flags & _SETTABLE | old & (IFF.UP | _VOLATILE | IFF.PROMISC | IFF.ALLMULTI)
        if (old ^ flags) & IFF.UP:
            if flags & IFF.UP:
                self._open(dev)
            else:
                self._close(dev)
        for flag, member in ((IFF.PROMISC, "promiscuity"), (IFF.ALLMULTI, "allmulti")):
            if (flags ^ dev["gflags"]) & flag:
                dev["gflags"] ^= flag
                self._count_flag(dev, flag, member, 1 if flags & flag else -1)
        changes = old ^ dev["flags"]
        if changes & IFF.UP:
            self.notify("UP" if dev["flags"] & IFF.UP else "DOWN", dev)
        if dev["flags"] & IFF.UP and changes & ~(IFF.UP | IFF.PROMISC | IFF.ALLMULTI | _VOLATILE):
            self.notify("CHANGE", dev)

    def _count_flag(self, dev: StructView, flag: int, member: str, count: int) -> None:
        """``__dev_set_promiscuity()``, ``__dev_set_allmulti()``."""
        old = dev["flags"]
        dev[member] += count
        dev["flags"] = old | flag if dev[member] else old & ~flag
        if dev["flags"] != old:
            if flag == IFF.PROMISC:
                what = "entered" if dev["flags"] & flag else "left"
                self.kernel.log.pr_info(f"device {dev.string('name').decode('latin-1')} {what} promiscuous mode")
            self.operation(dev, "ndo_change_rx_flags", flag)
            if dev["flags"] & IFF.UP:
                self.operation(dev, "ndo_set_rx_mode")

    def set_promiscuity(self, dev: StructView, count: int) -> None:
        """``dev_set_promiscuity()``."""
        self._count_flag(dev, IFF.PROMISC, "promiscuity", count)

    # Attributes that others change too

    def set_mtu(self, dev: StructView, mtu: int) -> None:
        """``dev_set_mtu()``.

        :raises OSError: EINVAL, ENODEV, and what the driver says
        """
        if mtu == dev["mtu"]:
            return
        message = ""
        if mtu < 0 or mtu < dev["min_mtu"]:
            message = "less than device minimum"
        elif dev["max_mtu"] and mtu > dev["max_mtu"]:
            message = "greater than device maximum"
        if message:
            if self._limit.ratelimit():
                self.kernel.log.pr_err(f"{dev.string('name').decode('latin-1')}: mtu {message}")
            raise err(errno.EINVAL)
        if not dev["state"] & LinkState.PRESENT:
            raise err(errno.ENODEV)
        if error := notifier_to_errno(self.notify("PRECHANGEMTU", dev)):
            raise err(error)
        ret = self.operation(dev, "ndo_change_mtu", mtu)
        if ret:
            raise err(-ret)
        if ret is None:
            dev["mtu"] = mtu
        self.notify("CHANGEMTU", dev)

    def set_mac_address(self, dev: StructView, sa: StructView) -> None:
        """``dev_set_mac_address()``.

        :raises OSError: EOPNOTSUPP, EINVAL, ENODEV, and what the driver says
        """
        kernel = self.kernel
        if not dev.to("netdev_ops")["ndo_set_mac_address"]:
            raise err(errno.EOPNOTSUPP)
        if sa["sa_family"] != dev["type"]:
            raise err(errno.EINVAL)
        if not dev["state"] & LinkState.PRESENT:
            raise err(errno.ENODEV)
        if error := notifier_to_errno(self.notify("PRE_CHANGEADDR", dev)):
            raise err(error)
        length = dev["addr_len"]
        if kernel.memory.read(dev["dev_addr"], length) != kernel.memory.read(sa.at("sa_data"), length):
            ret = self.operation(dev, "ndo_set_mac_address", sa.address)
            if ret:
                raise err(-ret)
        dev["addr_assign_type"] = 3
        self.notify("CHANGEADDR", dev)

    def set_address(self, dev: StructView, offset: int, address: bytes) -> None:
        """``dev_addr_mod()``."""
        memory = self.kernel.memory
        memory.write(dev["dev_addr"] + offset, address)
        memory.write(dev.at("dev_addr_shadow") + offset, address)

    # Statistics

    def count(self, dev: StructView, member: str) -> None:
        """``dev_core_stats_*_inc()``."""
        stats = self.of(dev).core_stats
        stats[member] = stats.get(member, 0) + 1

    def stats(self, dev: StructView, storage: StructView) -> None:
        """``dev_get_stats()``."""
        kernel, memory = self.kernel, self.kernel.memory
        ops = dev.to("netdev_ops")
        memory.write(storage.address, bytes(storage.struct.size))
        if ops["ndo_get_stats64"]:
            kernel.cpu.call(ops["ndo_get_stats64"], dev.address, storage.address)
        else:
            source = dev.at("stats")
            if ops["ndo_get_stats"]:
                source = kernel.cpu.call_long(ops["ndo_get_stats"], dev.address)
            memory.write(storage.address, memory.read(source, kernel.image.structs["net_device_stats"].size))
        for member, value in self.of(dev).core_stats.items():
            storage[member] += value
