"""What ethtool asks drivers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.net.core.netdevice import LinkState
from sysfsd.linux.registrations import declare_hook

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("net/ethtool/ioctl.c", "net/ethtool/common.c")


@export("u32 ethtool_op_get_link(struct net_device *dev)")
def ethtool_op_get_link(kernel: Kernel, dev: StructView) -> int:
    return int(not dev["state"] & LinkState.NOCARRIER)


declare_hook(export, "void ethtool_set_ethtool_phy_ops(const struct ethtool_phy_ops *ops)", "ethtool_phy_ops")
