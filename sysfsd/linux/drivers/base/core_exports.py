"""Devices: registering them, their attributes, links, and messages."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.err import err
from sysfsd.linux.exports import Area, CallVaList
from sysfsd.linux.fs.sysfs.file_exports import sysfs_remove_file_self
from sysfsd.linux.kernel.printk.printk import Level
from sysfsd.linux.lib.kobject import Kobjects, Sysfs
from sysfsd.linux.lib.kstrtox import INT_TYPES, kstrto, kstrtobool
from sysfsd.linux.lib.vsprintf import MemoryVaList, vsnprintf

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/base/core.c")

_EPROBE_DEFER = 517


def driver_core(kernel: Kernel) -> DriverCore:
    return kernel.state(DriverCore)


def for_each_until(kernel: Kernel, devices: Iterable[StructView], data: int, fn: int) -> int:
    """Call *fn* for each device until it is not content."""
    for dev in devices:
        ret = kernel.cpu.call(fn, dev.address, data)
        if ret:
            return ret
    return 0


def find_matching(kernel: Kernel, devices: Iterable[StructView], data: int, match: int) -> StructView | None:
    """The first device that *match* takes, with a reference."""
    for dev in devices:
        if kernel.cpu.call(match, dev.address, data):
            return driver_core(kernel).get(dev)
    return None


def create_attribute(kernel: Kernel, kobj: StructView, attr: StructView, binary: bool = False) -> None:
    """:raises OSError: EINVAL for an object without a directory, EEXIST, ENOMEM"""
    sysfs = kernel.state(Sysfs)
    directory = sysfs.directory(kobj)
    if directory is None:
        kernel.traps.warn_at("fs/sysfs/file.c", 355, site="sysfs_create_file_ns+0x8b")
        raise err(errno.EINVAL)
    sysfs.create_file(directory, attr.address, binary=binary)


def remove_attribute(kernel: Kernel, kobj: StructView, attr: StructView) -> None:
    sysfs = kernel.state(Sysfs)
    directory = sysfs.directory(kobj)
    if directory is not None:
        name = kernel.struct("attribute", attr.address).string("name")
        sysfs.remove_by_name(directory, name.decode("latin-1"))


# Devices


@export("void device_initialize(struct device *dev)")
def device_initialize(kernel: Kernel, dev: StructView) -> None:
    driver_core(kernel).device_initialize(dev)


@export("int device_add(struct device *dev)")
def device_add(kernel: Kernel, dev: StructView) -> int:
    driver_core(kernel).device_add(dev)
    return 0


@export("int device_register(struct device *dev)")
def device_register(kernel: Kernel, dev: StructView) -> int:
    driver_core(kernel).device_register(dev)
    return 0


@export("void device_del(struct device *dev)")
def device_del(kernel: Kernel, dev: StructView) -> None:
    driver_core(kernel).device_del(dev)


@export("void device_unregister(struct device *dev)", "void root_device_unregister(struct device *dev)")
def device_unregister(kernel: Kernel, dev: StructView) -> None:
    driver_core(kernel).device_unregister(dev)


@export("struct device *get_device(struct device *dev)")
def get_device(kernel: Kernel, dev: StructView) -> StructView:
    return driver_core(kernel).get(dev)


@export("void put_device(struct device *dev)")
def put_device(kernel: Kernel, dev: StructView) -> None:
    driver_core(kernel).put(dev)


@export("int dev_set_name(struct device *dev, const char *fmt, ...)")
def dev_set_name(kernel: Kernel, dev: StructView, fmt: bytes, args: CallVaList) -> int:
    driver_core(kernel).set_name(dev, vsnprintf(kernel, fmt, args))
    return 0


@export(
    "struct device *device_create(struct class *class, struct device *parent, dev_t devt, void *drvdata,"
    " const char *fmt, ...)"
)
def device_create(
    kernel: Kernel, cls: StructView, parent: StructView, devt: int, drvdata: int, fmt: bytes, args: CallVaList
) -> StructView:
    name = vsnprintf(kernel, fmt, args)
    return driver_core(kernel).device_create(cls.address, parent.address, devt, drvdata, 0, name)


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
    return driver_core(kernel).device_create(cls.address, parent.address, devt, drvdata, groups, name)


@export("void device_destroy(struct class *class, dev_t devt)")
def device_destroy(kernel: Kernel, cls: StructView, devt: int) -> None:
    core = driver_core(kernel)
    found = core.class_.find_class(cls.address)
    for dev in core.each(found.devices) if found is not None else ():
        if dev["devt"] == devt:
            core.device_unregister(dev)
            break


@export("struct device *__root_device_register(const char *name, struct module *owner)")
def __root_device_register(kernel: Kernel, name: bytes, owner: StructView) -> StructView:
    return driver_core(kernel).root_device_register(name, owner.address)


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
        create_attribute(kernel, dev.sub("kobj"), attr)
    return 0


@export("void device_remove_file(struct device *dev, const struct device_attribute *attr)")
def device_remove_file(kernel: Kernel, dev: StructView, attr: StructView) -> None:
    if dev.address:
        remove_attribute(kernel, dev.sub("kobj"), attr)


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
    create_attribute(kernel, dev.sub("kobj"), attr, binary=True)
    return 0


@export("void device_remove_bin_file(struct device *dev, const struct bin_attribute *attr)")
def device_remove_bin_file(kernel: Kernel, dev: StructView, attr: StructView) -> None:
    if dev.address:
        remove_attribute(kernel, dev.sub("kobj"), attr)


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
    core = driver_core(kernel)
    data = core.devres.alloc(lambda data: remove(), 8, f"devm_attr_{kind}_remove")
    kernel.memory.write_pointer(data, groups)
    core.devres.add(dev, data)


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
    return (
        for_each_until(kernel, list(driver_core(kernel).children(parent.address))[::-1], data, fn) if parent["p"] else 0
    )


@export("struct device *device_find_any_child(struct device *parent)")
def device_find_any_child(kernel: Kernel, parent: StructView) -> StructView | None:
    children = driver_core(kernel).children(parent.address) if parent.address else iter(())
    return next((driver_core(kernel).get(dev) for dev in children), None)


@export("int device_for_each_child(struct device *parent, void *data, int (*fn)(struct device *, void *))")
def device_for_each_child(kernel: Kernel, parent: StructView, data: int, fn: int) -> int:
    return for_each_until(kernel, list(driver_core(kernel).children(parent.address)), data, fn) if parent["p"] else 0


@export("struct device *device_find_child(struct device *parent, void *data, int (*match)(struct device *, void *))")
def device_find_child(kernel: Kernel, parent: StructView, data: int, match: int) -> StructView | None:
    return (
        find_matching(kernel, list(driver_core(kernel).children(parent.address)), data, match)
        if parent.address
        else None
    )


@export("struct device *device_find_child_by_name(struct device *parent, const char *name)")
def device_find_child_by_name(kernel: Kernel, parent: StructView, name: bytes) -> StructView | None:
    for dev in driver_core(kernel).children(parent.address) if parent.address else ():
        if driver_core(kernel).name(dev).encode("latin-1") == name:
            return driver_core(kernel).get(dev)
    return None


@export("int device_match_name(struct device *dev, const void *name)")
def device_match_name(kernel: Kernel, dev: StructView, name: int) -> int:
    return int(driver_core(kernel).name(dev).encode("latin-1") == kernel.memory.read_string(name))


@export("int device_match_devt(struct device *dev, const void *pdevt)")
def device_match_devt(kernel: Kernel, dev: StructView, pdevt: int) -> int:
    return int(dev["devt"] == kernel.memory.read_int(pdevt))


@export("int device_match_any(struct device *dev, const void *unused)")
def device_match_any(kernel: Kernel, dev: StructView, unused: int) -> int:
    return 1


@export("int device_rename(struct device *dev, const char *new_name)")
def device_rename(kernel: Kernel, dev: StructView, new_name: bytes) -> int:
    core, sysfs = driver_core(kernel), kernel.state(Sysfs)
    if not dev.address:
        raise err(errno.EINVAL)
    cls = core.class_.find_class(dev["class"]) if dev["class"] else None
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


def _printer(name: str, level: Level) -> None:
    @export(f"void {name}(const struct device *dev, const char *fmt, ...)")
    def dev_printk_level(kernel: Kernel, dev: StructView, fmt: bytes, args: CallVaList) -> None:
        driver_core(kernel).printk(level, dev, vsnprintf(kernel, fmt, args))


for _name in ("emerg", "alert", "crit", "err", "notice", "info"):
    _printer(f"_dev_{_name}", Level[_name.upper()])

_printer("_dev_warn", Level.WARNING)


@export("void _dev_printk(const char *level, const struct device *dev, const char *fmt, ...)")
def _dev_printk(kernel: Kernel, level: bytes, dev: StructView, fmt: bytes, args: CallVaList) -> None:
    driver_core(kernel).printk(level[1] - ord("0"), dev, vsnprintf(kernel, fmt, args))


@export(
    "int dev_printk_emit(int level, const struct device *dev, const char *fmt, ...)",
    "int dev_vprintk_emit(int level, const struct device *dev, const char *fmt, va_list args)",
)
def dev_printk_emit(kernel: Kernel, level: int, dev: StructView, fmt: bytes, args: CallVaList | MemoryVaList) -> int:
    return driver_core(kernel).printk_emit(level, dev, vsnprintf(kernel, fmt, args))


@export("int dev_err_probe(const struct device *dev, int err, const char *fmt, ...)")
def dev_err_probe(kernel: Kernel, dev: StructView, error: int, fmt: bytes, args: CallVaList) -> int:
    if error != -_EPROBE_DEFER:
        driver_core(kernel).printk(Level.ERR, dev, b"error %d: " % error + vsnprintf(kernel, fmt, args))
    return error
