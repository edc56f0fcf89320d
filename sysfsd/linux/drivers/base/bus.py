"""Buses (drivers/base/bus.c, drivers/base/module.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.base.base import Driver, Subsystem
from sysfsd.linux.err import err
from sysfsd.linux.lib.kobject import AttributeOps, SysfsLink, errors_ignored

if TYPE_CHECKING:
    from sysfsd.linux.drivers.base.core import DriverCore
    from sysfsd.linux.struct_view import StructView

__all__ = ["Buses"]


#: What the members of a bus's notifier chain are told (include/linux/device/bus.h).
_BUS_NOTIFY: Final = {
    "ADD_DEVICE": 1,
    "DEL_DEVICE": 2,
    "REMOVED_DEVICE": 3,
    "BIND_DRIVER": 4,
    "BOUND_DRIVER": 5,
    "UNBIND_DRIVER": 6,
    "UNBOUND_DRIVER": 7,
    "DRIVER_NOT_BOUND": 8,
}


class Buses:
    """The buses of one kernel."""

    def __init__(self, core: DriverCore) -> None:
        self.core = core
        self.kernel = core.kernel
        self.buses: dict[int, Subsystem] = {}
        #: By the address of the module: the links below /sys/module/NAME/drivers and where they lead from /sys.
        self.module_drivers: dict[int, dict[str, str]] = {}
        self._driver_ktype = self.core.kobjects.new_ktype(
            self._driver_release, AttributeOps("drv_attr", lambda kobj, attr: (self.core._owner(kobj, "driver"),))
        )
        self.bus_ktype = self.core.kobjects.new_ktype(
            lambda kobj: None, AttributeOps("bus_attr", lambda kobj, attr: (self.core._owner(kobj, "bus"),))
        )

    # Buses

    def find_bus(self, address: int) -> Subsystem | None:
        """The bus whose ``struct bus_type`` is at *address*, if it is registered."""
        found = self.buses.get(address)
        if found is None and address in self.core.builtin:
            with self.core.sysfs.foreign(False):
                found = self.core.builtin[address]()
        return found

    def bus_register(self, bus: StructView) -> Subsystem:
        """:raises OSError: EINVAL, EEXIST, ENOMEM"""
        kernel, objects = self.kernel, self.core.kobjects
        private = self.core.private("subsys_private")
        subsys = Subsystem(bus.string("name").decode("latin-1"), bus.address, private)
        priv = kernel.struct("subsys_private", private)
        bus["p"], priv["bus"], priv["drivers_autoprobe"] = private, bus.address, 1
        kset = priv.sub("subsys")
        kobj = kset.sub("kobj")
        objects.set_name(kobj, bus.string("name"))
        kobj["kset"], kobj["ktype"] = self.core.bus_kset, self.bus_ktype
        try:
            objects.kset_register(kset)
        except OSError:
            bus["p"] = 0
            kernel.slab.kfree(private)
            raise
        directory = self.core.directory(kobj)
        self.core.sysfs.create_own_file(directory, "uevent", 0o200, None, lambda data: objects.synth_uevent(kobj, data))
        for name in (b"devices", b"drivers"):
            made = objects.kset_create_and_add(name, 0, kobj.address)
            assert made is not None
            priv[f"{name.decode()}_kset"] = made.address
        subsys.devices_kset, subsys.drivers_kset = priv["devices_kset"], priv["drivers_kset"]
        self.core.sysfs.create_own_file(
            directory, "drivers_probe", 0o200, None, lambda data: self._drivers_probe(subsys, data)
        )

        def autoprobe(data: bytes) -> None:
            priv["drivers_autoprobe"] = data[:1] != b"0"

        self.core.sysfs.create_own_file(
            directory, "drivers_autoprobe", 0o644, lambda: b"%d\n" % priv["drivers_autoprobe"], autoprobe
        )
        self.buses[bus.address] = subsys
        self.core.sysfs.create_groups(kobj, bus["bus_groups"])
        return subsys

    def _find_device(self, bus: Subsystem, data: bytes) -> StructView:
        """The device of a bus whose name was written.

        :raises OSError: ENODEV
        """
        name = data.partition(b"\0")[0].removesuffix(b"\n").decode("latin-1")
        for dev in self.core.each(bus.devices):
            if self.core.name(dev) == name:
                return dev
        raise err(errno.ENODEV)

    def _drivers_probe(self, bus: Subsystem, data: bytes) -> None:
        """``drivers_probe_store()``."""
        dev = self._find_device(bus, data)
        if not dev["driver"]:
            with self.core.through("drivers_probe"):
                self.core.dd.device_attach(dev)

    def bus_unregister(self, bus: StructView) -> None:
        subsys = self.find_bus(bus.address)
        if subsys is None:
            return
        priv = self.kernel.struct("subsys_private", subsys.private)
        kobj = priv.sub("subsys").sub("kobj")
        self.core.sysfs.remove_groups(kobj, bus["bus_groups"])
        for kset in (subsys.drivers_kset, subsys.devices_kset):
            self.core.kobjects.kset_unregister(self.kernel.struct("kset", kset))
        self.core.kobjects.kset_unregister(priv.sub("subsys"))
        del self.buses[bus.address]
        bus["p"] = 0
        self.kernel.slab.kfree(subsys.private)

    def notify(self, subsys: Subsystem | None, action: str, dev: StructView) -> None:
        """Tell a bus's notifier chain."""
        if subsys is not None:
            for block in list(subsys.notifiers):
                nb = self.kernel.struct("notifier_block", block)
                ret = self.kernel.cpu.call(nb["notifier_call"], block, _BUS_NOTIFY[action], dev.address)
                if ret & 0x8000:
                    break

    def bus_add_driver(self, drv: StructView, name: str, bus: Subsystem) -> Driver:
        private = self.core.private("driver_private")
        driver = Driver(
            name, drv.address, bus, private, self.kernel.modules.address(drv["owner"]) if drv["owner"] else None
        )
        priv = self.kernel.struct("driver_private", private)
        priv["driver"] = drv.address
        drv["p"] = private
        kobj = priv.sub("kobj")
        kobj["kset"] = bus.drivers_kset
        self.core.kobjects.init(kobj, self._driver_ktype)
        try:
            self.core.kobjects.add(kobj, 0, name.encode("latin-1"))
        except OSError:
            self.core.kobjects.put(kobj)
            drv["p"] = 0
            raise
        bus.drivers[name] = driver
        self.core.driver.drivers[drv.address] = driver
        if self.kernel.struct("subsys_private", bus.private)["drivers_autoprobe"]:
            self.core.dd.driver_attach(driver)
        self._module_add_driver(driver)
        directory = self.core.directory(kobj)
        self.core.sysfs.create_own_file(
            directory, "uevent", 0o200, None, lambda data: self.core.kobjects.synth_uevent(kobj, data)
        )
        bus_groups = self.kernel.struct("bus_type", bus.address)["drv_groups"]
        with errors_ignored():
            self.core.sysfs.create_groups(kobj, bus_groups)
        if not drv["suppress_bind_attrs"]:
            self.core.sysfs.create_own_file(directory, "unbind", 0o200, None, lambda data: self._unbind(driver, data))
            self.core.sysfs.create_own_file(directory, "bind", 0o200, None, lambda data: self._bind(driver, data))
        return driver

    def _unbind(self, driver: Driver, data: bytes) -> None:
        """``unbind_store()``.

        :raises OSError: ENODEV
        """
        dev = self._find_device(driver.bus, data)
        if dev["driver"] != driver.address:
            raise err(errno.ENODEV)
        with self.core.through("unbind"):
            self.core.dd.release_driver(dev)

    def _bind(self, driver: Driver, data: bytes) -> None:
        """``bind_store()``.

        :raises OSError: ENODEV, EBUSY, or what the driver's probe says
        """
        dev = self._find_device(driver.bus, data)
        with self.core.through("bind"):
            if not self.core.dd.matches(self.kernel.struct("device_driver", driver.address), dev, driver.bus):
                raise err(errno.ENODEV)
            self.core.dd.driver_attach_device(driver, dev)

    def _module_add_driver(self, driver: Driver) -> None:
        """``module_add_driver()``: a link from the module to its driver, and back."""
        owner = driver.owner
        if owner is None:
            return
        kobj = self.core.kobjects.view(driver.private)
        directory = self.core.directory(kobj)
        with errors_ignored():
            self.core.sysfs.add(SysfsLink("module", directory, 0, None, f"/module/{owner.name}"))
        link = f"{driver.bus.name}:{driver.name}"
        self.module_drivers.setdefault(owner.address, {})[link] = directory.path
        if self.kernel.sysfs is not None:
            self.kernel.sysfs.module_add_driver(owner, link, directory.path)

    def bus_remove_driver(self, drv: StructView, driver: Driver) -> None:
        kobj = self.core.kobjects.view(driver.private)
        with errors_ignored():
            self.core.sysfs.remove_groups(kobj, self.kernel.struct("bus_type", driver.bus.address)["drv_groups"])
        driver.bus.drivers.pop(driver.name, None)
        for dev in reversed(list(driver.devices)):
            self.core.dd.release_driver(self.core.device(dev))
        self.core.driver.drivers.pop(drv.address, None)
        owner = driver.owner
        if owner is not None:
            link = f"{driver.bus.name}:{driver.name}"
            self.module_drivers.get(owner.address, {}).pop(link, None)
            if self.kernel.sysfs is not None:
                self.kernel.sysfs.module_remove_driver(owner, link)
        self.core.kobjects.put(kobj)

    def _driver_release(self, kobj: StructView) -> None:
        self.kernel.slab.kfree(kobj.address)
