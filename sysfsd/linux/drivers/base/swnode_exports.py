"""Properties that software gives to devices: software nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.swnode import SoftwareNodes
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/base/swnode.c")


# Nodes


def _nodes(kernel: Kernel) -> SoftwareNodes:
    return kernel.state(SoftwareNodes)


@export("int software_node_register(const struct software_node *node)")
def software_node_register(kernel: Kernel, node: StructView) -> int:
    _nodes(kernel).register_described(node.address)
    return 0


@export("void software_node_unregister(const struct software_node *node)")
def software_node_unregister(kernel: Kernel, node: StructView) -> None:
    known = _nodes(kernel).of_description(node.address)
    if known is not None:
        _nodes(kernel).put(known)


@export("bool is_software_node(const struct fwnode_handle *fwnode)")
def is_software_node(kernel: Kernel, fwnode: StructView) -> bool:
    return _nodes(kernel).at(fwnode.address) is not None


@export("const struct software_node *to_software_node(const struct fwnode_handle *fwnode)")
def to_software_node(kernel: Kernel, fwnode: StructView) -> int:
    node = _nodes(kernel).at(fwnode.address)
    return node.node if node is not None else 0


@export("struct fwnode_handle *software_node_fwnode(const struct software_node *node)")
def software_node_fwnode(kernel: Kernel, node: StructView) -> int:
    known = _nodes(kernel).of_description(node.address)
    return _nodes(kernel).fwnode(known) if known is not None else 0


@export(
    "struct fwnode_handle *fwnode_create_software_node(const struct property_entry *properties,"
    " const struct fwnode_handle *parent)"
)
def fwnode_create_software_node(kernel: Kernel, properties: StructView, parent: StructView) -> int:
    return _nodes(kernel).create(properties.address, parent.address)


@export("void fwnode_remove_software_node(struct fwnode_handle *fwnode)")
def fwnode_remove_software_node(kernel: Kernel, fwnode: StructView) -> None:
    node = _nodes(kernel).at(fwnode.address)
    if node is not None:
        _nodes(kernel).put(node)


@export("int device_add_software_node(struct device *dev, const struct software_node *node)")
def device_add_software_node(kernel: Kernel, dev: StructView, node: StructView) -> int:
    _nodes(kernel).add_to(dev, node.address)
    return 0


@export("void device_remove_software_node(struct device *dev)")
def device_remove_software_node(kernel: Kernel, dev: StructView) -> None:
    _nodes(kernel).remove_from(dev)


@export(
    "int device_create_managed_software_node(struct device *dev, const struct property_entry *properties,"
    " const struct software_node *parent)"
)
def device_create_managed_software_node(
    kernel: Kernel, dev: StructView, properties: StructView, parent: StructView
) -> int:
    _nodes(kernel).create_managed(dev, properties.address, parent.address)
    return 0
