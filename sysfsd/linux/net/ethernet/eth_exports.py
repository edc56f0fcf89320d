"""Ethernet: devices, addresses, headers."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.net.core.dev import ether_setup as setup_ether
from sysfsd.linux.net.core.dev_exports import net_devices
from sysfsd.linux.net.core.netdevice import LinkState
from sysfsd.linux.net.core.skbuff_exports import return_address, skbs_of

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("net/ethernet/eth.c")

_NET_NAME_ENUM = 1

_ETH_ALEN = 6


@export("struct net_device *alloc_etherdev_mqs(int sizeof_priv, unsigned int txqs, unsigned int rxqs)")
def alloc_etherdev_mqs(kernel: Kernel, sizeof_priv: int, txqs: int, rxqs: int) -> StructView | None:
    return net_devices(kernel).alloc(
        sizeof_priv, b"eth%d", _NET_NAME_ENUM, txqs, rxqs, lambda dev: setup_ether(kernel, dev)
    )


@export("void ether_setup(struct net_device *dev)")
def ether_setup(kernel: Kernel, dev: StructView) -> None:
    setup_ether(kernel, dev)


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
    net_devices(kernel).set_address(dev, 0, kernel.memory.read(p + 2, _ETH_ALEN))


@export("int eth_mac_addr(struct net_device *dev, void *p)")
def eth_mac_addr(kernel: Kernel, dev: StructView, p: int) -> int:
    net_devices(kernel).set_address(dev, 0, _checked_address(kernel, dev, p))
    return 0


@export("int eth_validate_addr(struct net_device *dev)")
def eth_validate_addr(kernel: Kernel, dev: StructView) -> int:
    address = kernel.memory.read(dev["dev_addr"], _ETH_ALEN)
    if address[0] & 1 or not any(address):
        raise err(errno.EADDRNOTAVAIL)
    return 0


# Ethernet


@export("__be16 eth_type_trans(struct sk_buff *skb, struct net_device *dev)")
def eth_type_trans(kernel: Kernel, skb: StructView, dev: StructView) -> int:
    return skbs_of(kernel).eth_type_trans(skb, dev)


@export(
    "int eth_header(struct sk_buff *skb, struct net_device *dev, unsigned short type, const void *daddr,"
    " const void *saddr, unsigned int len)"
)
def eth_header(kernel: Kernel, skb: StructView, dev: StructView, type: int, daddr: int, saddr: int, length: int) -> int:
    memory = kernel.memory
    where = skbs_of(kernel).push(skb, 14, return_address(kernel))
    protocol = length if type in (1, 4) else type
    memory.write(where + 6, memory.read(saddr or dev["dev_addr"], 6) + (protocol & 0xFFFF).to_bytes(2, "big"))
    if daddr:
        memory.write(where, memory.read(daddr, 6))
        return 14
    if dev["flags"] & 0x88:
        memory.write(where, bytes(6))
        return 14
    return -14


@export("int eth_header_parse(const struct sk_buff *skb, unsigned char *haddr)")
def eth_header_parse(kernel: Kernel, skb: StructView, haddr: int) -> int:
    kernel.memory.write(haddr, kernel.memory.read(skb["head"] + skb["mac_header"] + 6, 6))
    return 6


@export("__be16 eth_header_parse_protocol(const struct sk_buff *skb)")
def eth_header_parse_protocol(kernel: Kernel, skb: StructView) -> int:
    return kernel.memory.read_int(skb["head"] + skb["mac_header"] + 12, 2)
