"""Ports and memory of devices: asked for and given back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.resource import Resources

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/resource.c")

#: ``struct region_devres``.
_REGION_DEVRES: Final = 24


def _resources(kernel: Kernel) -> Resources:
    return kernel.state(Resources)


export.data("struct resource ioport_resource", lambda kernel, address: _resources(kernel).put_ioports(address))

export.data("struct resource iomem_resource", lambda kernel, address: _resources(kernel).put_iomem(address))


@export("int request_resource(struct resource *root, struct resource *new)")
def request_resource(kernel: Kernel, root: StructView, new: StructView) -> int:
    return _resources(kernel).request_resource(root, new)


@export("int release_resource(struct resource *old)")
def release_resource(kernel: Kernel, old: StructView) -> int:
    return _resources(kernel).release_resource(old)


@export("int insert_resource(struct resource *parent, struct resource *new)")
def insert_resource(kernel: Kernel, parent: StructView, new: StructView) -> int:
    return _resources(kernel).insert_resource(parent, new)


@export("int remove_resource(struct resource *old)")
def remove_resource(kernel: Kernel, old: StructView) -> int:
    return _resources(kernel).release_resource(old, with_children=False)


@export(
    "struct resource *__request_region(struct resource *parent, resource_size_t start, resource_size_t n, void *name,"
    " int flags)"
)
def __request_region(kernel: Kernel, parent: StructView, start: int, n: int, name: int, flags: int) -> int:
    return _resources(kernel).request_region(parent, start, n, name, flags)


@export("void __release_region(struct resource *parent, resource_size_t start, resource_size_t n)")
def __release_region(kernel: Kernel, parent: StructView, start: int, n: int) -> None:
    _resources(kernel).release_region(parent, start, n)


@export(
    "struct resource *__devm_request_region(struct device *dev, struct resource *parent, resource_size_t start,"
    " resource_size_t n, void *name)"
)
def devm_request_region(kernel: Kernel, dev: StructView, parent: StructView, start: int, n: int, name: int) -> int:
    resources, core = _resources(kernel), kernel.state(DriverCore)
    found = resources.request_region(parent, start, n, name, 0)
    if found:

        def release(data: int) -> None:
            del resources.managed[data]
            resources.release_region(parent, start, n)

        data = core.devres.alloc(release, _REGION_DEVRES)
        resources.managed[data] = (parent.address, start, n)
        core.devres.add(dev, data)
    return found


@export(
    "void __devm_release_region(struct device *dev, struct resource *parent, resource_size_t start, resource_size_t n)"
)
def devm_release_region(kernel: Kernel, dev: StructView, parent: StructView, start: int, n: int) -> None:
    resources, core = _resources(kernel), kernel.state(DriverCore)
    resources.release_region(parent, start, n)
    wanted = (parent.address, start, n)
    found = core.devres.find(dev, None, lambda data: resources.managed.get(data) == wanted)
    if found is None:
        kernel.traps.warn_at("kernel/resource.c", 1636)
        return
    del resources.managed[found.data]
    core.devres.remove(dev, found)
    core.devres.free(found.data)
