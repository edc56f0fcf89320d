"""Buses, drivers, classes and devices (drivers/base/).

What modules can see of them lies in the kernel's memory; who belongs to whom is kept here. A bus of the kernel proper
has no devices but those that modules make, and finds out in Python which driver fits.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.base.base import UEVENT, Subsystem
from sysfsd.linux.drivers.base.bus import Buses
from sysfsd.linux.drivers.base.class_ import Classes
from sysfsd.linux.drivers.base.dd import Binding
from sysfsd.linux.drivers.base.devres import DeviceResources
from sysfsd.linux.drivers.base.devtmpfs import Devtmpfs
from sysfsd.linux.drivers.base.driver import Drivers
from sysfsd.linux.drivers.base.power.sysfs import POWER_ATTRIBUTES
from sysfsd.linux.err import err
from sysfsd.linux.kernel.printk.printk import Level
from sysfsd.linux.lib.kobject import AttributeOps, Kobjects, Sysfs, SysfsDirectory, SysfsLink, UeventOps, errors_ignored
from sysfsd.linux.lib.list import INIT_LIST_HEAD
from sysfsd.linux.mm.memory import PageFault

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = ["BuiltinSubsystems", "DriverCore"]

_MINOR_BITS: Final = 20


class BuiltinSubsystems:
    """What registers a bus or class of the kernel proper when it is first needed, by address."""

    def __init__(self, kernel: Kernel) -> None:
        self.register: dict[int, Callable[[], Subsystem]] = {}


class DriverCore:
    """The buses, classes, drivers and devices of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.sysfs = kernel.state(Sysfs)
        self.kobjects = kernel.state(Kobjects)
        self.devtmpfs = kernel.state(Devtmpfs)
        self.builtin = kernel.state(BuiltinSubsystems).register
        #: What frees devices that the kernel proper has allocated.
        self.own_release: dict[int, Callable[[], None]] = {}
        #: What classes of the kernel proper call their devices below /dev, and the mode.
        self.own_devnode: dict[int, Callable[[StructView], tuple[str | None, int]]] = {}
        #: ``device_platform_notify()``: who is told of a device that has come (True) or goes.
        self.platform_notify: list[Callable[[StructView, bool], None]] = []
        self._device_ktype = self.kobjects.new_ktype(self._device_release, AttributeOps("dev_attr"))
        self._glue_ktype = self.kobjects.new_ktype(lambda kobj: kernel.slab.kfree(kobj.address))
        with self.sysfs.foreign(False):
            self.bus_kset = self._base_kset(b"bus")
            self.class_kset = self._base_kset(b"class")
            self._devices_kset = self._base_kset(b"devices")
            dev = self._base_dir(b"dev", 0)
            self.dev_block, self.dev_char = self._base_dir(b"block", dev), self._base_dir(b"char", dev)
        self.kobjects.uevent_ops[self._devices_kset] = UeventOps(
            self._uevent_filter, self._uevent_name, self._device_uevent
        )
        never = UeventOps(lambda kobj: kobj["ktype"] == self.bus.bus_ktype, lambda kobj: "bus", lambda kobj, env: None)
        self.kobjects.uevent_ops[self.bus_kset] = never
        #: The address of the type that partitions of disks have.
        self.part_type = 0
        self._virtual = 0
        self._file = ""
        #: Buses, and the drivers on them.
        self.bus = Buses(self)
        #: Classes of devices.
        self.class_ = Classes(self)
        #: Drivers.
        self.driver = Drivers(self)
        #: Which driver has which device.
        self.dd = Binding(self)
        #: What drivers are given until they leave a device.
        self.devres = DeviceResources(self)

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
    def through(self, file: str) -> Iterator[None]:
        """What happens meanwhile, somebody has asked for by writing to *file*."""
        outer, self._file = self._file, file
        try:
            yield
        finally:
            self._file = outer

    def site(self, function: str) -> str:
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

    def directory(self, kobj: StructView) -> SysfsDirectory:
        directory = self.sysfs.directory(kobj)
        assert directory is not None
        return directory

    def private(self, struct: str) -> int:
        return self.kernel.slab.kmalloc(self.kernel.image.structs[struct].size)

    def _owner(self, kobj: StructView, kind: str) -> int:
        """The address of the driver, bus or class whose object *kobj* is."""
        struct, member = ("driver_private", "kobj") if kind == "driver" else ("subsys_private", "subsys.kobj")
        private = self.kernel.image.structs.container_of(kobj.address, struct, member)
        return self.kernel.struct(struct, private)[kind]

    def subsys_kobj(self, subsys: Subsystem) -> StructView:
        """The object of a bus or class."""
        return self.kernel.struct("subsys_private", subsys.private).sub("subsys").sub("kobj")

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
        self.devres.release_all(dev)
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
        cls = self.class_.find_class(dev["class"]) if dev["class"] else None
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
        cls = self.class_.classes.get(dev["class"]) if dev["class"] else None
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
            dev["p"] = self.private("device_private")
        if dev["init_name"]:
            self.set_name(dev, dev.string("init_name"))
            dev["init_name"] = 0
        bus = self.bus.find_bus(dev["bus"]) if dev["bus"] else None
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
                objects.uevent(kobj, UEVENT["remove"])
            self._unlink(dev, kobj, bus)
            objects.delete(kobj)
            self._device_failed(dev, above, parent)
            raise
        self.bus.notify(bus, "ADD_DEVICE", dev)
        with errors_ignored():
            objects.uevent(kobj, UEVENT["add"])
        if bus is not None and kernel.struct("subsys_private", bus.private)["drivers_autoprobe"]:
            self.dd.device_attach(dev)
        cls = self.class_.find_class(dev["class"]) if dev["class"] else None
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
        directory, name = self.directory(kobj), self.kobjects.name(kobj)
        for notify in self.platform_notify:
            notify(dev, True)
        sysfs.create_own_file(
            directory, "uevent", 0o644, lambda: self.show_uevent(dev), lambda data: self._store_uevent(dev, data)
        )
        cls = self.class_.find_class(dev["class"]) if dev["class"] else None
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
        return self.kobjects.view((self.kernel.struct("class", cls)["dev_kobj"] if cls else 0) or self.dev_char)

    def _unlink(self, dev: StructView, kobj: StructView, bus: Subsystem | None) -> None:
        """Take away what leads to a device."""
        sysfs, name, devt = self.sysfs, self.kobjects.name(kobj), dev["devt"]
        own = self.sysfs.directory(kobj)
        places: list[tuple[StructView, str]] = []
        if devt >> _MINOR_BITS:
            places.append((self._dev_entry(dev), _devt(devt)))
            self.devtmpfs.delete_node(self.devnode(dev, want_mode=False)[0], devt, self._is_block(dev))
        cls = self.class_.classes.get(dev["class"])
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
        bus = self.bus.find_bus(dev["bus"]) if dev["bus"] else None
        self.bus.notify(bus, "DEL_DEVICE", dev)
        cls = self.class_.classes.get(dev["class"]) if dev["class"] else None
        if cls is not None:
            for address in list(cls.interfaces):
                interface = kernel.struct("class_interface", address)
                if interface["remove_dev"]:
                    kernel.cpu.call(interface["remove_dev"], dev.address, address)
        self._unlink(dev, kobj, bus)
        self.dd.release_driver(dev)
        self.dd.deferred.pop(dev.address, None)
        for notify in self.platform_notify:
            notify(dev, False)
        self.devres.release_all(dev)
        self.bus.notify(bus, "REMOVED_DEVICE", dev)
        with errors_ignored():
            objects.uevent(kobj, UEVENT["remove"])
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
        dev = self.device(self.private("device"))
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
            self.sysfs.add(SysfsLink("module", self.directory(dev.sub("kobj")), 0, module))
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
        bus = self.bus.buses.get(dev["bus"])
        for subsys in (bus, self.class_.classes.get(dev["class"])):
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
        env = kernel.struct("kobj_uevent_env", self.private("kobj_uevent_env"))
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


def _devt(devt: int) -> str:
    return f"{devt >> _MINOR_BITS}:{devt & (1 << _MINOR_BITS) - 1}"
