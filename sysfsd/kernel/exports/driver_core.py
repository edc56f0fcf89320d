"""Buses, drivers, classes, devices."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from sysfsd.kernel.driver_core import BuiltinSubsystems, DriverCore, Subsystem
from sysfsd.kernel.err import err
from sysfsd.kernel.exports.kobject import sysfs_remove_file_self
from sysfsd.kernel.exports.registry import Area, CallVaList
from sysfsd.kernel.kobject import Kobjects, Sysfs
from sysfsd.kernel.kstrtox import INT_TYPES, kstrto, kstrtobool
from sysfsd.kernel.printk import Level
from sysfsd.kernel.vsprintf import MemoryVaList, vsnprintf

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("driver_core", "drivers/base/")

_EPROBE_DEFER = 517


def _core(kernel: Kernel) -> DriverCore:
    return kernel.state(DriverCore)


def builtin_bus(
    variable: str, name: str, registered: Callable[[Kernel, Subsystem], None] = lambda kernel, subsys: None
) -> None:
    """Declare a bus of the kernel proper: it is registered when it is first needed.

    :param registered: called then
    """

    def put(kernel: Kernel, address: int) -> None:
        bus = kernel.struct("bus_type", address)
        bus["name"] = kernel.slab.string(name.encode())

        def register() -> Subsystem:
            subsys = _core(kernel).bus_register(bus)
            registered(kernel, subsys)
            return subsys

        kernel.state(BuiltinSubsystems).register[address] = register

    export.data(f"struct bus_type {variable}", put)


def builtin_class(variable: str, name: str) -> None:
    """Declare a class of the kernel proper, in the same way."""

    def put(kernel: Kernel, address: int) -> None:
        cls = kernel.struct("class", address)
        cls["name"] = kernel.slab.string(name.encode())
        kernel.state(BuiltinSubsystems).register[address] = lambda: _core(kernel).class_register(cls)

    export.data(f"struct class {variable}", put)


# Drivers


@export("int driver_register(struct device_driver *drv)")
def driver_register(kernel: Kernel, drv: StructView) -> int:
    _core(kernel).driver_register(drv)
    return 0


@export("void driver_unregister(struct device_driver *drv)")
def driver_unregister(kernel: Kernel, drv: StructView) -> None:
    _core(kernel).driver_unregister(drv)


@export("struct device_driver *driver_find(const char *name, struct bus_type *bus)")
def driver_find(kernel: Kernel, name: bytes, bus: StructView) -> int:
    found = _core(kernel).bus(bus.address)
    driver = found.drivers.get(name.decode("latin-1")) if found is not None else None
    return driver.address if driver is not None else 0


def _each(kernel: Kernel, devices: Iterable[StructView], data: int, fn: int) -> int:
    """Call *fn* for each device until it is not content."""
    for dev in devices:
        ret = kernel.cpu.call(fn, dev.address, data)
        if ret:
            return ret
    return 0


def _find(kernel: Kernel, devices: Iterable[StructView], data: int, match: int) -> StructView | None:
    """The first device that *match* takes, with a reference."""
    for dev in devices:
        if kernel.cpu.call(match, dev.address, data):
            return _core(kernel).get(dev)
    return None


def _driver_devices(kernel: Kernel, drv: StructView, start: StructView) -> Iterable[StructView]:
    driver = _core(kernel).drivers.get(drv.address)
    return _core(kernel).each(driver.devices, start.address) if driver is not None else ()


@export(
    "int driver_for_each_device(struct device_driver *drv, struct device *start, void *data,"
    " int (*fn)(struct device *, void *))"
)
def driver_for_each_device(kernel: Kernel, drv: StructView, start: StructView, data: int, fn: int) -> int:
    if not drv.address:
        raise err(errno.EINVAL)
    return _each(kernel, _driver_devices(kernel, drv, start), data, fn)


@export(
    "struct device *driver_find_device(struct device_driver *drv, struct device *start, const void *data,"
    " int (*match)(struct device *, const void *))"
)
def driver_find_device(kernel: Kernel, drv: StructView, start: StructView, data: int, match: int) -> StructView | None:
    return _find(kernel, _driver_devices(kernel, drv, start), data, match)


@export("int driver_attach(struct device_driver *drv)")
def driver_attach(kernel: Kernel, drv: StructView) -> int:
    driver = _core(kernel).drivers.get(drv.address)
    if driver is not None:
        _core(kernel).driver_attach(driver)
    return 0


@export("int driver_create_file(struct device_driver *drv, const struct driver_attribute *attr)")
def driver_create_file(kernel: Kernel, drv: StructView, attr: StructView) -> int:
    driver = _core(kernel).drivers.get(drv.address)
    if driver is None:
        raise err(errno.EINVAL)
    _create(kernel, kernel.state(Kobjects).view(driver.private), attr)
    return 0


@export("void driver_remove_file(struct device_driver *drv, const struct driver_attribute *attr)")
def driver_remove_file(kernel: Kernel, drv: StructView, attr: StructView) -> None:
    driver = _core(kernel).drivers.get(drv.address)
    if driver is not None:
        _remove(kernel, kernel.state(Kobjects).view(driver.private), attr)


def _create(kernel: Kernel, kobj: StructView, attr: StructView, binary: bool = False) -> None:
    """:raises OSError: EINVAL for an object without a directory, EEXIST, ENOMEM"""
    sysfs = kernel.state(Sysfs)
    directory = sysfs.directory(kobj)
    if directory is None:
        kernel.traps.warn_at("fs/sysfs/file.c", 355, site="sysfs_create_file_ns+0x8b")
        raise err(errno.EINVAL)
    sysfs.create_file(directory, attr.address, binary=binary)


def _remove(kernel: Kernel, kobj: StructView, attr: StructView) -> None:
    sysfs = kernel.state(Sysfs)
    directory = sysfs.directory(kobj)
    if directory is not None:
        name = kernel.struct("attribute", attr.address).string("name")
        sysfs.remove_by_name(directory, name.decode("latin-1"))


# Buses


@export("int bus_register(struct bus_type *bus)")
def bus_register(kernel: Kernel, bus: StructView) -> int:
    with kernel.state(Sysfs).foreign():
        _core(kernel).bus_register(bus)
    return 0


@export("void bus_unregister(struct bus_type *bus)")
def bus_unregister(kernel: Kernel, bus: StructView) -> None:
    _core(kernel).bus_unregister(bus)


def _bus(kernel: Kernel, bus: StructView) -> Subsystem:
    """:raises OSError: EINVAL for what is not registered"""
    found = _core(kernel).bus(bus.address) if bus.address else None
    if found is None:
        raise err(errno.EINVAL)
    return found


@export("int subsys_virtual_register(struct bus_type *subsys, const struct attribute_group **groups)")
def subsys_virtual_register(kernel: Kernel, subsys: StructView, groups: int) -> int:
    core = _core(kernel)
    core.bus_register(subsys)
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
    _create(kernel, _core(kernel).subsys_kobj(_bus(kernel, bus)), attr)
    return 0


@export("void bus_remove_file(struct bus_type *bus, struct bus_attribute *attr)")
def bus_remove_file(kernel: Kernel, bus: StructView, attr: StructView) -> None:
    _remove(kernel, _core(kernel).subsys_kobj(_bus(kernel, bus)), attr)


@export("struct kset *bus_get_kset(struct bus_type *bus)")
def bus_get_kset(kernel: Kernel, bus: StructView) -> int:
    return _bus(kernel, bus).private


@export(
    "int bus_for_each_dev(struct bus_type *bus, struct device *start, void *data, int (*fn)(struct device *, void *))"
)
def bus_for_each_dev(kernel: Kernel, bus: StructView, start: StructView, data: int, fn: int) -> int:
    return _each(kernel, _core(kernel).each(_bus(kernel, bus).devices, start.address), data, fn)


@export(
    "struct device *bus_find_device(struct bus_type *bus, struct device *start, const void *data,"
    " int (*match)(struct device *, const void *))"
)
def bus_find_device(kernel: Kernel, bus: StructView, start: StructView, data: int, match: int) -> StructView | None:
    found = _core(kernel).bus(bus.address) if bus.address else None
    if found is None:
        return None
    if match == kernel.exports.address_of("device_match_name"):
        name = kernel.memory.read_string(data)
        for dev in _core(kernel).each(found.devices, start.address):
            if _core(kernel).name(dev).encode("latin-1") == name:
                return _core(kernel).get(dev)
        return None
    return _find(kernel, _core(kernel).each(found.devices, start.address), data, match)


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
    core = _core(kernel)
    for dev in core.each(_bus(kernel, bus).devices):
        if not dev["driver"]:
            core.device_attach(dev)
    return 0


# Classes


@export("int __class_register(struct class *cls, struct lock_class_key *key)")
def __class_register(kernel: Kernel, cls: StructView, key: int) -> int:
    with kernel.state(Sysfs).foreign():
        _core(kernel).class_register(cls)
    return 0


@export("void class_unregister(struct class *cls)")
def class_unregister(kernel: Kernel, cls: StructView) -> None:
    _core(kernel).class_unregister(cls)


@export("struct class *__class_create(struct module *owner, const char *name, struct lock_class_key *key)")
def __class_create(kernel: Kernel, owner: StructView, name: bytes, key: int) -> StructView:
    with kernel.state(Sysfs).foreign():
        return _core(kernel).class_create(owner.address, name)


@export("void class_destroy(struct class *cls)")
def class_destroy(kernel: Kernel, cls: StructView) -> None:
    if cls.address and cls.address < (1 << 64) - 4095:
        _core(kernel).class_unregister(cls)


def _class(kernel: Kernel, cls: StructView) -> Subsystem:
    """:raises OSError: EINVAL for what is not registered"""
    found = _core(kernel).class_(cls.address) if cls.address else None
    if found is None:
        raise err(errno.EINVAL)
    return found


@export("int class_create_file_ns(struct class *cls, const struct class_attribute *attr, const void *ns)")
def class_create_file_ns(kernel: Kernel, cls: StructView, attr: StructView, ns: int) -> int:
    _create(kernel, _core(kernel).subsys_kobj(_class(kernel, cls)), attr)
    return 0


@export("void class_remove_file_ns(struct class *cls, const struct class_attribute *attr, const void *ns)")
def class_remove_file_ns(kernel: Kernel, cls: StructView, attr: StructView, ns: int) -> None:
    if cls.address:
        _remove(kernel, _core(kernel).subsys_kobj(_class(kernel, cls)), attr)


@export("ssize_t show_class_attr_string(struct class *class, struct class_attribute *attr, char *buf)")
def show_class_attr_string(kernel: Kernel, cls: StructView, attr: StructView, buf: int) -> int:
    text = kernel.struct("class_attribute_string", attr.address).string("str") + b"\n"
    kernel.memory.write(buf, text + b"\0")
    return len(text)


def _before(kernel: Kernel, cls: StructView, function: str, line: int, offset: str) -> Subsystem | None:
    found = _core(kernel).class_(cls.address) if cls.address else None
    if cls.address and found is None:
        name = cls.string("name").decode("latin-1")
        text = f"{function} called for class '{name}' before it was initialized"
        kernel.traps.warn_at("drivers/base/class.c", line, text, f"{function}+{offset}")
    return found


@export(
    "int class_for_each_device(struct class *class, struct device *start, void *data,"
    " int (*fn)(struct device *, void *))"
)
def class_for_each_device(kernel: Kernel, cls: StructView, start: StructView, data: int, fn: int) -> int:
    found = _before(kernel, cls, "class_for_each_device", 367, "0x108")
    if found is None:
        raise err(errno.EINVAL)
    return _each(kernel, _core(kernel).each(found.devices, start.address), data, fn)


@export(
    "struct device *class_find_device(struct class *class, struct device *start, const void *data,"
    " int (*match)(struct device *, const void *))"
)
def class_find_device(kernel: Kernel, cls: StructView, start: StructView, data: int, match: int) -> StructView | None:
    found = _before(kernel, cls, "class_find_device", 414, "0x10c")
    return _find(kernel, _core(kernel).each(found.devices, start.address), data, match) if found is not None else None


@export("int class_interface_register(struct class_interface *class_intf)")
def class_interface_register(kernel: Kernel, class_intf: StructView) -> int:
    found = _core(kernel).class_(class_intf["class"]) if class_intf.address and class_intf["class"] else None
    if found is None:
        raise err(errno.ENODEV)
    found.interfaces.append(class_intf.address)
    if class_intf["add_dev"]:
        for dev in _core(kernel).each(found.devices):
            kernel.cpu.call(class_intf["add_dev"], dev.address, class_intf.address)
    return 0


@export("void class_interface_unregister(struct class_interface *class_intf)")
def class_interface_unregister(kernel: Kernel, class_intf: StructView) -> None:
    found = _core(kernel).class_(class_intf["class"])
    if found is None or class_intf.address not in found.interfaces:
        return
    found.interfaces.remove(class_intf.address)
    if class_intf["remove_dev"]:
        for dev in _core(kernel).each(found.devices):
            kernel.cpu.call(class_intf["remove_dev"], dev.address, class_intf.address)


@export(
    "void class_dev_iter_init(struct class_dev_iter *iter, struct class *class, struct device *start,"
    " const struct device_type *type)"
)
def class_dev_iter_init(kernel: Kernel, iter: StructView, cls: StructView, start: StructView, type: StructView) -> None:
    """The iterator holds the class and the last device where a list and its node would be."""
    iter["ki.i_klist"], iter["ki.i_cur"], iter["type"] = cls.address, start.address, type.address


@export("struct device *class_dev_iter_next(struct class_dev_iter *iter)")
def class_dev_iter_next(kernel: Kernel, iter: StructView) -> int:
    found = _core(kernel).class_(iter["ki.i_klist"])
    for dev in _core(kernel).each(found.devices, iter["ki.i_cur"]) if found is not None else ():
        if not iter["type"] or dev["type"] == iter["type"]:
            iter["ki.i_cur"] = dev.address
            return dev.address
    return 0


@export("void class_dev_iter_exit(struct class_dev_iter *iter)")
def class_dev_iter_exit(kernel: Kernel, iter: StructView) -> None:
    iter["ki.i_cur"] = 0


# Devices


@export("void device_initialize(struct device *dev)")
def device_initialize(kernel: Kernel, dev: StructView) -> None:
    _core(kernel).device_initialize(dev)


@export("int device_add(struct device *dev)")
def device_add(kernel: Kernel, dev: StructView) -> int:
    _core(kernel).device_add(dev)
    return 0


@export("int device_register(struct device *dev)")
def device_register(kernel: Kernel, dev: StructView) -> int:
    _core(kernel).device_register(dev)
    return 0


@export("void device_del(struct device *dev)")
def device_del(kernel: Kernel, dev: StructView) -> None:
    _core(kernel).device_del(dev)


@export("void device_unregister(struct device *dev)", "void root_device_unregister(struct device *dev)")
def device_unregister(kernel: Kernel, dev: StructView) -> None:
    _core(kernel).device_unregister(dev)


@export("struct device *get_device(struct device *dev)")
def get_device(kernel: Kernel, dev: StructView) -> StructView:
    return _core(kernel).get(dev)


@export("void put_device(struct device *dev)")
def put_device(kernel: Kernel, dev: StructView) -> None:
    _core(kernel).put(dev)


@export("int dev_set_name(struct device *dev, const char *fmt, ...)")
def dev_set_name(kernel: Kernel, dev: StructView, fmt: bytes, args: CallVaList) -> int:
    _core(kernel).set_name(dev, vsnprintf(kernel, fmt, args))
    return 0


@export(
    "struct device *device_create(struct class *class, struct device *parent, dev_t devt, void *drvdata,"
    " const char *fmt, ...)"
)
def device_create(
    kernel: Kernel, cls: StructView, parent: StructView, devt: int, drvdata: int, fmt: bytes, args: CallVaList
) -> StructView:
    name = vsnprintf(kernel, fmt, args)
    return _core(kernel).device_create(cls.address, parent.address, devt, drvdata, 0, name)


@export(
    "struct device *device_create_with_groups(struct class *class, struct device *parent, dev_t devt, void *drvdata,"
    " const struct attribute_group **groups, const char *fmt, ...)"
)
def device_create_with_groups(
    kernel: Kernel,
    cls: StructView,
    parent: StructView,
    devt: int,
    drvdata: int,
    groups: int,
    fmt: bytes,
    args: CallVaList,
) -> StructView:
    name = vsnprintf(kernel, fmt, args)
    return _core(kernel).device_create(cls.address, parent.address, devt, drvdata, groups, name)


@export("void device_destroy(struct class *class, dev_t devt)")
def device_destroy(kernel: Kernel, cls: StructView, devt: int) -> None:
    core = _core(kernel)
    found = core.class_(cls.address)
    for dev in core.each(found.devices) if found is not None else ():
        if dev["devt"] == devt:
            core.device_unregister(dev)
            break


@export("struct device *__root_device_register(const char *name, struct module *owner)")
def __root_device_register(kernel: Kernel, name: bytes, owner: StructView) -> StructView:
    return _core(kernel).root_device_register(name, owner.address)


@export("int device_create_file(struct device *dev, const struct device_attribute *attr)")
def device_create_file(kernel: Kernel, dev: StructView, attr: StructView) -> int:
    if dev.address:
        mode = attr["attr.mode"]
        for bits, function, line, site in (
            (0o222, "store", 3050, "device_create_file+0x53"),
            (0o444, "show", 3053, "device_create_file+0x70"),
        ):
            if mode & bits and not attr[function]:
                name = attr.string("attr.name").decode("latin-1")
                which = "write permission without 'store'" if bits == 0o222 else "read permission without 'show'"
                kernel.traps.warn_at("drivers/base/core.c", line, f"Attribute {name}: {which}", site)
        _create(kernel, dev.sub("kobj"), attr)
    return 0


@export("void device_remove_file(struct device *dev, const struct device_attribute *attr)")
def device_remove_file(kernel: Kernel, dev: StructView, attr: StructView) -> None:
    if dev.address:
        _remove(kernel, dev.sub("kobj"), attr)


def _variable_attribute(name: str, kind: str, size: int, fmt: bytes) -> None:
    """``DEVICE_INT_ATTR()`` and its likes: a variable of a module, which the kernel itself shows and stores.

    :param kind: the type that text is read as; ``bool``: a truth value
    """

    @export(f"ssize_t device_show_{name}(struct device *dev, struct device_attribute *attr, char *buf)")
    def show(kernel: Kernel, dev: StructView, attr: StructView, buf: int) -> int:
        var = kernel.struct("dev_ext_attribute", attr.address)["var"]
        text = fmt % kernel.memory.read_int(var, size, signed=name == "int")
        kernel.memory.write(buf, text + b"\0")
        return len(text)

    @export(
        f"ssize_t device_store_{name}(struct device *dev, struct device_attribute *attr, const char *buf, size_t size)"
    )
    def store(kernel: Kernel, dev: StructView, attr: StructView, buf: bytes, length: int) -> int:
        var = kernel.struct("dev_ext_attribute", attr.address)["var"]
        value = kstrtobool(buf) if kind == "bool" else kstrto(INT_TYPES[kind], buf)
        if name == "int" and not -(1 << 31) <= value < 1 << 31:
            raise err(errno.EINVAL)
        kernel.memory.write_int(var, value, size)
        return length


_variable_attribute("ulong", "ul", 8, b"%x\n")
_variable_attribute("int", "l", 4, b"%d\n")
_variable_attribute("bool", "bool", 1, b"%d\n")


@export("int device_create_bin_file(struct device *dev, const struct bin_attribute *attr)")
def device_create_bin_file(kernel: Kernel, dev: StructView, attr: StructView) -> int:
    if not dev.address:
        raise err(errno.EINVAL)
    _create(kernel, dev.sub("kobj"), attr, binary=True)
    return 0


@export("void device_remove_bin_file(struct device *dev, const struct bin_attribute *attr)")
def device_remove_bin_file(kernel: Kernel, dev: StructView, attr: StructView) -> None:
    if dev.address:
        _remove(kernel, dev.sub("kobj"), attr)


@export("int device_add_groups(struct device *dev, const struct attribute_group **groups)")
def device_add_groups(kernel: Kernel, dev: StructView, groups: int) -> int:
    kernel.state(Sysfs).create_groups(dev.sub("kobj"), groups)
    return 0


@export("void device_remove_groups(struct device *dev, const struct attribute_group **groups)")
def device_remove_groups(kernel: Kernel, dev: StructView, groups: int) -> None:
    kernel.state(Sysfs).remove_groups(dev.sub("kobj"), groups)


@export("bool device_remove_file_self(struct device *dev, const struct device_attribute *attr)")
def device_remove_file_self(kernel: Kernel, dev: StructView, attr: StructView) -> bool:
    return bool(dev.address) and sysfs_remove_file_self(kernel, dev.sub("kobj"), attr.sub("attr"))


def _managed_groups(kernel: Kernel, dev: StructView, kind: str, groups: int, remove: Callable[[], None]) -> None:
    """Have groups that are there go with the driver."""
    core = _core(kernel)
    data = core.resource_alloc(lambda data: remove(), 8, f"devm_attr_{kind}_remove")
    kernel.memory.write_pointer(data, groups)
    core.resource_add(dev, data)


@export("int devm_device_add_group(struct device *dev, const struct attribute_group *grp)")
def devm_device_add_group(kernel: Kernel, dev: StructView, grp: StructView) -> int:
    sysfs, kobj = kernel.state(Sysfs), dev.sub("kobj")
    sysfs.create_group(kobj, grp.address)
    _managed_groups(kernel, dev, "group", grp.address, lambda: sysfs.remove_group(kobj, grp.address))
    return 0


@export("int devm_device_add_groups(struct device *dev, const struct attribute_group **groups)")
def devm_device_add_groups(kernel: Kernel, dev: StructView, groups: int) -> int:
    sysfs, kobj = kernel.state(Sysfs), dev.sub("kobj")
    sysfs.create_groups(kobj, groups)
    _managed_groups(kernel, dev, "groups", groups, lambda: sysfs.remove_groups(kobj, groups))
    return 0


@export(
    "int device_for_each_child_reverse(struct device *parent, void *data, int (*fn)(struct device *, void *))",
)
def device_for_each_child_reverse(kernel: Kernel, parent: StructView, data: int, fn: int) -> int:
    return _each(kernel, list(_core(kernel).children(parent.address))[::-1], data, fn) if parent["p"] else 0


@export("struct device *device_find_any_child(struct device *parent)")
def device_find_any_child(kernel: Kernel, parent: StructView) -> StructView | None:
    children = _core(kernel).children(parent.address) if parent.address else iter(())
    return next((_core(kernel).get(dev) for dev in children), None)


@export("int device_for_each_child(struct device *parent, void *data, int (*fn)(struct device *, void *))")
def device_for_each_child(kernel: Kernel, parent: StructView, data: int, fn: int) -> int:
    return _each(kernel, list(_core(kernel).children(parent.address)), data, fn) if parent["p"] else 0


@export("struct device *device_find_child(struct device *parent, void *data, int (*match)(struct device *, void *))")
def device_find_child(kernel: Kernel, parent: StructView, data: int, match: int) -> StructView | None:
    return _find(kernel, list(_core(kernel).children(parent.address)), data, match) if parent.address else None


@export("struct device *device_find_child_by_name(struct device *parent, const char *name)")
def device_find_child_by_name(kernel: Kernel, parent: StructView, name: bytes) -> StructView | None:
    for dev in _core(kernel).children(parent.address) if parent.address else ():
        if _core(kernel).name(dev).encode("latin-1") == name:
            return _core(kernel).get(dev)
    return None


@export("int device_match_name(struct device *dev, const void *name)")
def device_match_name(kernel: Kernel, dev: StructView, name: int) -> int:
    return int(_core(kernel).name(dev).encode("latin-1") == kernel.memory.read_string(name))


@export("int device_match_devt(struct device *dev, const void *pdevt)")
def device_match_devt(kernel: Kernel, dev: StructView, pdevt: int) -> int:
    return int(dev["devt"] == kernel.memory.read_int(pdevt))


@export("int device_match_any(struct device *dev, const void *unused)")
def device_match_any(kernel: Kernel, dev: StructView, unused: int) -> int:
    return 1


@export("int device_attach(struct device *dev)")
def device_attach(kernel: Kernel, dev: StructView) -> int:
    return int(_core(kernel).device_attach(dev))


@export("int device_bind_driver(struct device *dev)")
def device_bind_driver(kernel: Kernel, dev: StructView) -> int:
    _core(kernel).bind_driver(dev)
    return 0


@export("int device_driver_attach(struct device_driver *drv, struct device *dev)")
def device_driver_attach(kernel: Kernel, drv: StructView, dev: StructView) -> int:
    driver = _core(kernel).drivers.get(drv.address)
    if driver is None:
        raise err(errno.EBUSY)
    _core(kernel).driver_attach_device(driver, dev)
    return 0


@export("void device_release_driver(struct device *dev)")
def device_release_driver(kernel: Kernel, dev: StructView) -> None:
    _core(kernel).release_driver(dev)


@export("int device_rename(struct device *dev, const char *new_name)")
def device_rename(kernel: Kernel, dev: StructView, new_name: bytes) -> int:
    core, sysfs = _core(kernel), kernel.state(Sysfs)
    if not dev.address:
        raise err(errno.EINVAL)
    cls = core.class_(dev["class"]) if dev["class"] else None
    if cls is not None:
        directory = sysfs.directory(core.subsys_kobj(cls))
        link = directory.children.get(core.name(dev)) if directory is not None else None
        if directory is not None and link is not None:
            sysfs.rename(link, directory, new_name.decode("latin-1"))
    kernel.state(Kobjects).rename(dev.sub("kobj"), new_name)
    return 0


@export("const char *dev_driver_string(const struct device *dev)")
def dev_driver_string(kernel: Kernel, dev: StructView) -> int:
    for kind in ("driver", "bus", "class"):
        if dev[kind]:
            return dev.to(kind)["name"]
    return 0


@export("void wait_for_device_probe(void)")
def wait_for_device_probe(kernel: Kernel) -> None:
    """Probes are over when whoever asked for them goes on."""


def _printer(name: str, level: Level) -> None:
    @export(f"void {name}(const struct device *dev, const char *fmt, ...)")
    def dev_printk_level(kernel: Kernel, dev: StructView, fmt: bytes, args: CallVaList) -> None:
        _core(kernel).printk(level, dev, vsnprintf(kernel, fmt, args))


for _name in ("emerg", "alert", "crit", "err", "notice", "info"):
    _printer(f"_dev_{_name}", Level[_name.upper()])
_printer("_dev_warn", Level.WARNING)


@export("void _dev_printk(const char *level, const struct device *dev, const char *fmt, ...)")
def _dev_printk(kernel: Kernel, level: bytes, dev: StructView, fmt: bytes, args: CallVaList) -> None:
    _core(kernel).printk(level[1] - ord("0"), dev, vsnprintf(kernel, fmt, args))


@export(
    "int dev_printk_emit(int level, const struct device *dev, const char *fmt, ...)",
    "int dev_vprintk_emit(int level, const struct device *dev, const char *fmt, va_list args)",
)
def dev_printk_emit(kernel: Kernel, level: int, dev: StructView, fmt: bytes, args: CallVaList | MemoryVaList) -> int:
    return _core(kernel).printk_emit(level, dev, vsnprintf(kernel, fmt, args))


@export("int dev_err_probe(const struct device *dev, int err, const char *fmt, ...)")
def dev_err_probe(kernel: Kernel, dev: StructView, error: int, fmt: bytes, args: CallVaList) -> int:
    if error != -_EPROBE_DEFER:
        _core(kernel).printk(Level.ERR, dev, b"error %d: " % error + vsnprintf(kernel, fmt, args))
    return error
