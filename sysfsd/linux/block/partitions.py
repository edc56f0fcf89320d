"""Tables of partitions (block/partitions/core.c, block/partitions/msdos.c)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from sysfsd.linux.kernel.printk.printk import PrintkLog

__all__ = ["Reader", "check_partition"]

_SLOTS: Final = 4
_MAX_PARTS: Final = 256
#: How many links to further tables are followed without finding a partition.
_MAX_LINKS: Final = 100
_EXTENDED: Final = (0x05, 0x0F, 0x85)
_SOLARIS_X86: Final = 0x82
_EFI: Final = 0xEE
_DM6, _EZD = 0x54, 0x55
#: Sectors that those look at who look for the tables of other systems: Amigas at so many, ULTRIX at the other one.
_RDB_ALLOCATION_LIMIT: Final = 16
_ULTRIX_SECTOR: Final = 31


@dataclass
class Reader:
    """``struct parsed_partitions``: a disk of which sectors are read; None where that fails."""

    name: str
    sectors: int
    read: Callable[[int], bytes | None]
    #: Whether somebody wanted more than there is.
    beyond: bool = False

    def sector(self, number: int) -> bytes | None:
        """``read_part_sector()``."""
        if number >= self.sectors:
            self.beyond = True
            return None
        return self.read(number)


class _Entry(NamedTuple):
    boot: int
    type: int
    start: int
    size: int

    @property
    def extended(self) -> bool:
        return self.type in _EXTENDED


def _entries(sector: bytes) -> list[_Entry]:
    found = []
    for slot in range(_SLOTS):
        entry = sector[446 + 16 * slot :][:16]
        start, size = int.from_bytes(entry[8:12], "little"), int.from_bytes(entry[12:16], "little")
        found.append(_Entry(entry[0], entry[4], start, size))
    return found


def check_partition(reader: Reader, log: PrintkLog) -> dict[int, tuple[int, int]] | None:
    """``check_partition()``: find a table, and say in the log what is in it.

    :returns: first sectors and lengths by number; None where there is no table
    """
    table = _Msdos(reader)
    if table.parse():
        log.pr_info(f" {reader.name}:{table.text}")
        return table.found
    failed = table.failed
    for block in range(_RDB_ALLOCATION_LIMIT):
        if reader.sector(block) is None:
            log.pr_err(f"Dev {reader.name}: unable to read RDB block {block}")
            failed = True
            break
    if reader.sector(_ULTRIX_SECTOR) is None:
        failed = True
    if failed:
        log.pr_info(f" {reader.name}: unable to read partition table")
    return None


class _Msdos:
    """A table as DOS has it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.found: dict[int, tuple[int, int]] = {}
        self.text = ""
        self.failed = False
        self._next = _SLOTS + 1

    def _put(self, number: int, start: int, size: int) -> None:
        """``put_partition()``."""
        if number < _MAX_PARTS:
            self.found[number] = (start, size)
            name = self._reader.name
            self.text += f" {'p' if name[-1:].isdigit() else name}{number}"

    def parse(self) -> bool:
        """``msdos_partition()``: whether there is one."""
        sector = self._reader.sector(0)
        if sector is None:
            self.failed = True
            return False
        if sector[510:512] != b"\x55\xaa":
            return False
        entries = _entries(sector)
        if any(entry.boot not in (0, 0x80) for entry in entries):
            # A file system without a table may end with the same two bytes.
            return sector[54:57] == b"FAT" or sector[82:85] == b"FAT"
        if any(entry.type == _EFI for entry in entries):
            return False
        for slot, entry in enumerate(entries, 1):
            if not entry.size:
                continue
            if entry.extended:
                self._put(slot, entry.start, min(entry.size, 2))
                self.text += " <"
                self._extended(entry.start, entry.size)
                self.text += " >"
                continue
            self._put(slot, entry.start, entry.size)
            self.text += {_DM6: "[DM]", _EZD: "[EZD]"}.get(entry.type, "")
        for entry in entries:
            if entry.size and entry.type == _SOLARIS_X86:
                self._reader.sector(entry.start + 1)
        return True

    def _extended(self, first: int, size: int) -> None:
        """``parse_extended()``: a chain of tables, each with one partition and the way to the next."""
        this, this_size, links = first, size, 0
        while True:
            links += 1
            sector = self._reader.sector(this) if links <= _MAX_LINKS and self._next < _MAX_PARTS else None
            if sector is None or sector[510:512] != b"\x55\xaa":
                return
            entries = _entries(sector)
            for index, entry in enumerate(entries):
                if not entry.size or entry.extended:
                    continue
                start = this + entry.start
                if index >= 2 and (
                    entry.start + entry.size > this_size or start < first or start + entry.size > first + size
                ):
                    continue
                self._put(self._next, start, entry.size)
                self._next += 1
                links = 0
                if self._next >= _MAX_PARTS:
                    return
            following = next((entry for entry in entries if entry.size and entry.extended), None)
            if following is None:
                return
            this, this_size = first + following.start, following.size
