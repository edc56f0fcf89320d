"""Drivers of entries of coreboot's table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.bus_exports import driver_only_buses
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/firmware/google/coreboot_table.c")


@export("int coreboot_driver_register(struct coreboot_driver *driver)")
def coreboot_driver_register(kernel: Kernel, driver: StructView) -> int:
    driver_only_buses(kernel).register("coreboot", driver.sub("drv"))
    return 0


@export("void coreboot_driver_unregister(struct coreboot_driver *driver)")
def coreboot_driver_unregister(kernel: Kernel, driver: StructView) -> None:
    driver_only_buses(kernel).unregister(driver.sub("drv"))
