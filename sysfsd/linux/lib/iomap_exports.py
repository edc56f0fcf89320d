"""Memory and ports of devices: mapped, read, written. There is nothing behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.arch.x86.ports import Ports
from sysfsd.linux.exports import Area
from sysfsd.linux.mm.memory import Prot

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("lib/iomap.c", "lib/iomap_copy.c")

# Ports as addresses (lib/iomap.c).
_PIO_OFFSET: Final = 0x10000

_PIO_MASK: Final = 0xFFFF

_PIO_RESERVED: Final = 0x40000


@export("void *ioport_map(unsigned long port, unsigned int nr)")
def ioport_map(kernel: Kernel, port: int, nr: int) -> int:
    return port + _PIO_OFFSET if port <= _PIO_MASK else 0


@export("void ioport_unmap(void *addr)")
def ioport_unmap(kernel: Kernel, addr: int) -> None:
    """An address of a port is but a number."""


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
        store_io(kernel, addr, value.to_bytes(size, "little"))
    elif addr > _PIO_OFFSET:
        kernel.state(Ports).write(addr & _PIO_MASK, size, value)
    else:
        _bad_access(kernel, addr, f"{_PORT_WRITES.get(size, 'outb')}(val,port)", name)


def store_io(kernel: Kernel, addr: int, data: bytes) -> None:
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


@export("void __iowrite32_copy(void *to, const void *from, size_t count)")
def __iowrite32_copy(kernel: Kernel, to: int, from_: int, count: int) -> None:
    store_io(kernel, to, kernel.memory.read(from_, 4 * count))


@export("void __ioread32_copy(void *to, const void *from, size_t count)")
def __ioread32_copy(kernel: Kernel, to: int, from_: int, count: int) -> None:
    kernel.memory.write(to, kernel.memory.read(from_, 4 * count))
