"""Network devices that go with their parent device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.exports import Area
from sysfsd.linux.net.core.dev_exports import free_netdev, register_netdev, unregister_netdev
from sysfsd.linux.net.ethernet.eth_exports import alloc_etherdev_mqs

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("net/devres.c")


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
        core.devres.add(dev, core.devres.alloc(lambda data: free_netdev(kernel, ndev), 8))
    return ndev


@export("int devm_register_netdev(struct device *dev, struct net_device *ndev)")
def devm_register_netdev(kernel: Kernel, dev: StructView, ndev: StructView) -> int:
    register_netdev(kernel, ndev)
    core = kernel.state(DriverCore)
    core.devres.add(dev, core.devres.alloc(lambda data: unregister_netdev(kernel, ndev), 8))
    return 0
