"""What /sys/class/net shows of network devices (net/core/net-sysfs.c)."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.kernel.cred import Capability
from sysfsd.linux.lib.kobject import SysfsDirectory
from sysfsd.linux.lib.kstrtox import INT_TYPES, kstrto
from sysfsd.linux.lib.list import list_empty
from sysfsd.linux.net.core.netdevice import DQL_MAX_LIMIT, IFF, OPER_DOWN, LinkState, NetDevice

if TYPE_CHECKING:
    from sysfsd.linux.net.core.dev import NetDevices
    from sysfsd.linux.struct_view import StructView

__all__ = ["NetSysfs"]


_OPERSTATES: Final = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")

#: The files of ``statistics``: members of ``struct rtnl_link_stats64``.
_STATISTICS: Final = (
    "rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_errors", "tx_errors", "rx_dropped", "tx_dropped",
    "multicast", "collisions", "rx_length_errors", "rx_over_errors", "rx_crc_errors", "rx_frame_errors",
    "rx_fifo_errors", "rx_missed_errors", "tx_aborted_errors", "tx_carrier_errors", "tx_fifo_errors",
    "tx_heartbeat_errors", "tx_window_errors", "rx_compressed", "tx_compressed", "rx_nohandler",
)  # fmt: skip


@dataclass
class _Attribute:
    """A file of a device's directory, or of one of its queues."""

    mode: int
    show: Callable[[NetDevice], bytes]
    store: Callable[[NetDevice, bytes], None] | None = None


class NetSysfs:
    """The files of the network devices of one kernel."""

    def __init__(self, devices: NetDevices) -> None:
        self.devices = devices
        self.kernel = devices.kernel

    def net_class(self) -> StructView:
        kernel, core = self.kernel, self.devices.core
        cls = kernel.struct("class", kernel.slab.kmalloc(kernel.image.structs["class"].size))
        cls["name"] = kernel.slab.string(b"net")
        cls["ns_type"] = kernel.slab.kmalloc(kernel.image.structs["kobj_ns_type_operations"].size)
        with core.sysfs.foreign(False):
            found = core.class_.class_register(cls)
        found.uevent, found.add_files = self._uevent, self._add_files
        return cls

    def register_kobject(self, ndev: StructView) -> None:
        dev = ndev.sub("dev")
        self.devices.core.device_initialize(dev)
        dev["class"], dev["platform_data"], dev["groups"] = (
            self.devices.class_.address,
            ndev.address,
            ndev.at("sysfs_groups"),
        )
        self.devices.core.set_name(dev, ndev.string("name"))
        self.devices.core.own_release[dev.address] = lambda: self.devices.free_memory(ndev)
        self.devices.core.device_add(dev)

    # /sys/class/net

    def _of_device(self, dev: StructView) -> StructView:
        kernel = self.kernel
        return kernel.struct("net_device", kernel.image.structs.container_of(dev.address, "net_device", "dev"))

    def _uevent(self, dev: StructView, env: StructView) -> None:
        """``netdev_uevent()``."""
        ndev = self._of_device(dev)
        self.devices.core.kobjects.add_var(env, b"INTERFACE=" + ndev.string("name"))
        self.devices.core.kobjects.add_var(env, b"IFINDEX=%d" % ndev["ifindex"])

    def _add_files(self, dev: StructView, directory: SysfsDirectory) -> None:
        ndev = self._of_device(dev)
        known = self.devices.of(ndev)
        self._fill(known, directory, _FILES)
        statistics = self._directory(directory, "statistics")
        for name in _STATISTICS:
            self._fill(known, statistics, {name: _Attribute(0o444, partial(self._statistic, name))})
        queues = self._directory(directory, "queues")
        for index in range(ndev["real_num_rx_queues"]):
            self._fill(known, self._directory(queues, f"rx-{index}"), _RX_QUEUE_FILES)
        for index in range(ndev["real_num_tx_queues"]):
            queue = self._directory(queues, f"tx-{index}")
            self._fill(known, queue, _TX_QUEUE_FILES)
            self._fill(known, self._directory(queue, "byte_queue_limits"), _BQL_FILES)

    def _directory(self, parent: SysfsDirectory, name: str) -> SysfsDirectory:
        made = self.devices.core.sysfs.add(SysfsDirectory(name, parent, 0, parent.kobj))
        assert isinstance(made, SysfsDirectory)
        return made

    def _fill(self, known: NetDevice, directory: SysfsDirectory, files: dict[str, _Attribute]) -> None:
        for name, file in files.items():
            store = partial(self._store, file.store, known) if file.store is not None else None
            self.devices.core.sysfs.create_own_file(directory, name, file.mode, partial(file.show, known), store)

    def _store(self, store: Callable[[NetDevice, bytes], None], known: NetDevice, data: bytes) -> None:
        """:raises OSError: EPERM, EINVAL"""
        if not self.kernel.current_cred().capable(Capability.NET_ADMIN):
            raise err(errno.EPERM)
        store(known, data)

    def _statistic(self, name: str, known: NetDevice) -> bytes:
        kernel = self.kernel
        size = kernel.image.structs["rtnl_link_stats64"].size
        storage = kernel.struct("rtnl_link_stats64", kernel.slab.kmalloc(size))
        try:
            self.devices.stats(known.dev, storage)
            return b"%d\n" % storage[name]
        finally:
            kernel.slab.kfree(storage.address)


