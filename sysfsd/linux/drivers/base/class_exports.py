"""Classes of devices: registering them, their attributes, and those of the kernel proper."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.base import Subsystem
from sysfsd.linux.drivers.base.core import BuiltinSubsystems
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

export = Area("drivers/base/class.c")


def builtin_class(export: Area, variable: str, name: str) -> None:
    """Declare a class of the kernel proper, in the same way."""

    def put(kernel: Kernel, address: int) -> None:
        cls = kernel.struct("class", address)
        cls["name"] = kernel.slab.string(name.encode())
        kernel.state(BuiltinSubsystems).register[address] = lambda: driver_core(kernel).class_.class_register(cls)

    export.data(f"struct class {variable}", put)


# Classes


@export("int __class_register(struct class *cls, struct lock_class_key *key)")
def __class_register(kernel: Kernel, cls: StructView, key: StructView) -> int:
    with kernel.state(Sysfs).foreign():
        driver_core(kernel).class_.class_register(cls)
    return 0


@export("void class_unregister(struct class *cls)")
def class_unregister(kernel: Kernel, cls: StructView) -> None:
    driver_core(kernel).class_.class_unregister(cls)


@export("struct class *__class_create(struct module *owner, const char *name, struct lock_class_key *key)")
def __class_create(kernel: Kernel, owner: StructView, name: bytes, key: StructView) -> StructView:
    with kernel.state(Sysfs).foreign():
        return driver_core(kernel).class_.class_create(owner.address, name)


@export("void class_destroy(struct class *cls)")
def class_destroy(kernel: Kernel, cls: StructView) -> None:
    if cls.address and cls.address < (1 << 64) - 4095:
        driver_core(kernel).class_.class_unregister(cls)


def _class(kernel: Kernel, cls: StructView) -> Subsystem:
    """:raises OSError: EINVAL for what is not registered"""
    found = driver_core(kernel).class_.find_class(cls.address) if cls.address else None
    if found is None:
        raise err(errno.EINVAL)
    return found


@export("int class_create_file_ns(struct class *cls, const struct class_attribute *attr, const void *ns)")
def class_create_file_ns(kernel: Kernel, cls: StructView, attr: StructView, ns: int) -> int:
    create_attribute(kernel, driver_core(kernel).subsys_kobj(_class(kernel, cls)), attr)
    return 0


@export("void class_remove_file_ns(struct class *cls, const struct class_attribute *attr, const void *ns)")
def class_remove_file_ns(kernel: Kernel, cls: StructView, attr: StructView, ns: int) -> None:
    if cls.address:
        remove_attribute(kernel, driver_core(kernel).subsys_kobj(_class(kernel, cls)), attr)


@export("ssize_t show_class_attr_string(struct class *class, struct class_attribute *attr, char *buf)")
def show_class_attr_string(kernel: Kernel, cls: StructView, attr: StructView, buf: int) -> int:
    text = kernel.struct("class_attribute_string", attr.address).string("str") + b"\n"
    kernel.memory.write(buf, text + b"\0")
    return len(text)


def _before(kernel: Kernel, cls: StructView, function: str, line: int, offset: str) -> Subsystem | None:
    found = driver_core(kernel).class_.find_class(cls.address) if cls.address else None
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
    return for_each_until(kernel, driver_core(kernel).each(found.devices, start.address), data, fn)


@export(
    "struct device *class_find_device(struct class *class, struct device *start, const void *data,"
    " int (*match)(struct device *, const void *))"
)
def class_find_device(kernel: Kernel, cls: StructView, start: StructView, data: int, match: int) -> StructView | None:
    found = _before(kernel, cls, "class_find_device", 414, "0x10c")
    return (
        find_matching(kernel, driver_core(kernel).each(found.devices, start.address), data, match)
        if found is not None
        else None
    )


@export("int class_interface_register(struct class_interface *class_intf)")
def class_interface_register(kernel: Kernel, class_intf: StructView) -> int:
    found = (
        driver_core(kernel).class_.find_class(class_intf["class"])
        if class_intf.address and class_intf["class"]
        else None
    )
    if found is None:
        raise err(errno.ENODEV)
    found.interfaces.append(class_intf.address)
    if class_intf["add_dev"]:
        for dev in driver_core(kernel).each(found.devices):
            kernel.cpu.call(class_intf["add_dev"], dev.address, class_intf.address)
    return 0


@export("void class_interface_unregister(struct class_interface *class_intf)")
def class_interface_unregister(kernel: Kernel, class_intf: StructView) -> None:
    found = driver_core(kernel).class_.find_class(class_intf["class"])
    if found is None or class_intf.address not in found.interfaces:
        return
    found.interfaces.remove(class_intf.address)
    if class_intf["remove_dev"]:
        for dev in driver_core(kernel).each(found.devices):
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
    found = driver_core(kernel).class_.find_class(iter["ki.i_klist"])
    for dev in driver_core(kernel).each(found.devices, iter["ki.i_cur"]) if found is not None else ():
        if not iter["type"] or dev["type"] == iter["type"]:
            iter["ki.i_cur"] = dev.address
            return dev.address
    return 0


@export("void class_dev_iter_exit(struct class_dev_iter *iter)")
def class_dev_iter_exit(kernel: Kernel, iter: StructView) -> None:
    iter["ki.i_cur"] = 0
