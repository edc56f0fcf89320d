"""Binding devices and drivers to each other."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.core_exports import driver_core
from sysfsd.linux.err import err
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/base/dd.c")


@export("int driver_attach(struct device_driver *drv)")
def driver_attach(kernel: Kernel, drv: StructView) -> int:
    driver = driver_core(kernel).driver.drivers.get(drv.address)
    if driver is not None:
        driver_core(kernel).dd.driver_attach(driver)
    return 0


@export("int device_attach(struct device *dev)")
def device_attach(kernel: Kernel, dev: StructView) -> int:
    return int(driver_core(kernel).dd.device_attach(dev))


@export("int device_bind_driver(struct device *dev)")
def device_bind_driver(kernel: Kernel, dev: StructView) -> int:
    driver_core(kernel).dd.bind_driver(dev)
    return 0


@export("int device_driver_attach(struct device_driver *drv, struct device *dev)")
def device_driver_attach(kernel: Kernel, drv: StructView, dev: StructView) -> int:
    driver = driver_core(kernel).driver.drivers.get(drv.address)
    if driver is None:
        raise err(errno.EBUSY)
    driver_core(kernel).dd.driver_attach_device(driver, dev)
    return 0


@export("void device_release_driver(struct device *dev)")
def device_release_driver(kernel: Kernel, dev: StructView) -> None:
    driver_core(kernel).dd.release_driver(dev)


@export("void wait_for_device_probe(void)")
def wait_for_device_probe(kernel: Kernel) -> None:
    """Probes are over when whoever asked for them goes on."""
