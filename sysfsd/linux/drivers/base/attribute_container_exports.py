"""Classes that attach themselves to devices, and transport classes on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.exports import Area
from sysfsd.linux.lib.list import INIT_LIST_HEAD
from sysfsd.linux.registrations import registered

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/base/attribute_container.c", "drivers/base/transport_class.c")


@export("int attribute_container_register(struct attribute_container *cont)")
def attribute_container_register(kernel: Kernel, cont: StructView) -> int:
    INIT_LIST_HEAD(kernel.memory, cont.at("node"))
    INIT_LIST_HEAD(kernel.memory, cont.at("containers.k_list"))
    registered(kernel).add("attribute_container", cont.address, cont.address)
    return 0


@export("int attribute_container_unregister(struct attribute_container *cont)")
def attribute_container_unregister(kernel: Kernel, cont: StructView) -> int:
    registered(kernel).remove("attribute_container", cont.address)
    return 0


@export("int transport_class_register(struct transport_class *tclass)")
def transport_class_register(kernel: Kernel, tclass: StructView) -> int:
    kernel.state(DriverCore).class_.class_register(tclass.sub("class"))
    return 0


@export("void transport_class_unregister(struct transport_class *tclass)")
def transport_class_unregister(kernel: Kernel, tclass: StructView) -> None:
    kernel.state(DriverCore).class_.class_unregister(tclass.sub("class"))
