"""Ports and memory of devices, and who has asked for which (kernel/resource.c).

The machine's own are those of the PC that the kernel was recorded on. All are ``struct resource`` in memory, where
modules walk them.
"""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.mm.memory import PAGE_SIZE, align

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = ["IORESOURCE_IO", "IORESOURCE_MEM", "IORESOURCE_TYPE_BITS", "Resources", "is_ram"]

IORESOURCE_TYPE_BITS: Final = 0x1F00
IORESOURCE_IO: Final = 0x100
IORESOURCE_MEM: Final = 0x200
_IORESOURCE_EXT_TYPE_BITS: Final = 0x01000000
_IORESOURCE_SYSTEM_RAM: Final = 0x01000200
_IORESOURCE_MUXED: Final = 0x00400000
_IORESOURCE_BUSY: Final = 0x80000000
#: How deep a resource can lie for /proc to indent it more than the one that it lies in.
_MAX_IORES_LEVEL: Final = 5

_RESOURCE: Final = struct.Struct("<8Q")

#: Depth, first, last, name. A bus is there to lie in, all else is in use.
_IOPORTS: Final = (
    (0, 0x0000, 0x0CF7, "PCI Bus 0000:00"),
    (1, 0x0000, 0x001F, "dma1"),
    (1, 0x0020, 0x0021, "pic1"),
    (1, 0x0040, 0x0043, "timer0"),
    (1, 0x0050, 0x0053, "timer1"),
    (1, 0x0060, 0x0060, "keyboard"),
    (1, 0x0064, 0x0064, "keyboard"),
    (1, 0x0070, 0x0077, "rtc0"),
    (1, 0x0080, 0x008F, "dma page reg"),
    (1, 0x00A0, 0x00A1, "pic2"),
    (1, 0x00C0, 0x00DF, "dma2"),
    (1, 0x00F0, 0x00FF, "fpu"),
    (1, 0x0170, 0x0177, "0000:00:01.1"),
    (1, 0x01F0, 0x01F7, "0000:00:01.1"),
    (1, 0x02F8, 0x02FF, "serial"),
    (1, 0x0376, 0x0376, "0000:00:01.1"),
    (1, 0x03C0, 0x03DF, "vga+"),
    (1, 0x03F6, 0x03F6, "0000:00:01.1"),
    (1, 0x03F8, 0x03FF, "serial"),
    (1, 0x0510, 0x051B, "QEMU0002:00"),
    (1, 0x0600, 0x063F, "0000:00:01.3"),
    (2, 0x0600, 0x0603, "ACPI PM1a_EVT_BLK"),
    (2, 0x0604, 0x0605, "ACPI PM1a_CNT_BLK"),
    (2, 0x0608, 0x060B, "ACPI PM_TMR"),
    (1, 0x0700, 0x070F, "0000:00:01.3"),
    (0, 0x0CF8, 0x0CFF, "PCI conf1"),
    (0, 0x0D00, 0xFFFF, "PCI Bus 0000:00"),
    (1, 0xAFE0, 0xAFE3, "ACPI GPE0_BLK"),
    (1, 0xC000, 0xC00F, "0000:00:01.1"),
)
_IOMEM: Final = (
    (0, 0x00000000, 0x00000FFF, "Reserved"),
    (0, 0x00001000, 0x0009FBFF, "System RAM"),
    (0, 0x0009FC00, 0x0009FFFF, "Reserved"),
    (0, 0x000A0000, 0x000BFFFF, "PCI Bus 0000:00"),
    (0, 0x000C0000, 0x000C9BFF, "Video ROM"),
    (0, 0x000CA000, 0x000CA5FF, "Adapter ROM"),
    (0, 0x000F0000, 0x000FFFFF, "Reserved"),
    (1, 0x000F0000, 0x000FFFFF, "System ROM"),
    (0, 0x00100000, 0x7FFDFFFF, "System RAM"),
    (1, 0x50200000, 0x51001D31, "Kernel code"),
    (1, 0x51200000, 0x51AEAFFF, "Kernel rodata"),
    (1, 0x51C00000, 0x51E4897F, "Kernel data"),
    (1, 0x52510000, 0x535FFFFF, "Kernel bss"),
    (0, 0x7FFE0000, 0x7FFFFFFF, "Reserved"),
    (0, 0x80000000, 0xFEBFFFFF, "PCI Bus 0000:00"),
    (1, 0xFD000000, 0xFDFFFFFF, "0000:00:02.0"),
    (1, 0xFEBF0000, 0xFEBF0FFF, "0000:00:02.0"),
    (0, 0xFEC00000, 0xFEC003FF, "IOAPIC 0"),
    (0, 0xFED00000, 0xFED003FF, "HPET 0"),
    (1, 0xFED00000, 0xFED003FF, "PNP0103:00"),
    (0, 0xFEE00000, 0xFEE00FFF, "Local APIC"),
    (0, 0xFFFC0000, 0xFFFFFFFF, "Reserved"),
    (0, 0x100000000, 0x17FFFFFFF, "PCI Bus 0000:00"),
    (0, 0xFD00000000, 0xFFFFFFFFFF, "Reserved"),
)
_RAM: Final = tuple(range(first, last + 1) for _, first, last, name in _IOMEM if name == "System RAM")
#: What asking for a part of leads further down instead of being refused.
_OPEN: Final = ("PCI Bus ", "0000:")


