"""Memory and ports of devices: mapped, read, written. There is nothing behind them."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.kernel.driver_core import DriverCore
from sysfsd.kernel.err import err
from sysfsd.kernel.exports.platform import platform_get_resource, platform_get_resource_byname
from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.exports.resource import devm_release_region, devm_request_region
from sysfsd.kernel.memory import DIRECT_MAP, PAGE_SIZE, Prot, align
from sysfsd.kernel.ports import Ports
from sysfsd.kernel.printk import Level
from sysfsd.kernel.resource import IORESOURCE_MEM, IORESOURCE_TYPE_BITS, is_ram
from sysfsd.kernel.vsprintf import ptr_to_hashval

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("iomap", "arch/x86/mm/ioremap.c, lib/iomap.c, lib/devres.c")

_U64: Final = (1 << 64) - 1
#: Physical addresses have fewer bits.
_PHYS_BITS: Final = 52
#: The memory of the screen, which is memory.
_SCREEN: Final = range(0xA0000, 0xC0000)
_HIGH_MEMORY: Final = 0xFFFF888080000000

# Ports as addresses (lib/iomap.c).
_PIO_OFFSET: Final = 0x10000
_PIO_MASK: Final = 0xFFFF
_PIO_RESERVED: Final = 0x40000
_DEVRES: Final = 8


# Mapping


@export(
    "void *ioremap(resource_size_t phys_addr, unsigned long size)",
    "void *ioremap_uc(resource_size_t phys_addr, unsigned long size)",
    "void *ioremap_wc(resource_size_t phys_addr, unsigned long size)",
    "void *ioremap_wt(resource_size_t phys_addr, unsigned long size)",
    "void *ioremap_cache(resource_size_t phys_addr, unsigned long size)",
)
def ioremap(kernel: Kernel, phys_addr: int, size: int) -> int:
    last = (phys_addr + size - 1) & _U64
    if not size or last < phys_addr:
        return 0
    if phys_addr >> _PHYS_BITS:
        kernel.log.pr_warn(f"ioremap: invalid physical address {phys_addr:x}")
        kernel.traps.warn_at("arch/x86/mm/ioremap.c", 201, site="__ioremap_caller.cold+0x59", once=True)
        return 0
    if is_ram(phys_addr, last):
        text = f"ioremap on RAM at 0x{phys_addr:016x} - 0x{last:016x}"
        kernel.traps.warn_at("arch/x86/mm/ioremap.c", 211, text, "__ioremap_caller+0x345", once=True)
        return 0
    offset = phys_addr % PAGE_SIZE
    prot = Prot.RW if phys_addr in _SCREEN else Prot.RW | Prot.IO
    address = kernel.memory.vmalloc_area.alloc(align(offset + size, PAGE_SIZE), prot=prot)
    return address + offset


@export("void iounmap(volatile void *addr)")
def iounmap(kernel: Kernel, addr: int) -> None:
    if addr <= _HIGH_MEMORY:
        return
    area = kernel.memory.vmalloc_area
    start = addr & -PAGE_SIZE
    if area.piece(start) is None:
        kernel.log.pr_err(f"iounmap: bad address {ptr_to_hashval(addr)}")
        kernel.traps.dump_stack()
        return
    area.free(start)


@export("void *ioport_map(unsigned long port, unsigned int nr)")
def ioport_map(kernel: Kernel, port: int, nr: int) -> int:
    return port + _PIO_OFFSET if port <= _PIO_MASK else 0


@export("void ioport_unmap(void *addr)")
def ioport_unmap(kernel: Kernel, addr: int) -> None:
    """An address of a port is but a number."""


@export("void *memremap(resource_size_t offset, size_t size, unsigned long flags)")
def memremap(kernel: Kernel, offset: int, size: int, flags: int) -> int:
    return ioremap(kernel, offset, size) if not is_ram(offset, offset + size - 1) else DIRECT_MAP + offset


@export("void memunmap(void *addr)")
def memunmap(kernel: Kernel, addr: int) -> None:
    if kernel.memory.area(addr) is kernel.memory.vmalloc_area:
        iounmap(kernel, addr)


# Reading and writing


def _bad_access(kernel: Kernel, addr: int, access: str, function: str) -> None:
    """``bad_io_access()``."""
    text = f"Bad IO access at port 0x{addr:x} ({access})"
    kernel.traps.warn_at("lib/iomap.c", 45, text, _BAD_ACCESS.get(function, ""))


#: Where they warn, as far as that is known; the others at their beginning.
_BAD_ACCESS: Final = {"ioread8": "ioread8+0x5a", "iowrite8": "iowrite8+0x4f"}
#: How each size of access to a port is written: reading, writing.
_PORT_READS: Final = {1: "inb", 2: "inw", 4: "inl"}
_PORT_WRITES: Final = {1: "outb", 2: "outw", 4: "outl"}


def _read(kernel: Kernel, addr: int, size: int, name: str, big: bool = False) -> int:
    """A port, or memory."""
    if addr >= _PIO_RESERVED:
        value = kernel.memory.read_int(addr, size)
    elif addr > _PIO_OFFSET:
        value = kernel.state(Ports).read(addr & _PIO_MASK, size)
    else:
        _bad_access(kernel, addr, f"return {_PORT_READS.get(size, 'inb')}(port)", name)
        return (1 << 8 * size) - 1
    return int.from_bytes(value.to_bytes(size, "little"), "big") if big else value


def _write(kernel: Kernel, addr: int, value: int, size: int, name: str, big: bool = False) -> None:
    if big:
        value = int.from_bytes(value.to_bytes(size, "little"), "big")
    if addr >= _PIO_RESERVED:
        _store(kernel, addr, value.to_bytes(size, "little"))
    elif addr > _PIO_OFFSET:
        kernel.state(Ports).write(addr & _PIO_MASK, size, value)
    else:
        _bad_access(kernel, addr, f"{_PORT_WRITES.get(size, 'outb')}(val,port)", name)


def _store(kernel: Kernel, addr: int, data: bytes) -> None:
    """Write to memory, or to a device that is not there."""
    area = kernel.memory.area(addr)
    view = kernel.memory.view(addr, len(data), Prot.WRITE)
    if area is not None and not area.present(addr - area.base, len(data), Prot.IO):
        view[:] = data


def _accessors(bits: int, big: bool) -> None:
    size, suffix = bits // 8, f"{bits}be" if big else f"{bits}"

    @export(f"unsigned int ioread{suffix}(const void *addr)")
    def ioread(kernel: Kernel, addr: int) -> int:
        return _read(kernel, addr, size, f"ioread{suffix}", big)

    @export(f"void iowrite{suffix}(u{bits} val, void *addr)")
    def iowrite(kernel: Kernel, val: int, addr: int) -> None:
        _write(kernel, addr, val, size, f"iowrite{suffix}", big)

    if big:
        return

    @export(f"void ioread{suffix}_rep(const void *addr, void *dst, unsigned long count)")
    def ioread_rep(kernel: Kernel, addr: int, dst: int, count: int) -> None:
        for i in range(count):
            kernel.memory.write_int(dst + size * i, _read(kernel, addr, size, f"ioread{suffix}_rep"), size)

    @export(f"void iowrite{suffix}_rep(void *addr, const void *src, unsigned long count)")
    def iowrite_rep(kernel: Kernel, addr: int, src: int, count: int) -> None:
        for i in range(count):
            _write(kernel, addr, kernel.memory.read_int(src + size * i, size), size, f"iowrite{suffix}_rep")


for _bits in (8, 16, 32):
    _accessors(_bits, False)
for _bits in (16, 32):
    _accessors(_bits, True)


@export("void memcpy_fromio(void *to, const volatile void *from, size_t n)")
def memcpy_fromio(kernel: Kernel, to: int, from_: int, n: int) -> None:
    kernel.memory.write(to, kernel.memory.read(from_, n))


@export("void memcpy_toio(volatile void *to, const void *from, size_t n)")
def memcpy_toio(kernel: Kernel, to: int, from_: int, n: int) -> None:
    _store(kernel, to, kernel.memory.read(from_, n))


@export("void memset_io(volatile void *a, int b, size_t c)")
def memset_io(kernel: Kernel, a: int, b: int, c: int) -> None:
    _store(kernel, a, bytes((b & 0xFF,)) * c)


@export("void __iowrite32_copy(void *to, const void *from, size_t count)")
def __iowrite32_copy(kernel: Kernel, to: int, from_: int, count: int) -> None:
    _store(kernel, to, kernel.memory.read(from_, 4 * count))


@export("void __ioread32_copy(void *to, const void *from, size_t count)")
def __ioread32_copy(kernel: Kernel, to: int, from_: int, count: int) -> None:
    kernel.memory.write(to, kernel.memory.read(from_, 4 * count))


# Of devices


def _managed(kernel: Kernel, dev: StructView, address: int) -> int:
    """Have *dev* unmap what is mapped at *address*."""
    if address:
        core = kernel.state(DriverCore)
        data = core.resource_alloc(lambda data: iounmap(kernel, kernel.memory.read_pointer(data)), _DEVRES, _MAPPING)
        kernel.memory.write_pointer(data, address)
        core.resource_add(dev, data)
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
    found = core.resource_find(dev, None, lambda data: memory.read_pointer(data) == addr)
    if found is None or found.name != _MAPPING:
        kernel.traps.warn_at("lib/devres.c", 114)
    else:
        core.resource_remove(dev, found)
        core.resource_free(found.data)
    iounmap(kernel, addr)


@export("void *devm_ioremap_resource(struct device *dev, const struct resource *res)")
def devm_ioremap_resource(kernel: Kernel, dev: StructView, res: StructView) -> int:
    core = kernel.state(DriverCore)
    if not res.address or res["flags"] & IORESOURCE_TYPE_BITS != IORESOURCE_MEM:
        core.printk(Level.ERR, dev, b"invalid resource\n")
        raise err(errno.EINVAL)
    size = res["end"] - res["start"] + 1
    name = core.name(dev).encode("latin-1") + (b" " + res.string("name") if res["name"] else b"")
    text = core.resource_alloc(lambda _data: None, len(name) + 1)
    kernel.memory.write(text, name)
    core.resource_add(dev, text)
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


@export(
    "void *devm_platform_get_and_ioremap_resource(struct platform_device *pdev, unsigned int index,"
    " struct resource **res)"
)
def devm_platform_get_and_ioremap_resource(kernel: Kernel, pdev: StructView, index: int, res: int) -> int:
    found = kernel.struct("resource", platform_get_resource(kernel, pdev, IORESOURCE_MEM, index))
    if res:
        kernel.memory.write_pointer(res, found.address)
    return int(devm_ioremap_resource(kernel, pdev.sub("dev"), found))


@export("void *devm_platform_ioremap_resource(struct platform_device *pdev, unsigned int index)")
def devm_platform_ioremap_resource(kernel: Kernel, pdev: StructView, index: int) -> int:
    return int(devm_platform_get_and_ioremap_resource(kernel, pdev, index, 0))


@export("void *devm_platform_ioremap_resource_byname(struct platform_device *pdev, const char *name)")
def devm_platform_ioremap_resource_byname(kernel: Kernel, pdev: StructView, name: bytes) -> int:
    found = kernel.struct("resource", platform_get_resource_byname(kernel, pdev, IORESOURCE_MEM, name))
    return int(devm_ioremap_resource(kernel, pdev.sub("dev"), found))
