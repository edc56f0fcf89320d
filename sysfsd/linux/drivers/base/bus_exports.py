"""Buses: registering them, their attributes, and those of the kernel proper."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.base import Subsystem
from sysfsd.linux.drivers.base.core import BuiltinSubsystems, DriverCore
from sysfsd.linux.drivers.base.core_exports import (
    create_attribute,
    driver_core,
    find_matching,
    for_each_until,
    remove_attribute,
)
from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.lib.kobject import Sysfs

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/base/bus.c")


def builtin_bus(
    export: Area,
    variable: str,
    name: str,
    registered: Callable[[Kernel, Subsystem], None] = lambda kernel, subsys: None,
) -> None:
    """Declare a bus of the kernel proper: it is registered when it is first needed.

    :param registered: called then
    """

    def put(kernel: Kernel, address: int) -> None:
        bus = kernel.struct("bus_type", address)
        bus["name"] = kernel.slab.string(name.encode())

        def register() -> Subsystem:
            subsys = driver_core(kernel).bus.bus_register(bus)
            registered(kernel, subsys)
            return subsys

        kernel.state(BuiltinSubsystems).register[address] = register

    export.data(f"struct bus_type {variable}", put)


# Buses


@export("int bus_register(struct bus_type *bus)")
def bus_register(kernel: Kernel, bus: StructView) -> int:
    with kernel.state(Sysfs).foreign():
        driver_core(kernel).bus.bus_register(bus)
    return 0


@export("void bus_unregister(struct bus_type *bus)")
def bus_unregister(kernel: Kernel, bus: StructView) -> None:
    driver_core(kernel).bus.bus_unregister(bus)


def _bus(kernel: Kernel, bus: StructView) -> Subsystem:
    """:raises OSError: EINVAL for what is not registered"""
    found = driver_core(kernel).bus.find_bus(bus.address) if bus.address else None
    if found is None:
        raise err(errno.EINVAL)
    return found


@export("int subsys_virtual_register(struct bus_type *subsys, const struct attribute_group **groups)")
def subsys_virtual_register(kernel: Kernel, subsys: StructView, groups: int) -> int:
    core = driver_core(kernel)
    core.bus.bus_register(subsys)
    dev = core.root_device_register(subsys.string("name"))
    subsys["dev_root"] = dev.address
    kernel.state(Sysfs).create_groups(dev.sub("kobj"), groups)
    return 0


@export("int bus_register_notifier(struct bus_type *bus, struct notifier_block *nb)")
def bus_register_notifier(kernel: Kernel, bus: StructView, nb: StructView) -> int:
    notifiers = _bus(kernel, bus).notifiers
    if nb.address in notifiers:
        raise err(errno.EEXIST)
    priority = nb["priority"]
    later = [i for i, other in enumerate(notifiers) if kernel.struct("notifier_block", other)["priority"] < priority]
    notifiers.insert(later[0] if later else len(notifiers), nb.address)
    return 0


@export("int bus_unregister_notifier(struct bus_type *bus, struct notifier_block *nb)")
def bus_unregister_notifier(kernel: Kernel, bus: StructView, nb: StructView) -> int:
    notifiers = _bus(kernel, bus).notifiers
    if nb.address not in notifiers:
        raise err(errno.ENOENT)
    notifiers.remove(nb.address)
    return 0


@export("int bus_create_file(struct bus_type *bus, struct bus_attribute *attr)")
def bus_create_file(kernel: Kernel, bus: StructView, attr: StructView) -> int:
    create_attribute(kernel, driver_core(kernel).subsys_kobj(_bus(kernel, bus)), attr)
    return 0


@export("void bus_remove_file(struct bus_type *bus, struct bus_attribute *attr)")
def bus_remove_file(kernel: Kernel, bus: StructView, attr: StructView) -> None:
    remove_attribute(kernel, driver_core(kernel).subsys_kobj(_bus(kernel, bus)), attr)


@export("struct kset *bus_get_kset(struct bus_type *bus)")
def bus_get_kset(kernel: Kernel, bus: StructView) -> int:
    return _bus(kernel, bus).private


@export(
    "int bus_for_each_dev(struct bus_type *bus, struct device *start, void *data, int (*fn)(struct device *, void *))"
)
def bus_for_each_dev(kernel: Kernel, bus: StructView, start: StructView, data: int, fn: int) -> int:
    return for_each_until(kernel, driver_core(kernel).each(_bus(kernel, bus).devices, start.address), data, fn)


@export(
    "struct device *bus_find_device(struct bus_type *bus, struct device *start, const void *data,"
    " int (*match)(struct device *, const void *))"
)
def bus_find_device(kernel: Kernel, bus: StructView, start: StructView, data: int, match: int) -> StructView | None:
    found = driver_core(kernel).bus.find_bus(bus.address) if bus.address else None
    if found is None:
        return None
    if match == kernel.exports.address_of("device_match_name"):
        name = kernel.memory.read_string(data)
        for dev in driver_core(kernel).each(found.devices, start.address):
            if driver_core(kernel).name(dev).encode("latin-1") == name:
                return driver_core(kernel).get(dev)
        return None
    return find_matching(kernel, driver_core(kernel).each(found.devices, start.address), data, match)


@export(
    "int bus_for_each_drv(struct bus_type *bus, struct device_driver *start, void *data,"
    " int (*fn)(struct device_driver *, void *))"
)
def bus_for_each_drv(kernel: Kernel, bus: StructView, start: StructView, data: int, fn: int) -> int:
    drivers = [driver.address for driver in _bus(kernel, bus).drivers.values()]
    if start.address in drivers:
        drivers = drivers[drivers.index(start.address) + 1 :]
    for driver in drivers:
        ret = kernel.cpu.call(fn, driver, data)
        if ret:
            return ret
    return 0


@export("int bus_rescan_devices(struct bus_type *bus)")
def bus_rescan_devices(kernel: Kernel, bus: StructView) -> int:
    core = driver_core(kernel)
    for dev in core.each(_bus(kernel, bus).devices):
        if not dev["driver"]:
            core.dd.device_attach(dev)
    return 0


class DriverOnlyBuses:
    """The buses that have been needed, by name."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._core = kernel.state(DriverCore)
        self._buses: dict[str, Subsystem] = {}

    def bus(self, name: str) -> Subsystem:
        found = self._buses.get(name)
        if found is None:
            kernel = self._kernel
            view = kernel.struct("bus_type", kernel.slab.kmalloc(kernel.image.structs["bus_type"].size))
            view["name"] = kernel.slab.string(name.encode())
            found = self._buses[name] = self._core.bus.bus_register(view)
            found.match = lambda dev, drv: False
        return found

    def register(self, bus: str, driver: StructView, owner: int | None = None) -> None:
        """:raises OSError: EBUSY, ENOMEM"""
        driver["bus"] = self.bus(bus).address
        if owner is not None:
            driver["owner"] = owner
        self._core.driver.driver_register(driver)

    def unregister(self, driver: StructView) -> None:
        self._core.driver.driver_unregister(driver)


def driver_only_buses(kernel: Kernel) -> DriverOnlyBuses:
    return kernel.state(DriverOnlyBuses)
