"""What devices are said to be like, by modules that know it: software nodes (drivers/base/swnode.c)."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.err import err
from sysfsd.linux.lib.kobject import errors_ignored

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = ["SoftwareNodes"]

_KOBJ_ADD: Final = 0
_MAX_ERRNO: Final = 4095
_POINTER: Final = 8
#: ``DEV_PROP_STRING`` and ``DEV_PROP_REF``.
_TYPE_STRING, _TYPE_REF = 4, 5


@dataclass(eq=False)
class SoftwareNode:
    """A registered ``struct swnode``, which lies at *address*; what describes it lies at *node*."""

    address: int
    node: int
    number: int
    parent: SoftwareNode | None
    allocated: bool
    managed: bool = False


class SoftwareNodes:
    """Those of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._core = kernel.state(DriverCore)
        self._objects = self._core.kobjects
        self._ktype = self._objects.new_ktype(self._release)
        with self._core.sysfs.foreign(False):
            kset = self._objects.kset_create_and_add(b"software_nodes", 0, self._kernel_kobj())
        assert kset is not None
        self._kset = kset.address
        #: By the address of their ``struct fwnode_handle``.
        self._nodes: dict[int, SoftwareNode] = {}
        # Devices never look at them; modules compare the pointer at most.
        self._ops = kernel.slab.kmalloc(kernel.image.structs["fwnode_operations"].size)
        self._core.platform_notify.append(self._notify)

    def _kernel_kobj(self) -> int:
        kernel = self._kernel
        return kernel.memory.read_pointer(kernel.exports.data_address("kernel_kobj"))

    def _kobj(self, node: SoftwareNode) -> StructView:
        return self._kernel.struct("swnode", node.address).sub("kobj")

    # Nodes

    def at(self, fwnode: int) -> SoftwareNode | None:
        """The node whose ``struct fwnode_handle`` is at *fwnode*."""
        return self._nodes.get(fwnode)

    def of_description(self, node: int) -> SoftwareNode | None:
        """``software_node_to_swnode()``."""
        return next((known for known in self._nodes.values() if known.node == node), None) if node else None

    def fwnode(self, node: SoftwareNode) -> int:
        return self._kernel.struct("swnode", node.address).at("fwnode")

    def of_device(self, dev: StructView) -> SoftwareNode | None:
        """``dev_to_swnode()``."""
        fwnode = dev["fwnode"]
        if not 0 < fwnode < (1 << 64) - _MAX_ERRNO:
            return None
        return self._nodes.get(fwnode) or self._nodes.get(self._kernel.struct("fwnode_handle", fwnode)["secondary"])

    def register(self, node: int, parent: SoftwareNode | None, allocated: bool) -> SoftwareNode:
        """``swnode_register()``.

        :raises OSError: EEXIST, ENOMEM
        """
        kernel, description = self._kernel, self._kernel.struct("software_node", node)
        swnode = kernel.struct("swnode", kernel.slab.kmalloc(kernel.image.structs["swnode"].size))
        taken = {known.number for known in self._nodes.values() if known.parent is parent}
        number = next(i for i in range(len(taken) + 1) if i not in taken)
        made = SoftwareNode(swnode.address, node, number, parent, allocated)
        swnode["id"], swnode["node"], swnode["parent"] = number, node, parent.address if parent is not None else 0
        swnode["fwnode.ops"] = self._ops
        kobj = swnode.sub("kobj")
        kobj["kset"] = self._kset
        self._nodes[swnode.at("fwnode")] = made
        self._objects.init(kobj, self._ktype)
        name = description.string("name") if description["name"] else b"node%d" % number
        try:
            self._objects.add(kobj, self._kobj(parent).address if parent is not None else 0, name)
        except OSError:
            made.allocated = False
            self._objects.put(kobj)
            raise
        with errors_ignored():
            self._objects.uevent(kobj, _KOBJ_ADD)
        return made

    def put(self, node: SoftwareNode) -> None:
        self._objects.put(self._kobj(node))

    def get(self, node: SoftwareNode) -> None:
        self._objects.get(self._kobj(node))

    def _release(self, kobj: StructView) -> None:
        """``software_node_release()``."""
        kernel = self._kernel
        address = kernel.image.structs.container_of(kobj.address, "swnode", "kobj")
        node = self._nodes.pop(kernel.struct("swnode", address).at("fwnode"))
        if node.allocated:
            self.free_entries(kernel.struct("software_node", node.node)["properties"])
            kernel.slab.kfree(node.node)
        kernel.slab.kfree(address)

    def create(self, properties: int, parent: int) -> int:
        """``fwnode_create_software_node()``: one that is described by nothing but its properties.

        :returns: its ``struct fwnode_handle``
        :raises OSError: EINVAL, ENOMEM
        """
        kernel, above = self._kernel, self.at(parent)
        if parent and above is None:
            raise err(errno.EINVAL)
        node = kernel.struct("software_node", kernel.slab.kmalloc(kernel.image.structs["software_node"].size))
        node["parent"] = above.node if above is not None else 0
        node["properties"] = self.copy_entries(properties)
        return self.fwnode(self.register(node.address, above, allocated=True))

    # Devices

    def create_managed(self, dev: StructView, properties: int, parent: int) -> None:
        """``device_create_managed_software_node()``: it goes with its device.

        :raises OSError: EINVAL, ENOMEM
        """
        above = self.of_description(parent)
        if parent and above is None:
            raise err(errno.EINVAL)
        fwnode = self.create(properties, self.fwnode(above) if above is not None else 0)
        self._nodes[fwnode].managed = True
        self.set_secondary(dev, fwnode)
        if dev["kobj.state_in_sysfs"]:
            self._notify(dev, True)

    def add_to(self, dev: StructView, node: int) -> None:
        """``device_add_software_node()``.

        :raises OSError: EBUSY, EINVAL, EEXIST, ENOMEM
        """
        if self.of_device(dev) is not None:
            raise err(errno.EBUSY)
        known = self.of_description(node)
        if known is not None:
            self.get(known)
        else:
            known = self.register_described(node)
        self.set_secondary(dev, self.fwnode(known))
        if dev["kobj.state_in_sysfs"]:
            self._notify(dev, True)

    def register_described(self, node: int) -> SoftwareNode:
        """``software_node_register()``.

        :raises OSError: EINVAL, EEXIST, ENOMEM
        """
        parent = self._kernel.struct("software_node", node)["parent"]
        above = self.of_description(parent)
        if self.of_description(node) is not None:
            raise err(errno.EEXIST)
        if parent and above is None:
            raise err(errno.EINVAL)
        return self.register(node, above, allocated=False)

    def remove_from(self, dev: StructView) -> None:
        """``device_remove_software_node()``."""
        node = self.of_device(dev)
        if node is None:
            return
        if dev["kobj.state_in_sysfs"]:
            self._notify(dev, False)
        if not node.managed:
            self.set_secondary(dev, 0)
            self.put(node)

    def set_secondary(self, dev: StructView, fwnode: int) -> None:
        """``set_secondary_fwnode()``: behind what firmware has said, if it has said anything."""
        first = dev["fwnode"]
        if first and first not in self._nodes:
            self._kernel.struct("fwnode_handle", first)["secondary"] = fwnode
        else:
            dev["fwnode"] = fwnode
        if fwnode:
            # As the primary node of no device has one behind it, it is an error to look for it.
            self._kernel.struct("fwnode_handle", fwnode)["secondary"] = 0

    def _notify(self, dev: StructView, added: bool) -> None:
        """``software_node_notify()``: links both ways."""
        node = self.of_device(dev)
        if node is None:
            return
        sysfs, kobj, own = self._core.sysfs, dev.sub("kobj"), self._kobj(node)
        name = self._core.name(dev)
        if added:
            with errors_ignored():
                sysfs.create_link(kobj, own, "software_node")
                sysfs.create_link(own, kobj, name)
                self.get(node)
            return
        for where, link in ((own, name), (kobj, "software_node")):
            directory = sysfs.directory(where)
            found = directory.children.get(link) if directory is not None else None
            if found is not None:
                sysfs.remove(found)
        self.put(node)
        if node.managed:
            self.set_secondary(dev, 0)
            self.put(node)

    # Properties

    def entry(self, fwnode: int, name: bytes) -> StructView | None:
        """The ``struct property_entry`` of a node, or of what is behind it."""
        kernel = self._kernel
        for address in (fwnode, kernel.struct("fwnode_handle", fwnode)["secondary"]):
            node = self._nodes.get(address)
            properties = kernel.struct("software_node", node.node)["properties"] if node is not None else 0
            while properties:
                entry = kernel.struct("property_entry", properties)
                if not entry["name"]:
                    break
                if entry.string("name") == name:
                    return entry
                properties += entry.struct.size
        return None

    def values(self, entry: StructView, size: int) -> bytes:
        """``property_entry_find()``: the first *size* bytes of a property.

        :raises OSError: ENODATA, EOVERFLOW
        """
        if not entry["length"]:
            raise err(errno.ENODATA)
        if size > entry["length"]:
            raise err(errno.EOVERFLOW)
        return self._kernel.memory.read(entry.at("value") if entry["is_inline"] else entry["pointer"], size)

    def copy_entries(self, properties: int) -> int:
        """``property_entries_dup()``, with all that they point to.

        :raises OSError: ENOMEM
        """
        kernel, memory, slab = self._kernel, self._kernel.memory, self._kernel.slab
        if not properties:
            return 0
        size, count = kernel.image.structs["property_entry"].size, 0
        while kernel.struct("property_entry", properties + size * count)["name"]:
            count += 1
        copy = slab.kmalloc(size * (count + 1))
        memory.write(copy, memory.read(properties, size * count))
        for i in range(count):
            entry = kernel.struct("property_entry", copy + size * i)
            entry["name"] = slab.string(entry.string("name"))
            pointer, length = entry["pointer"], entry["length"]
            if not length:
                continue
            strings = entry["type"] == _TYPE_STRING
            if not entry["is_inline"]:
                entry["pointer"] = slab.kmalloc(length)
                memory.write(entry["pointer"], memory.read(pointer, length))
            if strings:
                where = entry.at("value") if entry["is_inline"] else entry["pointer"]
                for at in range(where, where + length, _POINTER):
                    memory.write_pointer(at, slab.string(memory.read_string(memory.read_pointer(at))))
        return copy

    def free_entries(self, properties: int) -> None:
        """``property_entries_free()``."""
        kernel, memory, slab = self._kernel, self._kernel.memory, self._kernel.slab
        address = properties
        while address:
            entry = kernel.struct("property_entry", address)
            if not entry["name"]:
                break
            if entry["length"]:
                where = entry.at("value") if entry["is_inline"] else entry["pointer"]
                if entry["type"] == _TYPE_STRING:
                    for at in range(where, where + entry["length"], _POINTER):
                        slab.kfree(memory.read_pointer(at))
                if not entry["is_inline"]:
                    slab.kfree(where)
            slab.kfree(entry["name"])
            address += entry.struct.size
        slab.kfree(properties)
