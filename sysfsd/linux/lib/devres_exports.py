"""Mapped memory of devices that goes with the device."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.linux.arch.x86.ioremap_exports import ioremap, iounmap
from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.printk.printk import Level
from sysfsd.linux.kernel.resource import IORESOURCE_MEM, IORESOURCE_TYPE_BITS
from sysfsd.linux.kernel.resource_exports import devm_release_region, devm_request_region

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/devres.c")

_DEVRES: Final = 8


# Of devices


def _managed(kernel: Kernel, dev: StructView, address: int) -> int:
    """Have *dev* unmap what is mapped at *address*."""
    if address:
        core = kernel.state(DriverCore)
        data = core.devres.alloc(lambda data: iounmap(kernel, kernel.memory.read_pointer(data)), _DEVRES, _MAPPING)
        kernel.memory.write_pointer(data, address)
        core.devres.add(dev, data)
    return address


#: What a mapping is called among what a device gives back.
_MAPPING: Final = "devm_ioremap_release"


@export(
    "void *devm_ioremap(struct device *dev, resource_size_t offset, resource_size_t size)",
    "void *devm_ioremap_uc(struct device *dev, resource_size_t offset, resource_size_t size)",
    "void *devm_ioremap_wc(struct device *dev, resource_size_t offset, resource_size_t size)",
)
def devm_ioremap(kernel: Kernel, dev: StructView, offset: int, size: int) -> int:
    return _managed(kernel, dev, ioremap(kernel, offset, size))


@export("void devm_iounmap(struct device *dev, void *addr)")
def devm_iounmap(kernel: Kernel, dev: StructView, addr: int) -> None:
    core, memory = kernel.state(DriverCore), kernel.memory
    found = core.devres.find(dev, None, lambda data: memory.read_pointer(data) == addr)
    if found is None or found.name != _MAPPING:
        kernel.traps.warn_at("lib/devres.c", 114)
    else:
        core.devres.remove(dev, found)
        core.devres.free(found.data)
    iounmap(kernel, addr)


@export("void *devm_ioremap_resource(struct device *dev, const struct resource *res)")
def devm_ioremap_resource(kernel: Kernel, dev: StructView, res: StructView) -> int:
    core = kernel.state(DriverCore)
    if not res.address or res["flags"] & IORESOURCE_TYPE_BITS != IORESOURCE_MEM:
        core.printk(Level.ERR, dev, b"invalid resource\n")
        raise err(errno.EINVAL)
    size = res["end"] - res["start"] + 1
    name = core.name(dev).encode("latin-1") + (b" " + res.string("name") if res["name"] else b"")
    text = core.devres.alloc(lambda _data: None, len(name) + 1)
    kernel.memory.write(text, name)
    core.devres.add(dev, text)
    shown = f"[mem 0x{res['start']:08x}-0x{res['end']:08x}]".encode()
    iomem = kernel.struct("resource", kernel.exports.data_address("iomem_resource"))
    if not devm_request_region(kernel, dev, iomem, res["start"], size, text):
        core.printk(Level.ERR, dev, b"can't request region for resource " + shown + b"\n")
        raise err(errno.EBUSY)
    address = devm_ioremap(kernel, dev, res["start"], size)
    if not address:
        core.printk(Level.ERR, dev, b"ioremap failed for resource " + shown + b"\n")
        devm_release_region(kernel, dev, iomem, res["start"], size)
        raise err(errno.ENOMEM)
    return int(address)