# The files of a device


def _number(member: str, fmt: bytes = b"%d\n") -> Callable[[NetDevice], bytes]:
    return lambda known: fmt % known.dev[member]


def _constant(text: bytes) -> Callable[[NetDevice], bytes]:
    return lambda known: text


def _fails(error: int) -> Callable[[NetDevice], bytes]:
    def show(known: NetDevice) -> bytes:
        raise err(error)

    return show


def _refuses(error: int) -> Callable[[NetDevice, bytes], None]:
    def store(known: NetDevice, data: bytes) -> None:
        raise err(error)

    return store


def _running(show: Callable[[NetDevice], bytes]) -> Callable[[NetDevice], bytes]:
    """Only of a device that is up."""

    def checked(known: NetDevice) -> bytes:
        if not known.dev["state"] & LinkState.START:
            raise err(errno.EINVAL)
        return show(known)

    return checked


def _state(bit: int) -> Callable[[NetDevice], bytes]:
    return _running(lambda known: b"%d\n" % bool(known.dev["state"] & bit))


def _address(member: str) -> Callable[[NetDevice], bytes]:
    def show(known: NetDevice) -> bytes:
        dev = known.dev
        where = dev[member] if member == "dev_addr" else dev.at(member)
        return dev.memory.read(where, dev["addr_len"]).hex(":").encode() + b"\n"

    return show


def _operstate(known: NetDevice) -> bytes:
    state = known.dev["operstate"] if known.dev["state"] & LinkState.START else OPER_DOWN
    return (_OPERSTATES[state] if state < len(_OPERSTATES) else "").encode() + b"\n"


def _stored(data: bytes) -> int:
    """:raises OSError: EINVAL, ERANGE"""
    return kstrto(INT_TYPES["ul"], data)


def _store_number(member: str) -> Callable[[NetDevice, bytes], None]:
    def store(known: NetDevice, data: bytes) -> None:
        known.dev[member] = _stored(data)

    return store


def _change_tx_queue_len(known: NetDevice, data: bytes) -> None:
    """``dev_change_tx_queue_len()``."""
    length = _stored(data)
    if length >> 32:
        raise err(errno.ERANGE)
    if length != known.dev["tx_queue_len"]:
        known.dev["tx_queue_len"] = length
        known.devices.notify("CHANGE_TX_QUEUE_LEN", known.dev)


def _change_carrier(known: NetDevice, data: bytes) -> None:
    ops = known.dev.to("netdev_ops")
    if not ops["ndo_change_carrier"]:
        raise err(errno.EOPNOTSUPP)
    value = _stored(data)
    if not known.dev["state"] & LinkState.START:
        raise err(errno.EINVAL)
    ret = known.devices.operation(known.dev, "ndo_change_carrier", int(bool(value)))
    if ret:
        raise err(-ret)


def _change_proto_down(known: NetDevice, data: bytes) -> None:
    if not known.dev["priv_flags"] & IFF.CHANGE_PROTO_DOWN:
        raise err(errno.EOPNOTSUPP)
    known.dev["proto_down"] = bool(_stored(data))


def _change_threaded(known: NetDevice, data: bytes) -> None:
    value = _stored(data)
    if list_empty(known.dev.memory, known.dev.at("napi_list")):
        raise err(errno.EOPNOTSUPP)
    if value > 1:
        raise err(errno.EINVAL)
    known.dev["threaded"] = value


def _store_alias(known: NetDevice, data: bytes) -> None:
    known.alias = data.partition(b"\n")[0]
    if known.dev["flags"] & IFF.UP:
        known.devices.notify("CHANGE", known.dev)


def _iflink(known: NetDevice) -> bytes:
    found = known.devices.operation(known.dev, "ndo_get_iflink")
    return b"%d\n" % (known.dev["ifindex"] if found is None else found)


def _name_assign_type(known: NetDevice) -> bytes:
    if not known.dev["name_assign_type"]:
        raise err(errno.EINVAL)
    return b"%d\n" % known.dev["name_assign_type"]


def _link_settings(member: str) -> Callable[[NetDevice], bytes]:
    """What the driver says of the link."""

    def show(known: NetDevice) -> bytes:
        kernel, ops = known.devices.kernel, known.dev.to("ethtool_ops")
        function = ops["get_link_ksettings"]
        if not function:
            raise err(errno.EINVAL)
        settings = kernel.struct("ethtool_link_ksettings", kernel.slab.kmalloc(256))
        try:
            if kernel.cpu.call(function, known.dev.address, settings.address):
                raise err(errno.EINVAL)
            value = settings[f"base.{member}"]
            if member == "speed":
                return b"%d\n" % (value - (1 << 32) if value >> 31 else value)
            return {0: b"half", 1: b"full"}.get(value, b"unknown") + b"\n"
        finally:
            kernel.slab.kfree(settings.address)

    return _running(show)


