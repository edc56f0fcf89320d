"""What network devices, their flags and states are (include/linux/netdevice.h, include/uapi/linux/if.h)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sysfsd.linux.net.core.dev import NetDevices
    from sysfsd.linux.struct_view import StructView

__all__ = ["DQL_MAX_LIMIT", "IFF", "OPER_DORMANT", "OPER_DOWN", "OPER_TESTING", "OPER_UP", "LinkState", "RegState"]

DQL_MAX_LIMIT: Final = 0x70000000


class IFF:
    """Flags of devices (include/uapi/linux/if.h), and private ones (include/linux/netdevice.h)."""

    UP: Final = 1 << 0
    BROADCAST: Final = 1 << 1
    DEBUG: Final = 1 << 2
    LOOPBACK: Final = 1 << 3
    NOTRAILERS: Final = 1 << 5
    RUNNING: Final = 1 << 6
    NOARP: Final = 1 << 7
    PROMISC: Final = 1 << 8
    ALLMULTI: Final = 1 << 9
    MULTICAST: Final = 1 << 12
    PORTSEL: Final = 1 << 13
    AUTOMEDIA: Final = 1 << 14
    DYNAMIC: Final = 1 << 15
    XMIT_DST_RELEASE: Final = 1 << 5
    TX_SKB_SHARING: Final = 1 << 11
    LIVE_ADDR_CHANGE: Final = 1 << 15
    XMIT_DST_RELEASE_PERM: Final = 1 << 17
    NO_QUEUE: Final = 1 << 19
    CHANGE_PROTO_DOWN: Final = 1 << 32


class LinkState:
    """Bits of ``dev->state`` (``enum netdev_state_t``)."""

    START: Final = 1 << 0
    PRESENT: Final = 1 << 1
    NOCARRIER: Final = 1 << 2
    LINKWATCH_PENDING: Final = 1 << 3
    DORMANT: Final = 1 << 4
    TESTING: Final = 1 << 5


class RegState:
    """``dev->reg_state``."""

    UNINITIALIZED: Final = 0
    REGISTERED: Final = 1
    UNREGISTERING: Final = 2
    UNREGISTERED: Final = 3
    RELEASED: Final = 4
    DUMMY: Final = 5


OPER_DOWN, OPER_TESTING, OPER_DORMANT, OPER_UP = 2, 4, 5, 6


@dataclass(eq=False)
class NetDevice:
    """What is known of a device besides its ``struct net_device``."""

    devices: NetDevices
    dev: StructView
    #: What it has counted itself, by member of ``struct rtnl_link_stats64``.
    core_stats: dict[str, int] = field(default_factory=dict)
    #: The references that the network stack holds as long as it is registered.
    held: int = 0
    alias: bytes = b""
