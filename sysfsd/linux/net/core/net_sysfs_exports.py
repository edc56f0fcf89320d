"""Attributes of the class of network devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.net.core.net_namespace_exports import Net

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("net/core/net-sysfs.c")


@export("int netdev_class_create_file_ns(const struct class_attribute *class_attr, const void *ns)")
def netdev_class_create_file_ns(kernel: Kernel, class_attr: StructView, ns: int) -> int:
    kernel.state(Net).class_create_file(class_attr)
    return 0


@export("void netdev_class_remove_file_ns(const struct class_attribute *class_attr, const void *ns)")
def netdev_class_remove_file_ns(kernel: Kernel, class_attr: StructView, ns: int) -> None:
    kernel.state(Net).class_remove_file(class_attr)
