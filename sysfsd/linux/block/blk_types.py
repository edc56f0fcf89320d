"""What block devices, disks and their requests are (include/linux/blk_types.h, include/linux/blkdev.h)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sysfsd.linux.lib.kstrtox import INT_TYPES, kstrto

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView

__all__ = [
    "ADD_RANDOM",
    "EXT_MAJOR",
    "FUA",
    "HIDDEN",
    "IO_STAT",
    "MAX_PARTS",
    "NONROT",
    "NO_PART",
    "READ",
    "REMOVABLE",
    "SECTOR",
    "STABLE_WRITES",
    "WC",
    "WRITE",
    "Disk",
    "DiskState",
    "Part",
    "ignored",
    "stored",
]


SECTOR: Final = 512
READ, WRITE = 0, 1
MAX_PARTS: Final = 256
EXT_MAJOR: Final = 259
NO_PART, HIDDEN, REMOVABLE = 1 << 2, 1 << 1, 1 << 0


class DiskState:
    """Bits of ``disk->state``."""

    NEED_PART_SCAN: Final = 1 << 0
    READ_ONLY: Final = 1 << 1
    DEAD: Final = 1 << 2
    NATIVE_CAPACITY: Final = 1 << 3
    ADDED: Final = 1 << 4
    SUPPRESS_PART_SCAN: Final = 1 << 5
    OWNS_QUEUE: Final = 1 << 6


# Bits of ``queue->queue_flags``.
NONROT, IO_STAT, ADD_RANDOM, WC, FUA, STABLE_WRITES = (1 << 6, 1 << 7, 1 << 10, 1 << 17, 1 << 18, 1 << 15)


@dataclass(eq=False)
class Stats:
    """What has been done, each for reading and writing."""

    ios: list[int] = field(default_factory=lambda: [0, 0])
    sectors: list[int] = field(default_factory=lambda: [0, 0])
    ticks: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def text(self) -> str:
        """``part_stat_show()``, without what the first line begins with."""
        ticks = [int(1000 * value) for value in self.ticks]
        numbers = []
        for way in (READ, WRITE):
            numbers += [self.ios[way], 0, self.sectors[way], ticks[way]]
        return " ".join(f"{number:8d}" for number in [*numbers, 0, sum(ticks), sum(ticks), *[0] * 6])

    def diskstats(self) -> str:
        return " ".join(self.text().split())


@dataclass(eq=False)
class Part:
    """A block device: a whole disk (number 0), or a partition of it."""

    disk: Disk
    bdev: StructView
    number: int
    stats: Stats = field(default_factory=Stats)
    openers: int = 0
    #: Pages of it that are in memory, by their number; and which blocks of them are there, and are changed.
    pages: dict[int, int] = field(default_factory=dict)
    uptodate: dict[int, int] = field(default_factory=dict)
    dirty: dict[int, int] = field(default_factory=dict)

    @property
    def sectors(self) -> int:
        return self.bdev["bd_nr_sectors"]

    @property
    def start(self) -> int:
        return self.bdev["bd_start_sect"]

    @property
    def size(self) -> int:
        """Bytes."""
        return self.sectors * SECTOR

    @property
    def block_size(self) -> int:
        """Bytes: what is read and written as one."""
        return 1 << self.bdev.to("bd_inode")["i_blkbits"]

    @property
    def devt(self) -> int:
        return self.bdev["bd_dev"]


@dataclass(eq=False)
class Disk:
    """What is known of a disk besides its ``struct gendisk``."""

    view: StructView
    queue: StructView
    whole: Part = field(init=False)
    parts: dict[int, Part] = field(default_factory=dict)
    hctx: int = 0
    set: StructView | None = None
    scheduler: str = "none"
    bdi: StructView | None = None
    ext_minor: int | None = None
    #: ``struct disk_events``, of a disk that tells of some; 0: it does not.
    events: int = 0

    @property
    def name(self) -> str:
        return self.view.string("disk_name").decode("latin-1")

    @property
    def owner(self) -> int:
        """The address of the module that serves it."""
        return self.view.to("fops")["owner"] if self.view["fops"] else 0


def stored(data: bytes) -> int:
    """:raises OSError: EINVAL, ERANGE"""
    return kstrto(INT_TYPES["ul"], data)


def ignored(data: bytes) -> None:
    stored(data)
