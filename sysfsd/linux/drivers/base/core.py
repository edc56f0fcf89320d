"""Buses, drivers, classes and devices (drivers/base/).

What modules can see of them lies in the kernel's memory; who belongs to whom is kept here. A bus of the kernel proper
has no devices but those that modules make, and finds out in Python which driver fits.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sysfsd.linux.drivers.base.devtmpfs import Devtmpfs
from sysfsd.linux.drivers.base.power.sysfs import POWER_ATTRIBUTES
from sysfsd.linux.err import err
from sysfsd.linux.kernel.printk.printk import Level
from sysfsd.linux.lib.kobject import AttributeOps, Kobjects, Sysfs, SysfsDirectory, SysfsLink, UeventOps, errors_ignored
from sysfsd.linux.lib.list import INIT_LIST_HEAD
from sysfsd.linux.mm.memory import PageFault

if TYPE_CHECKING:
    from sysfsd.linux.kernel.module.module import Module
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = ["BuiltinSubsystems", "Driver", "DriverCore", "Subsystem"]

_EPROBE_DEFER: Final = 517
_MINOR_BITS: Final = 20

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
_UEVENT: Final = {"add": 0, "remove": 1, "change": 2, "move": 3, "bind": 6, "unbind": 7}


@dataclass(eq=False)
class Driver:
    """A registered ``struct device_driver``, which lies at *address*."""

    name: str
    address: int
    bus: Subsystem
    private: int
    owner: Module | None = None
    devices: dict[int, None] = field(default_factory=dict)


@dataclass(eq=False)
class Subsystem:
    """A registered bus or class: ``struct subsys_private``, which lies at *private*."""

    name: str
    #: Of its ``struct bus_type`` or ``struct class``.
    address: int
    private: int
    is_class: bool = False
    drivers: dict[str, Driver] = field(default_factory=dict)
    devices: dict[int, None] = field(default_factory=dict)
    interfaces: list[int] = field(default_factory=list)
    notifiers: list[int] = field(default_factory=list)
    glue_dirs: dict[int, int] = field(default_factory=dict)
    devices_kset: int = 0
    drivers_kset: int = 0
    #: What a bus or class of the kernel proper does itself.
    match: Callable[[StructView, StructView], bool] | None = None
    probe: Callable[[StructView], int] | None = None
    remove: Callable[[StructView], None] | None = None
    #: What it adds to what its devices say of themselves, and the files that it gives them.
    uevent: Callable[[StructView, StructView], None] | None = None
    add_files: Callable[[StructView, SysfsDirectory], None] | None = None


@dataclass
class _Resource:
    """``struct devres``: what a device gives back when its driver leaves it."""

    data: int
    release: int | Callable[[int], None]
    size: int
    name: str = ""


class BuiltinSubsystems:
    """What registers a bus or class of the kernel proper when it is first needed, by address."""

    def __init__(self, kernel: Kernel) -> None:
        self.register: dict[int, Callable[[], Subsystem]] = {}


class DriverCore:
    """The buses, classes, drivers and devices of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.sysfs = kernel.state(Sysfs)
        self.kobjects = objects = kernel.state(Kobjects)
        self.buses: dict[int, Subsystem] = {}
        self.classes: dict[int, Subsystem] = {}
        self.drivers: dict[int, Driver] = {}
        self.devtmpfs = kernel.state(Devtmpfs)
        #: By the address of the module: the links below /sys/module/NAME/drivers and where they lead from /sys.
        self.module_drivers: dict[int, dict[str, str]] = {}
        self.builtin = kernel.state(BuiltinSubsystems).register
        self._created_classes: set[int] = set()
        #: What frees devices that the kernel proper has allocated.
        self.own_release: dict[int, Callable[[], None]] = {}
        #: What classes of the kernel proper call their devices below /dev, and the mode.
        self.own_devnode: dict[int, Callable[[StructView], tuple[str | None, int]]] = {}
        #: ``device_platform_notify()``: who is told of a device that has come (True) or goes.
        self.platform_notify: list[Callable[[StructView, bool], None]] = []
        self._deferred: dict[int, None] = {}
        self._resources: dict[int, list[_Resource]] = {}
        self._unadded: dict[int, _Resource] = {}
        self._driver_ktype = objects.new_ktype(
            self._driver_release, AttributeOps("drv_attr", lambda kobj, attr: (self._owner(kobj, "driver"),))
        )
        self._bus_ktype = objects.new_ktype(
            lambda kobj: None, AttributeOps("bus_attr", lambda kobj, attr: (self._owner(kobj, "bus"),))
        )
        self._class_ktype = objects.new_ktype(
            self._class_release, AttributeOps("class_attr", lambda kobj, attr: (self._owner(kobj, "class"), attr))
        )
        self._device_ktype = objects.new_ktype(self._device_release, AttributeOps("dev_attr"))
        self._glue_ktype = objects.new_ktype(lambda kobj: kernel.slab.kfree(kobj.address))
        with self.sysfs.foreign(False):
            self._bus_kset = self._base_kset(b"bus")
            self._class_kset = self._base_kset(b"class")
            self._devices_kset = self._base_kset(b"devices")
            dev = self._base_dir(b"dev", 0)
            self.dev_block, self._dev_char = self._base_dir(b"block", dev), self._base_dir(b"char", dev)
        objects.uevent_ops[self._devices_kset] = UeventOps(self._uevent_filter, self._uevent_name, self._device_uevent)
        never = UeventOps(lambda kobj: kobj["ktype"] == self._bus_ktype, lambda kobj: "bus", lambda kobj, env: None)
        objects.uevent_ops[self._bus_kset] = never
        #: The address of the type that partitions of disks have.
        self.part_type = 0
        self._virtual = 0
        self._file = ""

    def _base_kset(self, name: bytes) -> int:
        kset = self.kobjects.kset_create_and_add(name, 0, 0)
        assert kset is not None
        return kset.address

    def _base_dir(self, name: bytes, parent: int) -> int:
        kobj = self.kobjects.create_and_add(name, parent)
        assert kobj is not None
        return kobj.address

    # Little helpers

    @contextmanager
    def _through(self, file: str) -> Iterator[None]:
        """What happens meanwhile, somebody has asked for by writing to *file*."""
        outer, self._file = self._file, file
        try:
            yield
        finally:
            self._file = outer

    def _site(self, function: str) -> str:
        """From where a driver's or bus's function is called, unless code of a module has asked for it."""
        site = f"{self._file}_{function}"
        return site if site in self.kernel.image.call_sites and not self.kernel.current.sp else ""

    def device(self, address: int) -> StructView:
        return self.kernel.struct("device", address)

    def device_of(self, kobj: StructView) -> StructView:
        return self.device(kobj.address)

    def name(self, dev: StructView) -> str:
        """``dev_name()``."""
        name = dev["init_name"] or dev["kobj.name"]
        return self.kernel.memory.read_string(name).decode("latin-1") if name else ""

    def set_name(self, dev: StructView, name: bytes) -> None:
        self.kobjects.set_name(dev.sub("kobj"), name)

    def _directory(self, kobj: StructView) -> SysfsDirectory:
        directory = self.sysfs.directory(kobj)
        assert directory is not None
        return directory

    def _private(self, struct: str) -> int:
        return self.kernel.slab.kmalloc(self.kernel.image.structs[struct].size)

    def _owner(self, kobj: StructView, kind: str) -> int:
        """The address of the driver, bus or class whose object *kobj* is."""
        struct, member = ("driver_private", "kobj") if kind == "driver" else ("subsys_private", "subsys.kobj")
        private = self.kernel.image.structs.container_of(kobj.address, struct, member)
        return self.kernel.struct(struct, private)[kind]

    # Buses

    def bus(self, address: int) -> Subsystem | None:
        """The bus whose ``struct bus_type`` is at *address*, if it is registered."""
        found = self.buses.get(address)
        if found is None and address in self.builtin:
            with self.sysfs.foreign(False):
                found = self.builtin[address]()
        return found

    def class_(self, address: int) -> Subsystem | None:
        """The class whose ``struct class`` is at *address*, if it is registered."""
        found = self.classes.get(address)
        if found is None and address in self.builtin:
            with self.sysfs.foreign(False):
                found = self.builtin[address]()
        return found

    def bus_register(self, bus: StructView) -> Subsystem:
        """:raises OSError: EINVAL, EEXIST, ENOMEM"""
        kernel, objects = self.kernel, self.kobjects
        private = self._private("subsys_private")
        subsys = Subsystem(bus.string("name").decode("latin-1"), bus.address, private)
        priv = kernel.struct("subsys_private", private)
        bus["p"], priv["bus"], priv["drivers_autoprobe"] = private, bus.address, 1
        kset = priv.sub("subsys")
        kobj = kset.sub("kobj")
        objects.set_name(kobj, bus.string("name"))
        kobj["kset"], kobj["ktype"] = self._bus_kset, self._bus_ktype
        try:
            objects.kset_register(kset)
        except OSError:
            bus["p"] = 0
            kernel.slab.kfree(private)
            raise
        directory = self._directory(kobj)
        self.sysfs.create_own_file(directory, "uevent", 0o200, None, lambda data: objects.synth_uevent(kobj, data))
        for name in (b"devices", b"drivers"):
            made = objects.kset_create_and_add(name, 0, kobj.address)
            assert made is not None
            priv[f"{name.decode()}_kset"] = made.address
        subsys.devices_kset, subsys.drivers_kset = priv["devices_kset"], priv["drivers_kset"]
        self.sysfs.create_own_file(
            directory, "drivers_probe", 0o200, None, lambda data: self._drivers_probe(subsys, data)
        )

        def autoprobe(data: bytes) -> None:
            priv["drivers_autoprobe"] = data[:1] != b"0"

        self.sysfs.create_own_file(
            directory, "drivers_autoprobe", 0o644, lambda: b"%d\n" % priv["drivers_autoprobe"], autoprobe
        )
        self.buses[bus.address] = subsys
        self.sysfs.create_groups(kobj, bus["bus_groups"])
        return subsys

    def _find_device(self, bus: Subsystem, data: bytes) -> StructView:
        """The device of a bus whose name was written.

        :raises OSError: ENODEV
        """
        name = data.partition(b"\0")[0].removesuffix(b"\n").decode("latin-1")
        for dev in self.each(bus.devices):
            if self.name(dev) == name:
                return dev
        raise err(errno.ENODEV)

    def _drivers_probe(self, bus: Subsystem, data: bytes) -> None:
        """``drivers_probe_store()``."""
        dev = self._find_device(bus, data)
        if not dev["driver"]:
            with self._through("drivers_probe"):
                self.device_attach(dev)

    def bus_unregister(self, bus: StructView) -> None:
        subsys = self.bus(bus.address)
        if subsys is None:
            return
        priv = self.kernel.struct("subsys_private", subsys.private)
        kobj = priv.sub("subsys").sub("kobj")
        self.sysfs.remove_groups(kobj, bus["bus_groups"])
        for kset in (subsys.drivers_kset, subsys.devices_kset):
            self.kobjects.kset_unregister(self.kernel.struct("kset", kset))
        self.kobjects.kset_unregister(priv.sub("subsys"))
        del self.buses[bus.address]
        bus["p"] = 0
        self.kernel.slab.kfree(subsys.private)

    def subsys_kobj(self, subsys: Subsystem) -> StructView:
        """The object of a bus or class."""
        return self.kernel.struct("subsys_private", subsys.private).sub("subsys").sub("kobj")

    def notify(self, subsys: Subsystem | None, action: str, dev: StructView) -> None:
        """Tell a bus's notifier chain."""
        if subsys is not None:
            for block in list(subsys.notifiers):
                nb = self.kernel.struct("notifier_block", block)
                ret = self.kernel.cpu.call(nb["notifier_call"], block, _BUS_NOTIFY[action], dev.address)
                if ret & 0x8000:
                    break

    # Drivers

    def driver_register(self, drv: StructView) -> Driver:
        """:raises OSError: EINVAL for a bus that is not there, EBUSY for a name that is taken, ENOMEM"""
        log, name = self.kernel.log, drv.string("name").decode("latin-1")
        bus = self.bus(drv["bus"])
        if bus is None:
            bus_name = drv.to("bus").string("name").decode("latin-1")
            log.pr_err(
                f"Driver '{name}' was unable to register with bus_type '{bus_name}'"
                " because the bus was not initialized."
            )
            raise err(errno.EINVAL)
        type_ = self.kernel.struct("bus_type", bus.address)
        if any(drv[op] and (type_[op] or getattr(bus, op, None)) for op in ("probe", "remove", "shutdown")):
            log.pr_warn(f"Driver '{name}' needs updating - please use bus_type methods")
        if name in bus.drivers:
            log.pr_err(f"Error: Driver '{name}' is already registered, aborting...")
            raise err(errno.EBUSY)
        driver = self._bus_add_driver(drv, name, bus)
        kobj = self.kobjects.view(driver.private)
        try:
            self.sysfs.create_groups(kobj, drv["groups"])
        except OSError:
            self._bus_remove_driver(drv, driver)
            raise
        with errors_ignored():
            self.kobjects.uevent(kobj, _UEVENT["add"])
        return driver

    def _bus_add_driver(self, drv: StructView, name: str, bus: Subsystem) -> Driver:
        private = self._private("driver_private")
        driver = Driver(
            name, drv.address, bus, private, self.kernel.modules.address(drv["owner"]) if drv["owner"] else None
        )
        priv = self.kernel.struct("driver_private", private)
        priv["driver"] = drv.address
        drv["p"] = private
        kobj = priv.sub("kobj")
        kobj["kset"] = bus.drivers_kset
        self.kobjects.init(kobj, self._driver_ktype)
        try:
            self.kobjects.add(kobj, 0, name.encode("latin-1"))
        except OSError:
            self.kobjects.put(kobj)
            drv["p"] = 0
            raise
        bus.drivers[name] = driver
        self.drivers[drv.address] = driver
        if self.kernel.struct("subsys_private", bus.private)["drivers_autoprobe"]:
            self.driver_attach(driver)
        self._module_add_driver(driver)
        directory = self._directory(kobj)
        self.sysfs.create_own_file(
            directory, "uevent", 0o200, None, lambda data: self.kobjects.synth_uevent(kobj, data)
        )
        bus_groups = self.kernel.struct("bus_type", bus.address)["drv_groups"]
        with errors_ignored():
            self.sysfs.create_groups(kobj, bus_groups)
        if not drv["suppress_bind_attrs"]:
            self.sysfs.create_own_file(directory, "unbind", 0o200, None, lambda data: self._unbind(driver, data))
            self.sysfs.create_own_file(directory, "bind", 0o200, None, lambda data: self._bind(driver, data))
        return driver

    def _unbind(self, driver: Driver, data: bytes) -> None:
        """``unbind_store()``.

        :raises OSError: ENODEV
        """
        dev = self._find_device(driver.bus, data)
        if dev["driver"] != driver.address:
            raise err(errno.ENODEV)
        with self._through("unbind"):
            self.release_driver(dev)

    def _bind(self, driver: Driver, data: bytes) -> None:
        """``bind_store()``.

        :raises OSError: ENODEV, EBUSY, or what the driver's probe says
        """
        dev = self._find_device(driver.bus, data)
        with self._through("bind"):
            if not self.matches(self.kernel.struct("device_driver", driver.address), dev, driver.bus):
                raise err(errno.ENODEV)
            self.driver_attach_device(driver, dev)

    def driver_attach_device(self, driver: Driver, dev: StructView) -> None:
        """``device_driver_attach()``.

        :raises OSError: EBUSY, EAGAIN, or what the driver's probe says
        """
        if dev["driver"]:
            raise err(errno.EBUSY)
        ret = self.probe_device(dev, driver)
        if ret:
            raise err(errno.EAGAIN if ret == _EPROBE_DEFER else ret)

    def _module_add_driver(self, driver: Driver) -> None:
        """``module_add_driver()``: a link from the module to its driver, and back."""
        owner = driver.owner
        if owner is None:
            return
        kobj = self.kobjects.view(driver.private)
        directory = self._directory(kobj)
        with errors_ignored():
            self.sysfs.add(SysfsLink("module", directory, 0, None, f"/module/{owner.name}"))
        link = f"{driver.bus.name}:{driver.name}"
        self.module_drivers.setdefault(owner.address, {})[link] = directory.path
        if self.kernel.sysfs is not None:
            self.kernel.sysfs.module_add_driver(owner, link, directory.path)

    def driver_unregister(self, drv: StructView) -> None:
        driver = self.drivers.get(drv.address) if drv.address else None
        if driver is None or not drv["p"]:
            self.kernel.traps.warn_at(
                "drivers/base/driver.c", 270, "Unexpected driver unregister!", site="driver_unregister+0x38"
            )
            return
        self.sysfs.remove_groups(self.kobjects.view(driver.private), drv["groups"])
        self._bus_remove_driver(drv, driver)

    def _bus_remove_driver(self, drv: StructView, driver: Driver) -> None:
        kobj = self.kobjects.view(driver.private)
        with errors_ignored():
            self.sysfs.remove_groups(kobj, self.kernel.struct("bus_type", driver.bus.address)["drv_groups"])
        driver.bus.drivers.pop(driver.name, None)
        for dev in reversed(list(driver.devices)):
            self.release_driver(self.device(dev))
        self.drivers.pop(drv.address, None)
        owner = driver.owner
        if owner is not None:
            link = f"{driver.bus.name}:{driver.name}"
            self.module_drivers.get(owner.address, {}).pop(link, None)
            if self.kernel.sysfs is not None:
                self.kernel.sysfs.module_remove_driver(owner, link)
        self.kobjects.put(kobj)

    def _driver_release(self, kobj: StructView) -> None:
        self.kernel.slab.kfree(kobj.address)

    # Binding

    def matches(self, drv: StructView, dev: StructView, bus: Subsystem) -> bool:
        """``driver_match_device()``."""
        if bus.match is not None:
            return bus.match(dev, drv)
        match = self.kernel.struct("bus_type", bus.address)["match"]
        return not match or self.kernel.cpu.call(match, dev.address, drv.address, site=self._site("match")) > 0

    def driver_attach(self, driver: Driver) -> None:
        """Offer a driver all devices of its bus."""
        drv = self.kernel.struct("device_driver", driver.address)
        for address in list(driver.bus.devices):
            dev = self.device(address)
            if self.matches(drv, dev, driver.bus) and not dev["driver"]:
                self.probe_device(dev, driver)

    def device_attach(self, dev: StructView) -> bool:
        """``device_attach()``: offer a device to all drivers of its bus.

        :returns: whether one has taken it
        """
        bus = self.bus(dev["bus"])
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
            self.notify(bus, "BIND_DRIVER", dev)
            if bus.probe is not None:
                ret = bus.probe(dev)
            elif type_["probe"] or drv["probe"]:
                ret = kernel.cpu.call(type_["probe"] or drv["probe"], dev.address, site=self._site("probe"))
            if ret == 0:
                try:
                    self.sysfs.create_groups(dev.sub("kobj"), drv["dev_groups"])
                except OSError as error:
                    ret = -(error.errno or 0)
            if ret:
                self._driver_sysfs_remove(dev, driver)
                self.notify(bus, "DRIVER_NOT_BOUND", dev)
        if ret:
            self.release_resources(dev)
            dev["driver"] = dev["driver_data"] = 0
            if ret == -_EPROBE_DEFER:
                self._deferred[dev.address] = None
            elif ret not in (-errno.ENODEV, -errno.ENXIO):
                kernel.log.pr_warn(f"{driver.name}: probe of {self.name(dev)} failed with error {ret}")
            return -ret
        driver.devices[dev.address] = None
        self._deferred.pop(dev.address, None)
        self.notify(bus, "BOUND_DRIVER", dev)
        with errors_ignored():
            self.kobjects.uevent(dev.sub("kobj"), _UEVENT["bind"])
        self._retry_deferred()
        return 0

    def _retry_deferred(self) -> None:
        """``driver_deferred_probe_trigger()``."""
        waiting, self._deferred = list(self._deferred), {}
        for address in waiting:
            self.device_attach(self.device(address))

    def _driver_sysfs_add(self, dev: StructView, driver: Driver) -> None:
        kobj, own = dev.sub("kobj"), self.kobjects.view(driver.private)
        with errors_ignored():
            self.sysfs.create_link(own, kobj, self.kobjects.name(kobj))
            self.sysfs.create_link(kobj, own, "driver")

    def _driver_sysfs_remove(self, dev: StructView, driver: Driver) -> None:
        kobj, own = dev.sub("kobj"), self.kobjects.view(driver.private)
        for where, name in ((own, self.kobjects.name(kobj)), (kobj, "driver")):
            directory = self.sysfs.directory(where)
            if directory is not None:
                self.sysfs.remove_by_name(directory, name)

    def bind_driver(self, dev: StructView) -> None:
        """``device_bind_driver()``: the driver is there already and wants no probe."""
        driver = self.drivers.get(dev["driver"])
        if driver is not None:
            self._driver_sysfs_add(dev, driver)
            driver.devices[dev.address] = None
            self.notify(driver.bus, "BOUND_DRIVER", dev)
            with errors_ignored():
                self.kobjects.uevent(dev.sub("kobj"), _UEVENT["bind"])

    def release_driver(self, dev: StructView) -> None:
        """``device_release_driver()``."""
        driver = self.drivers.get(dev["driver"])
        if driver is None:
            return
        kernel, bus = self.kernel, driver.bus
        drv = kernel.struct("device_driver", driver.address)
        self._driver_sysfs_remove(dev, driver)
        self.notify(bus, "UNBIND_DRIVER", dev)
        self.sysfs.remove_groups(dev.sub("kobj"), drv["dev_groups"])
        remove = kernel.struct("bus_type", bus.address)["remove"] or drv["remove"]
        if bus.remove is not None:
            bus.remove(dev)
        elif remove:
            kernel.cpu.call(remove, dev.address, site=self._site("remove"))
        self.release_resources(dev)
        dev["driver"] = dev["driver_data"] = 0
        driver.devices.pop(dev.address, None)
        self.notify(bus, "UNBOUND_DRIVER", dev)
        with errors_ignored():
            self.kobjects.uevent(dev.sub("kobj"), _UEVENT["unbind"])

    # Classes

    def class_register(self, cls: StructView) -> Subsystem:
        """:raises OSError: EINVAL, EEXIST, ENOMEM"""
        private = self._private("subsys_private")
        subsys = Subsystem(cls.string("name").decode("latin-1"), cls.address, private, is_class=True)
        priv = self.kernel.struct("subsys_private", private)
        kset = priv.sub("subsys")
        kobj = kset.sub("kobj")
        INIT_LIST_HEAD(self.kernel.memory, priv.sub("glue_dirs").at("list"))
        self.kobjects.set_name(kobj, cls.string("name"))
        if not cls["dev_kobj"]:
            cls["dev_kobj"] = self._dev_char
        kobj["kset"], kobj["ktype"] = self._class_kset, self._class_ktype
        priv["class"], cls["p"] = cls.address, private
        try:
            self.kobjects.kset_register(kset)
        except OSError:
            self.kernel.slab.kfree(private)
            raise
        self.classes[cls.address] = subsys
        self.sysfs.create_groups(kobj, cls["class_groups"])
        return subsys

    def class_create(self, owner: int, name: bytes) -> StructView:
        """``class_create()``.

        :raises OSError: EINVAL, EEXIST, ENOMEM
        """
        slab = self.kernel.slab
        cls = self.kernel.struct("class", self._private("class"))
        cls["name"], cls["owner"] = slab.string(name), owner
        self._created_classes.add(cls.address)
        try:
            self.class_register(cls)
        except OSError:
            self._free_class(cls)
            raise
        return cls

    def _free_class(self, cls: StructView) -> None:
        self._created_classes.discard(cls.address)
        self.kernel.slab.kfree(cls["name"])
        self.kernel.slab.kfree(cls.address)

    def class_unregister(self, cls: StructView) -> None:
        subsys = self.class_(cls.address)
        if subsys is not None:
            self.sysfs.remove_groups(self.subsys_kobj(subsys), cls["class_groups"])
            self.kobjects.kset_unregister(self.kernel.struct("subsys_private", subsys.private).sub("subsys"))

    def _class_release(self, kobj: StructView) -> None:
        private = self.kernel.image.structs.container_of(kobj.address, "subsys_private", "subsys.kobj")
        cls = self.kernel.struct("subsys_private", private).to("class")
        self.classes.pop(cls.address, None)
        if cls.address in self._created_classes:
            self._free_class(cls)
        elif cls["class_release"]:
            self.kernel.cpu.call(cls["class_release"], cls.address)
        self.kernel.slab.kfree(private)

    # Devices

    def device_initialize(self, dev: StructView) -> None:
        memory = self.kernel.memory
        dev["kobj.kset"] = self._devices_kset
        self.kobjects.init(dev.sub("kobj"), self._device_ktype)
        for head in ("dma_pools", "devres_head", "mutex.wait_list", "power.entry", "power.wait_queue.head"):
            INIT_LIST_HEAD(memory, dev.at(head))
        for head in ("consumers", "suppliers", "defer_sync"):
            INIT_LIST_HEAD(memory, dev.at(f"links.{head}"))
        dev["numa_node"] = -1
        dev["power.disable_depth"], dev["power.runtime_auto"] = 1, 1
        dev["power.runtime_status"] = self.kernel.image.constant("RPM_SUSPENDED")
        dev["power.power_state.event"] = -1

    def _device_release(self, kobj: StructView) -> None:
        """``device_release()``."""
        kernel, dev = self.kernel, self.device_of(kobj)
        private = dev["p"]
        self.release_resources(dev)
        name = self.name(dev)
        own = self.own_release.pop(dev.address, None)
        if dev["release"]:
            kernel.cpu.call(dev["release"], dev.address)
        elif dev["type"] and dev.to("type")["release"]:
            kernel.cpu.call(dev.to("type")["release"], dev.address)
        elif dev["class"] and dev.to("class")["dev_release"]:
            kernel.cpu.call(dev.to("class")["dev_release"], dev.address)
        elif own is not None:
            own()
        else:
            kernel.traps.warn_at(
                "drivers/base/core.c",
                2510,
                f"Device '{name}' does not have a release() function, it is broken and must be fixed."
                " See Documentation/core-api/kobject.rst.",
                site="device_release+0x79",
            )
        if private:
            kernel.slab.kfree(private)

    def _virtual_parent(self) -> int:
        if not self._virtual:
            root = self.kernel.struct("kset", self._devices_kset).sub("kobj")
            with self.sysfs.foreign(False):
                self._virtual = self._base_dir(b"virtual", root.address)
        return self._virtual

    def _parent_kobj(self, dev: StructView) -> int:
        """``get_device_parent()``: the directory that a device's own lies in."""
        parent = dev["parent"]
        cls = self.class_(dev["class"]) if dev["class"] else None
        if cls is None:
            if not parent and (bus := dev["bus"]) and (root := self.kernel.struct("bus_type", bus)["dev_root"]):
                return root
            return parent
        if parent and self.device(parent)["class"] and not self.kernel.struct("class", cls.address)["ns_type"]:
            return parent
        above = parent or self._virtual_parent()
        glue = cls.glue_dirs.get(above)
        if glue is not None:
            self.kobjects.get(self.kobjects.view(glue))
            return glue
        kobj = self.kobjects.view(self.kernel.slab.kmalloc(self.kernel.image.structs["kobject"].size))
        self.kobjects.init(kobj, self._glue_ktype)
        self.kobjects.add(kobj, above, cls.name.encode("latin-1"))
        cls.glue_dirs[above] = kobj.address
        return kobj.address

    def _put_glue(self, dev: StructView, parent: int) -> None:
        """``cleanup_glue_dir()``: a directory between a device and a class goes with the last device in it."""
        cls = self.classes.get(dev["class"]) if dev["class"] else None
        if cls is None or parent not in cls.glue_dirs.values():
            return
        kobj = self.kobjects.view(parent)
        directory = self.sysfs.directory(kobj)
        if directory is not None and not directory.children:
            above = next(key for key, value in cls.glue_dirs.items() if value == parent)
            del cls.glue_dirs[above]
            self.kobjects.delete(kobj)
        self.kobjects.put(kobj)

    def device_add(self, dev: StructView) -> None:
        """:raises OSError: EINVAL, EEXIST, ENOMEM"""
        objects = self.kobjects
        if not dev.address:
            raise err(errno.EINVAL)
        kobj = dev.sub("kobj")
        objects.get(kobj)
        try:
            self._device_add(dev, kobj)
        finally:
            objects.put(kobj)

    def _device_add(self, dev: StructView, kobj: StructView) -> None:
        kernel, objects = self.kernel, self.kobjects
        if not dev["p"]:
            dev["p"] = self._private("device_private")
        if dev["init_name"]:
            self.set_name(dev, dev.string("init_name"))
            dev["init_name"] = 0
        bus = self.bus(dev["bus"]) if dev["bus"] else None
        if not kobj["name"] and bus is not None and (prefix := kernel.struct("bus_type", bus.address))["dev_name"]:
            self.set_name(dev, prefix.string("dev_name") + b"%d" % dev["id"])
        if not kobj["name"] or not self.name(dev):
            self._drop_private(dev)
            raise err(errno.EINVAL)
        parent = dev["parent"]
        if parent:
            objects.get(objects.view(parent))
        above = self._parent_kobj(dev)
        if parent and dev["numa_node"] == -1:
            dev["numa_node"] = self.device(parent)["numa_node"]
        try:
            objects.add(kobj, above or kobj["parent"], None)
        except OSError:
            self._device_failed(dev, above, parent)
            raise
        try:
            self._device_fill(dev, kobj, bus)
        except OSError:
            with errors_ignored():
                objects.uevent(kobj, _UEVENT["remove"])
            self._unlink(dev, kobj, bus)
            objects.delete(kobj)
            self._device_failed(dev, above, parent)
            raise
        self.notify(bus, "ADD_DEVICE", dev)
        with errors_ignored():
            objects.uevent(kobj, _UEVENT["add"])
        if bus is not None and kernel.struct("subsys_private", bus.private)["drivers_autoprobe"]:
            self.device_attach(dev)
        cls = self.class_(dev["class"]) if dev["class"] else None
        if cls is not None:
            cls.devices[dev.address] = None
            for address in list(cls.interfaces):
                interface = kernel.struct("class_interface", address)
                if interface["add_dev"]:
                    kernel.cpu.call(interface["add_dev"], dev.address, address)

    def _drop_private(self, dev: StructView) -> None:
        self.kernel.slab.kfree(dev["p"])
        dev["p"] = 0

    def _device_failed(self, dev: StructView, above: int, parent: int) -> None:
        self._put_glue(dev, above)
        if parent:
            self.kobjects.put(self.kobjects.view(parent))
        self._drop_private(dev)

    def _device_fill(self, dev: StructView, kobj: StructView, bus: Subsystem | None) -> None:
        """What a device's directory holds, and what leads there."""
        kernel, sysfs = self.kernel, self.sysfs
        directory, name = self._directory(kobj), self.kobjects.name(kobj)
        for notify in self.platform_notify:
            notify(dev, True)
        sysfs.create_own_file(
            directory, "uevent", 0o644, lambda: self.show_uevent(dev), lambda data: self._store_uevent(dev, data)
        )
        cls = self.class_(dev["class"]) if dev["class"] else None
        if cls is not None:
            sysfs.create_link(kobj, self.subsys_kobj(cls), "subsystem")
            if dev["parent"] and not (dev["type"] and dev["type"] == self.part_type):
                sysfs.create_link(kobj, self.device(dev["parent"]).sub("kobj"), "device")
            sysfs.create_link(self.subsys_kobj(cls), kobj, name)
            sysfs.create_groups(kobj, kernel.struct("class", cls.address)["dev_groups"])
            if cls.add_files is not None:
                cls.add_files(dev, directory)
        if dev["type"]:
            sysfs.create_groups(kobj, dev.to("type")["groups"])
        sysfs.create_groups(kobj, dev["groups"])
        if bus is not None:
            sysfs.create_groups(kobj, kernel.struct("bus_type", bus.address)["dev_groups"])
            if bus.add_files is not None:
                bus.add_files(dev, directory)
            devices = kernel.struct("kset", bus.devices_kset).sub("kobj")
            sysfs.create_link(devices, kobj, name)
            sysfs.create_link(kobj, self.subsys_kobj(bus), "subsystem")
            bus.devices[dev.address] = None
        power = sysfs.add(SysfsDirectory("power", directory, 0, kobj.address))
        assert isinstance(power, SysfsDirectory)
        for file, (mode, show, store) in POWER_ATTRIBUTES.items():
            sysfs.create_own_file(power, file, mode, partial(show, dev), partial(store, dev) if store else None)
        devt = dev["devt"]
        if devt >> _MINOR_BITS:
            sysfs.create_own_file(directory, "dev", 0o444, lambda: f"{_devt(devt)}\n".encode())
            with errors_ignored():
                sysfs.create_link(self._dev_entry(dev), kobj, _devt(devt))
            self.devtmpfs.create_node(*self.devnode(dev), devt, self._is_block(dev))

    def _dev_entry(self, dev: StructView) -> StructView:
        cls = dev["class"]
        return self.kobjects.view((self.kernel.struct("class", cls)["dev_kobj"] if cls else 0) or self._dev_char)

    def _unlink(self, dev: StructView, kobj: StructView, bus: Subsystem | None) -> None:
        """Take away what leads to a device."""
        sysfs, name, devt = self.sysfs, self.kobjects.name(kobj), dev["devt"]
        own = self.sysfs.directory(kobj)
        places: list[tuple[StructView, str]] = []
        if devt >> _MINOR_BITS:
            places.append((self._dev_entry(dev), _devt(devt)))
            self.devtmpfs.delete_node(self.devnode(dev, want_mode=False)[0], devt, self._is_block(dev))
        cls = self.classes.get(dev["class"])
        if cls is not None:
            places.append((self.subsys_kobj(cls), name))
            cls.devices.pop(dev.address, None)
        if bus is not None:
            places.append((self.kernel.struct("kset", bus.devices_kset).sub("kobj"), name))
            bus.devices.pop(dev.address, None)
        for where, link in places:
            directory = sysfs.directory(where)
            found = directory.children.get(link) if directory is not None else None
            if isinstance(found, SysfsLink) and found.target is own:
                sysfs.remove(found)

    def _is_block(self, dev: StructView) -> bool:
        return self._dev_entry(dev).address == self.dev_block

    def device_del(self, dev: StructView) -> None:
        kernel, objects = self.kernel, self.kobjects
        kobj, parent, above = dev.sub("kobj"), dev["parent"], dev["kobj.parent"]
        bus = self.bus(dev["bus"]) if dev["bus"] else None
        self.notify(bus, "DEL_DEVICE", dev)
        cls = self.classes.get(dev["class"]) if dev["class"] else None
        if cls is not None:
            for address in list(cls.interfaces):
                interface = kernel.struct("class_interface", address)
                if interface["remove_dev"]:
                    kernel.cpu.call(interface["remove_dev"], dev.address, address)
        self._unlink(dev, kobj, bus)
        self.release_driver(dev)
        self._deferred.pop(dev.address, None)
        for notify in self.platform_notify:
            notify(dev, False)
        self.release_resources(dev)
        self.notify(bus, "REMOVED_DEVICE", dev)
        with errors_ignored():
            objects.uevent(kobj, _UEVENT["remove"])
        if above:
            objects.get(objects.view(above))
        objects.delete(kobj)
        if above:
            self._put_glue(dev, above)
            objects.put(objects.view(above))
        if parent:
            objects.put(objects.view(parent))

    def device_register(self, dev: StructView) -> None:
        self.device_initialize(dev)
        self.device_add(dev)

    def put(self, dev: StructView) -> None:
        """``put_device()``."""
        if dev.address:
            self.kobjects.put(dev.sub("kobj"))

    def get(self, dev: StructView) -> StructView:
        """``get_device()``."""
        if dev.address:
            self.kobjects.get(dev.sub("kobj"))
        return dev

    def device_create(self, cls: int, parent: int, devt: int, drvdata: int, groups: int, name: bytes) -> StructView:
        """``device_create_with_groups()``.

        :raises OSError: ENODEV, EINVAL, EEXIST, ENOMEM
        """
        if not cls or cls > -4096 & (1 << 64) - 1:
            raise err(errno.ENODEV)
        return self._device_create(
            name, {"devt": devt, "class": cls, "parent": parent, "groups": groups, "driver_data": drvdata}
        )

    def _device_create(self, name: bytes, fields: Mapping[str, int]) -> StructView:
        """A device that frees itself when nobody uses it any more."""
        dev = self.device(self._private("device"))
        self.device_initialize(dev)
        for member, value in fields.items():
            dev[member] = value
        self.own_release[dev.address] = lambda: self.kernel.slab.kfree(dev.address)
        try:
            self.set_name(dev, name)
            self.device_add(dev)
        except OSError:
            self.put(dev)
            raise
        return dev

    def root_device_register(self, name: bytes, owner: int = 0) -> StructView:
        """``__root_device_register()``.

        :param owner: the address of the module that it is a part of
        :raises OSError: EINVAL, EEXIST, ENOMEM
        """
        dev = self._device_create(name, {})
        module = self.kobjects.modules.get(owner)
        if module is not None:
            self.sysfs.add(SysfsLink("module", self._directory(dev.sub("kobj")), 0, module))
        return dev

    def device_unregister(self, dev: StructView) -> None:
        self.device_del(dev)
        self.put(dev)

    # What devices say of themselves

    def devnode(self, dev: StructView, want_mode: bool = True) -> tuple[str, int]:
        """``device_get_devnode()``: the name below /dev, and the mode if somebody wants one; not all ask for it."""
        kernel = self.kernel
        own = self.own_devnode.get(dev["class"])
        if own is not None:
            name, mode = own(dev)
            return name or self.name(dev).replace("!", "/"), mode
        scratch = kernel.slab.kmalloc(32)
        try:
            node = 0
            if dev["type"] and (devnode := dev.to("type")["devnode"]):
                mode_at = scratch if want_mode else 0
                node = kernel.cpu.call_long(devnode, dev.address, mode_at, scratch + 8, scratch + 16)
            if not node and dev["class"] and (devnode := dev.to("class")["devnode"]):
                node = kernel.cpu.call_long(devnode, dev.address, scratch if want_mode else 0)
            mode = kernel.memory.read_int(scratch, 2)
            if node:
                name = kernel.memory.read_string(node).decode("latin-1")
                self.kobjects.free_name(node)
                return name, mode
            return self.name(dev).replace("!", "/"), mode
        finally:
            kernel.slab.kfree(scratch)

    def _uevent_filter(self, kobj: StructView) -> bool:
        if kobj["ktype"] != self._device_ktype:
            return False
        dev = self.device_of(kobj)
        return bool(dev["bus"] or dev["class"])

    def _uevent_name(self, kobj: StructView) -> str | None:
        dev = self.device_of(kobj)
        for kind in ("bus", "class"):
            if dev[kind]:
                return dev.to(kind).string("name").decode("latin-1")
        return None

    def _device_uevent(self, kobj: StructView, env: StructView) -> None:
        """``dev_uevent()``."""
        kernel, dev, add = self.kernel, self.device_of(kobj), self.kobjects.add_var
        devt = dev["devt"]
        if devt >> _MINOR_BITS:
            add(env, b"MAJOR=%d" % (devt >> _MINOR_BITS))
            add(env, b"MINOR=%d" % (devt & (1 << _MINOR_BITS) - 1))
            name, mode = self.devnode(dev)
            add(env, b"DEVNAME=" + name.encode("latin-1"))
            if mode:
                add(env, b"DEVMODE=0%o" % (mode & 0o777))
        if dev["type"] and dev.to("type")["name"]:
            add(env, b"DEVTYPE=" + dev.to("type").string("name"))
        if dev["driver"]:
            add(env, b"DRIVER=" + dev.to("driver").string("name"))
        ret = 0
        bus = self.buses.get(dev["bus"])
        for subsys in (bus, self.classes.get(dev["class"])):
            if subsys is not None and subsys.uevent is not None:
                subsys.uevent(dev, env)
        for kind, function in (("bus", "uevent"), ("class", "dev_uevent"), ("type", "uevent")):
            if dev[kind] and (uevent := dev.to(kind)[function]):
                ret = kernel.cpu.call(uevent, dev.address, env.address)
        if ret:
            raise err(-ret)

    def show_uevent(self, dev: StructView) -> bytes:
        """``uevent_show()``: what a device says of itself."""
        kernel = self.kernel
        env = kernel.struct("kobj_uevent_env", self._private("kobj_uevent_env"))
        try:
            with errors_ignored():
                self._device_uevent(dev.sub("kobj"), env)
            texts = [kernel.memory.read_string(env[f"envp[{i}]"]) for i in range(env["envp_idx"])]
            return b"".join(text + b"\n" for text in texts)
        finally:
            kernel.slab.kfree(env.address)

    def _store_uevent(self, dev: StructView, data: bytes) -> None:
        """``uevent_store()``.

        :raises OSError: EINVAL
        """
        try:
            self.kobjects.synth_uevent(dev.sub("kobj"), data)
        except PageFault:
            raise
        except OSError as error:
            text = b"uevent: failed to send synthetic uevent: %d\n" % -(error.errno or 0)
            self.printk(Level.ERR, dev, text)
            raise

    def driver_string(self, dev: StructView) -> str:
        """``dev_driver_string()``."""
        for kind in ("driver", "bus", "class"):
            if dev[kind]:
                return dev.to(kind).string("name").decode("latin-1")
        return ""

    def printk(self, level: int | None, dev: StructView, text: bytes) -> int:
        """``dev_printk()``."""
        if not dev.address:
            return self.kernel.log.emit(b"(NULL device *): " + text, level, caller=self.kernel.current.pid)
        prefix = f"{self.driver_string(dev)} {self.name(dev)}: ".encode("latin-1")
        return self.printk_emit(Level.WARNING if level is None else level, dev, prefix + text)

    def printk_emit(self, level: int, dev: StructView, text: bytes) -> int:
        """``dev_printk_emit()``: the record says which device it is about."""
        return self.kernel.log.emit(text, level, dev_info=self._printk_info(dev), caller=self.kernel.current.pid)

    def _printk_info(self, dev: StructView) -> dict[str, str]:
        """``set_dev_info()``."""
        subsystem = self._uevent_name(dev.sub("kobj"))
        if dev["class"]:
            subsystem = dev.to("class").string("name").decode("latin-1")
        if not subsystem:
            return {}
        devt = dev["devt"]
        if devt >> _MINOR_BITS:
            device = f"{'b' if subsystem == 'block' else 'c'}{_devt(devt)}"
        elif subsystem == "net":
            net = self.kernel.image.structs.container_of(dev.address, "net_device", "dev")
            device = f"n{self.kernel.struct('net_device', net)['ifindex']}"
        else:
            device = f"+{subsystem}:{self.name(dev)}"
        return {"SUBSYSTEM": subsystem, "DEVICE": device}

    # Going through them

    def each(self, devices: dict[int, None], start: int = 0) -> Iterator[StructView]:
        """The devices of a bus, class or driver behind *start*, which may go meanwhile."""
        found = list(devices)
        if start in devices:
            found = found[found.index(start) + 1 :]
        return (self.device(address) for address in found if address in devices)

    def children(self, parent: int) -> Iterator[StructView]:
        """The devices that have *parent* for one."""
        directory = self.sysfs.directory(self.kobjects.view(parent))
        waiting = list(directory.children.values()) if directory is not None else []
        for node in waiting:
            if isinstance(node, SysfsDirectory) and node.kobj != parent:
                kobj = self.kobjects.view(node.kobj)
                if kobj["ktype"] == self._device_ktype:
                    if self.device_of(kobj)["parent"] == parent:
                        yield self.device_of(kobj)
                elif kobj["ktype"] == self._glue_ktype:
                    waiting.extend(node.children.values())

    # Resources

    def resource_alloc(self, release: int | Callable[[int], None], size: int, name: str = "") -> int:
        """``devres_alloc()``.

        :returns: the address of the resource's data
        :raises OSError: ENOMEM
        """
        data = self.kernel.slab.kmalloc(size or 1)
        self._unadded[data] = _Resource(data, release, size, name)
        return data

    def resource_free(self, data: int) -> None:
        if self._unadded.pop(data, None) is not None:
            self.kernel.slab.kfree(data)

    def resource_add(self, dev: StructView, data: int) -> None:
        found = self._unadded.pop(data, None)
        if found is not None:
            self._resources.setdefault(dev.address, []).append(found)

    def resource_find(
        self, dev: StructView, release: int | None, match: Callable[[int], Any] | None, size: int | None = None
    ) -> _Resource | None:
        """``find_dr()``: the newest that fits."""
        for found in reversed(self._resources.get(dev.address, [])):
            if (release is None or found.release == release) and (match is None or match(found.data)):
                return found
        return None

    def resource_remove(self, dev: StructView, found: _Resource) -> None:
        self._resources[dev.address].remove(found)
        if not self._resources[dev.address]:
            del self._resources[dev.address]
        self._unadded[found.data] = found

    def resource_release(self, dev: StructView, found: _Resource) -> None:
        """Have one given back now."""
        if callable(found.release):
            found.release(found.data)
        elif found.release:
            self.kernel.cpu.call(found.release, dev.address, found.data)
        self.resource_free(found.data)

    def release_resources(self, dev: StructView) -> None:
        """``devres_release_all()``: the newest first."""
        while self._resources.get(dev.address):
            found = self._resources[dev.address][-1]
            self.resource_remove(dev, found)
            self.resource_release(dev, found)


def _devt(devt: int) -> str:
    return f"{devt >> _MINOR_BITS}:{devt & (1 << _MINOR_BITS) - 1}"