def is_ram(first: int, last: int) -> bool:
    """``__ioremap_check_ram()``: whether a whole page of it is memory."""
    start, stop = align(first, PAGE_SIZE), (last + 1) & -PAGE_SIZE
    return start < stop and any(start < ram.stop and stop > ram.start for ram in _RAM)


class Resources:
    """The resources of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        #: Regions that devices give back by themselves (parent, start, size), by the address of the device's resource.
        self.managed: dict[int, tuple[int, int, int]] = {}

    def view(self, address: int) -> StructView:
        return self._kernel.struct("resource", address)

    # The machine's own

    def put_ioports(self, address: int) -> None:
        """``ioport_resource``."""
        self._put(address, 0xFFFF, "PCI IO", IORESOURCE_IO, _IOPORTS)

    def put_iomem(self, address: int) -> None:
        """``iomem_resource``."""
        self._put(address, 0xFFFFFFFFFF, "PCI mem", IORESOURCE_MEM, _IOMEM)

    def _put(self, address: int, end: int, name: str, kind: int, rows: tuple[tuple[int, int, int, str], ...]) -> None:
        """Put a root at *address*, and all that lies in it into memory of their own."""
        memory = self._kernel.memory
        block = memory.alloc_pages(2 * PAGE_SIZE)
        texts = block + _RESOURCE.size * len(rows)
        names = dict.fromkeys((name, *(row[3] for row in rows)), 0)
        blob = bytearray()
        for text in list(names):
            names[text] = texts + len(blob)
            blob += text.encode() + b"\0"
        at = [block + _RESOURCE.size * i for i in range(len(rows))]
        parents, siblings = [address] * len(rows), [0] * len(rows)
        children: dict[int, int] = {}
        last: dict[int, int] = {}
        for i, (depth, *_rest) in enumerate(rows):
            last = {level: index for level, index in last.items() if level <= depth}
            if depth:
                parents[i] = at[last[depth - 1]]
            children.setdefault(parents[i], at[i])
            if depth in last:
                siblings[last[depth]] = at[i]
            last[depth] = i
        memory.write(
            block,
            b"".join(
                _RESOURCE.pack(first, final, names[text], _flags(kind, text), 0, parents[i], siblings[i], inner)
                for i, (_depth, first, final, text) in enumerate(rows)
                for inner in (children.get(at[i], 0),)
            )
            + blob,
        )
        memory.write(address, _RESOURCE.pack(0, end, names[name], kind, 0, 0, 0, children[address]))

    def listing(self, root: str, show_value: bool) -> bytes:
        """``r_show()``: /proc/ioports, /proc/iomem.

        :param show_value: the numbers, too
        """
        assert self._kernel.cpu  # with which the roots come to be
        top = self.view(self._kernel.exports.data_address(root))
        width = 4 if top["end"] < 0x10000 else 8
        lines = []
        for depth, res in self._walk(top["child"], 0):
            first, last = (res["start"], res["end"]) if show_value else (0, 0)
            name = res.string("name").decode("latin-1") if res["name"] else "<BAD>"
            indent = "  " * min(depth, _MAX_IORES_LEVEL - 1)
            lines.append(f"{indent}{first:0{width}x}-{last:0{width}x} : {name}\n")
        return "".join(lines).encode("latin-1")

    def _walk(self, address: int, depth: int) -> Iterator[tuple[int, StructView]]:
        while address:
            res = self.view(address)
            yield depth, res
            yield from self._walk(res["child"], depth + 1)
            address = res["sibling"]

    # Putting them in, taking them out

    def _request(self, root: StructView, new: StructView) -> int:
        """``__request_resource()``.

        :returns: the address of what is in the way, 0 where nothing is
        """
        start, end = new["start"], new["end"]
        if end < start or start < root["start"] or end > root["end"]:
            return root.address
        place = root.at("child")
        memory = self._kernel.memory
        while True:
            address = memory.read_pointer(place)
            other = self.view(address)
            if not address or other["start"] > end:
                new["sibling"], new["parent"] = address, root.address
                memory.write_pointer(place, new.address)
                return 0
            if other["end"] >= start:
                return address
            place = other.at("sibling")

    def request_resource(self, root: StructView, new: StructView) -> int:
        """``request_resource()``.

        :raises OSError: EBUSY
        """
        if self._request(root, new):
            raise err(errno.EBUSY)
        return 0

    def release_resource(self, old: StructView, with_children: bool = True) -> int:
        """``release_resource()``, ``remove_resource()``.

        :param with_children: what lies in it goes, too
        :raises OSError: EINVAL where it is not in
        """
        memory = self._kernel.memory
        place = old.to("parent").at("child")
        memory.read_pointer(place)
        while (address := memory.read_pointer(place)) not in (0, old.address):
            place = self.view(address).at("sibling")
        if not address:
            raise err(errno.EINVAL)
        child = old["child"]
        if with_children or not child:
            memory.write_pointer(place, old["sibling"])
        else:
            memory.write_pointer(place, child)
            while True:
                last = self.view(child)
                last["parent"] = old["parent"]
                if not last["sibling"]:
                    break
                child = last["sibling"]
            last["sibling"] = old["sibling"]
        old["parent"] = 0
        return 0

    def insert_resource(self, parent: StructView, new: StructView) -> int:
        """``insert_resource()``: put it in around what is there already.

        :raises OSError: EBUSY
        """
        while True:
            address = self._request(parent, new)
            if not address:
                return 0
            if address == parent.address:
                raise err(errno.EBUSY)
            if address == new.address:
                self._warn_inserted()
                raise err(errno.EBUSY)
            first = self.view(address)
            if first["start"] > new["start"] or first["end"] < new["end"]:
                break
            if first["start"] == new["start"] and first["end"] == new["end"]:
                break
            parent = first
        self._insert_around(parent, first, new)
        return 0

    def _insert_around(self, parent: StructView, first: StructView, new: StructView) -> None:
        """Put *new* around *first* and those behind it that it holds.

        :raises OSError: EBUSY where it holds only a part of one
        """
        inner = [first]
        while True:
            last = inner[-1]
            if last["start"] < new["start"] or last["end"] > new["end"]:
                raise err(errno.EBUSY)
            if not last["sibling"] or self.view(last["sibling"])["start"] > new["end"]:
                break
            inner.append(self.view(last["sibling"]))
        new["parent"], new["sibling"], new["child"] = parent.address, inner[-1]["sibling"], first.address
        inner[-1]["sibling"] = 0
        for res in inner:
            res["parent"] = new.address
        memory, place = self._kernel.memory, parent.at("child")
        while memory.read_pointer(place) != first.address:
            place = self.view(memory.read_pointer(place)).at("sibling")
        memory.write_pointer(place, new.address)

    def _warn_inserted(self) -> None:
        kernel = self._kernel
        sp = kernel.current.sp - 8
        kernel.memory.write_pointer(sp, kernel.exports.address_of("insert_resource") + 0x24)
        regs = kernel.current.caller_regs()._replace(rsp=sp)
        kernel.traps.warn_at("kernel/resource.c", 828, site="__insert_resource+0x8b", regs=regs)

    # Regions

    def request_region(self, parent: StructView, start: int, n: int, name: int, flags: int) -> int:
        """``__request_region()``.

        :param name: the address of who asks
        :returns: the address of a new resource, 0 where something is in the way
        """
        kernel = self._kernel
        res = self.view(kernel.slab.kmalloc(kernel.image.structs["resource"].size))
        res["name"], res["start"], res["end"] = name, start, (start + n - 1) & (1 << 64) - 1
        while True:
            kind = parent["flags"] & (IORESOURCE_TYPE_BITS | _IORESOURCE_EXT_TYPE_BITS)
            res["flags"], res["desc"] = kind | _IORESOURCE_BUSY | flags, parent["desc"]
            conflict = self._request(parent, res)
            if not conflict:
                return res.address
            other = self.view(conflict)
            if conflict != parent.address and not other["flags"] & _IORESOURCE_BUSY:
                parent = other
                continue
            if not other["flags"] & flags & _IORESOURCE_MUXED:
                kernel.slab.kfree(res.address)
                return 0
            # Whoever has it for a while gives it back.
            kernel.sched.relax()

    def release_region(self, parent: StructView, start: int, n: int) -> None:
        """``__release_region()``."""
        memory, place = self._kernel.memory, parent.at("child")
        end = (start + n - 1) & (1 << 64) - 1
        while address := memory.read_pointer(place):
            res = self.view(address)
            if res["start"] <= start and res["end"] >= end:
                if not res["flags"] & _IORESOURCE_BUSY:
                    place = res.at("child")
                    continue
                if res["start"] != start or res["end"] != end:
                    break
                memory.write_pointer(place, res["sibling"])
                self._kernel.slab.kfree(address)
                return
            place = res.at("sibling")
        self._kernel.log.pr_warn(f"resource: Trying to free nonexistent resource <0x{start:016x}-0x{end:016x}>")


def _flags(kind: int, name: str) -> int:
    if name == "System RAM":
        return _IORESOURCE_SYSTEM_RAM | _IORESOURCE_BUSY
    return kind if name.startswith(_OPEN) else kind | _IORESOURCE_BUSY
