"""Binding devices and drivers to each other (drivers/base/dd.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.base.base import UEVENT, Driver, Subsystem
from sysfsd.linux.err import err
from sysfsd.linux.lib.kobject import errors_ignored

if TYPE_CHECKING:
    from sysfsd.linux.drivers.base.core import DriverCore
    from sysfsd.linux.struct_view import StructView

__all__ = ["Binding"]


_EPROBE_DEFER: Final = 517


class Binding:
    """What binds the devices and drivers of one kernel."""

    def __init__(self, core: DriverCore) -> None:
        self.core = core
        self.kernel = core.kernel
        self.deferred: dict[int, None] = {}

    def driver_attach_device(self, driver: Driver, dev: StructView) -> None:
        """``device_driver_attach()``.

        :raises OSError: EBUSY, EAGAIN, or what the driver's probe says
        """
        if dev["driver"]:
            raise err(errno.EBUSY)
        ret = self.probe_device(dev, driver)
        if ret:
            raise err(errno.EAGAIN if ret == _EPROBE_DEFER else ret)

    # Binding

    def matches(self, drv: StructView, dev: StructView, bus: Subsystem) -> bool:
        """``driver_match_device()``."""
        if bus.match is not None:
            return bus.match(dev, drv)
        match = self.kernel.struct("bus_type", bus.address)["match"]
        return not match or self.kernel.cpu.call(match, dev.address, drv.address, site=self.core.site("match")) > 0

    def driver_attach(self, driver: Driver) -> None:
        """Offer a driver all devices of its bus."""
        drv = self.kernel.struct("device_driver", driver.address)
        for address in list(driver.bus.devices):
            dev = self.core.device(address)
            if self.matches(drv, dev, driver.bus) and not dev["driver"]:
                self.probe_device(dev, driver)

    def device_attach(self, dev: StructView) -> bool:
        """``device_attach()``: offer a device to all drivers of its bus.

        :returns: whether one has taken it
        """
        bus = self.core.bus.find_bus(dev["bus"])
        if bus is None:
            return False
        if dev["driver"]:
            return True
        for driver in list(bus.drivers.values()):
            drv = self.kernel.struct("device_driver", driver.address)
            if self.matches(drv, dev, bus) and self.probe_device(dev, driver) == 0:
                return True
        return False

    def probe_device(self, dev: StructView, driver: Driver) -> int:
        """``driver_probe_device()``.

        :returns: 0, or the errno
        """
        kernel, bus = self.kernel, driver.bus
        drv = kernel.struct("device_driver", driver.address)
        type_ = kernel.struct("bus_type", bus.address)
        dev["can_match"] = 1
        dev["driver"] = drv.address
        ret = kernel.cpu.call(type_["dma_configure"], dev.address) if type_["dma_configure"] else 0
        if ret == 0:
            self._driver_sysfs_add(dev, driver)
            self.core.bus.notify(bus, "BIND_DRIVER", dev)
            if bus.probe is not None:
                ret = bus.probe(dev)
            elif type_["probe"] or drv["probe"]:
                ret = kernel.cpu.call(type_["probe"] or drv["probe"], dev.address, site=self.core.site("probe"))
            if ret == 0:
                try:
                    self.core.sysfs.create_groups(dev.sub("kobj"), drv["dev_groups"])
                except OSError as error:
                    ret = -(error.errno or 0)
            if ret:
                self._driver_sysfs_remove(dev, driver)
                self.core.bus.notify(bus, "DRIVER_NOT_BOUND", dev)
        if ret:
            self.core.devres.release_all(dev)
            dev["driver"] = dev["driver_data"] = 0
            if ret == -_EPROBE_DEFER:
                self.deferred[dev.address] = None
            elif ret not in (-errno.ENODEV, -errno.ENXIO):
                kernel.log.pr_warn(f"{driver.name}: probe of {self.core.name(dev)} failed with error {ret}")
            return -ret
        driver.devices[dev.address] = None
        self.deferred.pop(dev.address, None)
        self.core.bus.notify(bus, "BOUND_DRIVER", dev)
        with errors_ignored():
            self.core.kobjects.uevent(dev.sub("kobj"), UEVENT["bind"])
        self._retry_deferred()
        return 0

    def _retry_deferred(self) -> None:
        """``driver_deferred_probe_trigger()``."""
        waiting, self.deferred = list(self.deferred), {}
        for address in waiting:
            self.device_attach(self.core.device(address))

    def _driver_sysfs_add(self, dev: StructView, driver: Driver) -> None:
        kobj, own = dev.sub("kobj"), self.core.kobjects.view(driver.private)
        with errors_ignored():
            self.core.sysfs.create_link(own, kobj, self.core.kobjects.name(kobj))
            self.core.sysfs.create_link(kobj, own, "driver")

    def _driver_sysfs_remove(self, dev: StructView, driver: Driver) -> None:
        kobj, own = dev.sub("kobj"), self.core.kobjects.view(driver.private)
        for where, name in ((own, self.core.kobjects.name(kobj)), (kobj, "driver")):
            directory = self.core.sysfs.directory(where)
            if directory is not None:
                self.core.sysfs.remove_by_name(directory, name)

    def bind_driver(self, dev: StructView) -> None:
        """``device_bind_driver()``: the driver is there already and wants no probe."""
        driver = self.core.driver.drivers.get(dev["driver"])
        if driver is not None:
            self._driver_sysfs_add(dev, driver)
            driver.devices[dev.address] = None
            self.core.bus.notify(driver.bus, "BOUND_DRIVER", dev)
            with errors_ignored():
                self.core.kobjects.uevent(dev.sub("kobj"), UEVENT["bind"])

    def release_driver(self, dev: StructView) -> None:
        """``device_release_driver()``."""
        driver = self.core.driver.drivers.get(dev["driver"])
        if driver is None:
            return
        kernel, bus = self.kernel, driver.bus
        drv = kernel.struct("device_driver", driver.address)
        self._driver_sysfs_remove(dev, driver)
        self.core.bus.notify(bus, "UNBIND_DRIVER", dev)
        self.core.sysfs.remove_groups(dev.sub("kobj"), drv["dev_groups"])
        remove = kernel.struct("bus_type", bus.address)["remove"] or drv["remove"]
        if bus.remove is not None:
            bus.remove(dev)
        elif remove:
            kernel.cpu.call(remove, dev.address, site=self.core.site("remove"))
        self.core.devres.release_all(dev)
        dev["driver"] = dev["driver_data"] = 0
        driver.devices.pop(dev.address, None)
        self.core.bus.notify(bus, "UNBOUND_DRIVER", dev)
        with errors_ignored():
            self.core.kobjects.uevent(dev.sub("kobj"), UEVENT["unbind"])
