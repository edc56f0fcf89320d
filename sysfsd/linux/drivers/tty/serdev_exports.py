"""Drivers of devices behind serial ports (drivers/tty/serdev/core.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.bus_exports import driver_only_buses
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/tty/serdev/core.c")


@export("int __serdev_device_driver_register(struct serdev_device_driver *sdrv, struct module *owner)")
def __serdev_device_driver_register(kernel: Kernel, sdrv: StructView, owner: StructView) -> int:
    sdrv["driver.probe_type"] = kernel.image.constant("PROBE_PREFER_ASYNCHRONOUS")
    driver_only_buses(kernel).register("serial", sdrv.sub("driver"), owner.address)
    return 0