def _changes(known: NetDevice) -> bytes:
    return b"%d\n" % (known.dev["carrier_up_count.counter"] + known.dev["carrier_down_count.counter"])


_FILES: Final = {
    "addr_assign_type": _Attribute(0o444, _number("addr_assign_type")),
    "addr_len": _Attribute(0o444, _number("addr_len")),
    "address": _Attribute(0o444, _address("dev_addr")),
    "broadcast": _Attribute(0o444, _address("broadcast")),
    "carrier": _Attribute(
        0o644, _running(lambda known: b"%d\n" % (not known.dev["state"] & LinkState.NOCARRIER)), _change_carrier
    ),
    "carrier_changes": _Attribute(0o444, _changes),
    "carrier_down_count": _Attribute(0o444, _number("carrier_down_count.counter")),
    "carrier_up_count": _Attribute(0o444, _number("carrier_up_count.counter")),
    "dev_id": _Attribute(0o444, _number("dev_id", b"0x%x\n")),
    "dev_port": _Attribute(0o444, _number("dev_port")),
    "dormant": _Attribute(0o444, _state(LinkState.DORMANT)),
    "duplex": _Attribute(0o444, _link_settings("duplex")),
    "flags": _Attribute(
        0o644,
        _number("flags", b"0x%x\n"),
        lambda known, data: known.devices.change_flags(known.dev, _stored(data) & 0xFFFFFFFF),
    ),
    "gro_flush_timeout": _Attribute(0o644, _number("gro_flush_timeout"), _store_number("gro_flush_timeout")),
    "ifalias": _Attribute(0o644, lambda known: known.alias + b"\n" if known.alias else b"", _store_alias),
    "ifindex": _Attribute(0o444, _number("ifindex")),
    "iflink": _Attribute(0o444, _iflink),
    "link_mode": _Attribute(0o444, _number("link_mode")),
    "mtu": _Attribute(
        0o644, _number("mtu"), lambda known, data: known.devices.set_mtu(known.dev, _signed(_stored(data)))
    ),
    "name_assign_type": _Attribute(0o444, _name_assign_type),
    "napi_defer_hard_irqs": _Attribute(0o644, _number("napi_defer_hard_irqs"), _store_number("napi_defer_hard_irqs")),
    "netdev_group": _Attribute(0o644, _number("group"), _store_number("group")),
    "operstate": _Attribute(0o444, _operstate),
    "phys_port_id": _Attribute(0o444, _fails(errno.EOPNOTSUPP)),
    "phys_port_name": _Attribute(0o444, _fails(errno.EOPNOTSUPP)),
    "phys_switch_id": _Attribute(0o444, _fails(errno.EOPNOTSUPP)),
    "proto_down": _Attribute(0o644, _number("proto_down"), _change_proto_down),
    "speed": _Attribute(0o444, _link_settings("speed")),
    "testing": _Attribute(0o444, _state(LinkState.TESTING)),
    "threaded": _Attribute(0o644, _number("threaded"), _change_threaded),
    "tx_queue_len": _Attribute(0o644, _number("tx_queue_len"), _change_tx_queue_len),
    "type": _Attribute(0o444, _number("type")),
}
_RX_QUEUE_FILES: Final = {
    "rps_cpus": _Attribute(0o644, _constant(b"0\n"), _refuses(errno.EINVAL)),
    "rps_flow_cnt": _Attribute(0o644, _constant(b"0\n"), _refuses(errno.EINVAL)),
}
_TX_QUEUE_FILES: Final = {
    "traffic_class": _Attribute(0o444, _fails(errno.ENOENT)),
    "tx_maxrate": _Attribute(0o644, _constant(b"0\n"), _refuses(errno.EOPNOTSUPP)),
    "tx_timeout": _Attribute(0o444, _constant(b"0\n")),
    "xps_cpus": _Attribute(0o644, _fails(errno.ENOENT), _refuses(errno.ENOENT)),
    "xps_rxqs": _Attribute(0o644, _constant(b"0\n"), _refuses(errno.EINVAL)),
}
_BQL_FILES: Final = {
    "hold_time": _Attribute(0o644, _constant(b"1000\n"), _refuses(errno.EINVAL)),
    "inflight": _Attribute(0o444, _constant(b"0\n")),
    "limit": _Attribute(0o644, _constant(b"0\n"), _refuses(errno.EINVAL)),
    "limit_max": _Attribute(0o644, _constant(b"%d\n" % DQL_MAX_LIMIT), _refuses(errno.EINVAL)),
    "limit_min": _Attribute(0o644, _constant(b"0\n"), _refuses(errno.EINVAL)),
}


def _signed(value: int) -> int:
    """As an ``int``."""
    return (value & 0xFFFFFFFF ^ 1 << 31) - (1 << 31)
