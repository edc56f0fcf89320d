"""Device drivers: registering them, their attributes, and the devices that they have."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.core_exports import (
    create_attribute,
    driver_core,
    find_matching,
    for_each_until,
    remove_attribute,
)
from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.lib.kobject import Kobjects

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/base/driver.c")


# Drivers


@export("int driver_register(struct device_driver *drv)")
def driver_register(kernel: Kernel, drv: StructView) -> int:
    driver_core(kernel).driver.driver_register(drv)
    return 0


@export("void driver_unregister(struct device_driver *drv)")
def driver_unregister(kernel: Kernel, drv: StructView) -> None:
    driver_core(kernel).driver.driver_unregister(drv)


@export("struct device_driver *driver_find(const char *name, struct bus_type *bus)")
def driver_find(kernel: Kernel, name: bytes, bus: StructView) -> int:
    found = driver_core(kernel).bus.find_bus(bus.address)
    driver = found.drivers.get(name.decode("latin-1")) if found is not None else None
    return driver.address if driver is not None else 0


def _driver_devices(kernel: Kernel, drv: StructView, start: StructView) -> Iterable[StructView]:
    driver = driver_core(kernel).driver.drivers.get(drv.address)
    return driver_core(kernel).each(driver.devices, start.address) if driver is not None else ()


@export(
    "int driver_for_each_device(struct device_driver *drv, struct device *start, void *data,"
    " int (*fn)(struct device *, void *))"
)
def driver_for_each_device(kernel: Kernel, drv: StructView, start: StructView, data: int, fn: int) -> int:
    if not drv.address:
        raise err(errno.EINVAL)
    return for_each_until(kernel, _driver_devices(kernel, drv, start), data, fn)


@export(
    "struct device *driver_find_device(struct device_driver *drv, struct device *start, const void *data,"
    " int (*match)(struct device *, const void *))"
)
def driver_find_device(kernel: Kernel, drv: StructView, start: StructView, data: int, match: int) -> StructView | None:
    return find_matching(kernel, _driver_devices(kernel, drv, start), data, match)


@export("int driver_create_file(struct device_driver *drv, const struct driver_attribute *attr)")
def driver_create_file(kernel: Kernel, drv: StructView, attr: StructView) -> int:
    driver = driver_core(kernel).driver.drivers.get(drv.address)
    if driver is None:
        raise err(errno.EINVAL)
    create_attribute(kernel, kernel.state(Kobjects).view(driver.private), attr)
    return 0


@export("void driver_remove_file(struct device_driver *drv, const struct driver_attribute *attr)")
def driver_remove_file(kernel: Kernel, drv: StructView, attr: StructView) -> None:
    driver = driver_core(kernel).driver.drivers.get(drv.address)
    if driver is not None:
        remove_attribute(kernel, kernel.state(Kobjects).view(driver.private), attr)
