"""Reading and writing sectors: bios on their way to drivers (block/blk-core.c, block/bio.c)."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.linux.block.blk_types import IO_STAT, SECTOR, Disk, Part
from sysfsd.linux.err import err
from sysfsd.linux.mm.memory import DIRECT_MAP, PAGE_SIZE, STRUCT_PAGE, VMEMMAP

if TYPE_CHECKING:
    from sysfsd.linux.block.genhd import Disks
    from sysfsd.linux.struct_view import StructView

__all__ = ["BlockIo"]

#: How often one looks whether a request has been completed, and asks a driver again that had no room (seconds).
_POLL: Final = 0.0005
_STATUS_NAMES: Final = {
    1: "operation not supported", 2: "timeout", 3: "critical space allocation", 4: "recoverable transport",
    5: "critical target", 6: "reservation conflict", 7: "critical medium", 8: "protection", 9: "kernel resource",
    10: "I/O", 12: "nonblocking retry", 13: "device resource",
}  # fmt: skip
_OPERATIONS: Final = {0: "READ", 1: "WRITE", 2: "FLUSH", 3: "DISCARD"}


class BlockIo:
    """The bios of one kernel."""

    def __init__(self, disks: Disks) -> None:
        self.disks = disks
        self.kernel = disks.kernel
        #: Bios and requests that are being carried out.
        self.pending: set[int] = set()

    # Requests

    def transfer(self, part: Part, way: int, sector: int, pieces: list[tuple[int, int]]) -> None:
        """``submit_bio()``, in as many parts as the queue's limits demand; wait for all.

        :param pieces: addresses and lengths of memory
        :raises OSError: what the driver says
        """
        limits = part.disk.queue.sub("limits")
        most, segments = limits["max_sectors"] * SECTOR, limits["max_segments"]
        if part.disk.set is None:
            most, segments = 256 * PAGE_SIZE, 256
        now: list[tuple[int, int]] = []
        for address, length in pieces:
            while length:
                room = most - sum(size for _address, size in now)
                if not room or len(now) >= segments:
                    sector = self._submit(part, way, sector, now)
                    now = []
                    continue
                take = min(length, room)
                now.append((address, take))
                address, length = address + take, length - take
        if now:
            self._submit(part, way, sector, now)

    def _submit(self, part: Part, way: int, sector: int, pieces: list[tuple[int, int]]) -> int:
        """:returns: the sector behind"""
        kernel = self.kernel
        size = sum(length for _address, length in pieces)
        began = time.monotonic()
        bio = self._bio(part, way, sector + part.start, pieces, size)
        try:
            if part.disk.set is None:
                self._submit_bio(part.disk, bio)
            else:
                self.disks.mq.run_request(part, bio, way, size)
            status = bio["bi_status"]
        finally:
            self.pending.discard(bio.address)
            kernel.slab.kfree(bio["bi_io_vec"])
            kernel.slab.kfree(bio.address)
        spent = time.monotonic() - began
        for counted in {part.number: part, 0: part.disk.whole}.values() if part.disk.set is not None else ():
            if part.disk.queue["queue_flags"] & IO_STAT:
                counted.stats.ios[way] += 1
                counted.stats.sectors[way] += size // SECTOR
                counted.stats.ticks[way] += spent
        if status:
            if part.disk.set is not None:
                name = _STATUS_NAMES.get(status, "I/O")
                kernel.log.pr_err(
                    f"{name} error, dev {part.disk.name}, sector {sector + part.start} op 0x{way:x}:"
                    f"({_OPERATIONS[way]}) flags 0x0 phys_seg {len(pieces)} prio class 2"
                )
            raise err(errno.EIO)
        return sector + size // SECTOR

    def _bio(self, part: Part, way: int, sector: int, pieces: list[tuple[int, int]], size: int) -> StructView:
        kernel = self.kernel
        bio = self.disks.struct("bio")
        bio["bi_bdev"], bio["bi_opf"] = part.bdev.address, way
        bio["bi_vcnt"] = bio["bi_max_vecs"] = len(pieces)
        bio["bi_io_vec"] = kernel.slab.kmalloc(16 * len(pieces))
        bio["bi_iter.bi_sector"], bio["bi_iter.bi_size"] = sector, size
        bio["__bi_cnt.counter"] = bio["__bi_remaining.counter"] = 1
        for index, (address, length) in enumerate(pieces):
            vector = kernel.struct("bio_vec", bio["bi_io_vec"] + 16 * index)
            vector["bv_page"] = VMEMMAP + (address - DIRECT_MAP) // PAGE_SIZE * STRUCT_PAGE
            vector["bv_len"], vector["bv_offset"] = length, address % PAGE_SIZE
        return bio

    def wait(self, done: Callable[[], bool]) -> None:
        while not done():
            self.kernel.sched.sleep(_POLL)
            if self.kernel.sched.ended():
                raise err(errno.EIO)

    def _submit_bio(self, disk: Disk, bio: StructView) -> None:
        self.pending.add(bio.address)
        self.kernel.cpu.call(disk.view.to("fops")["submit_bio"], bio.address)
        self.wait(lambda: bio.address not in self.pending)

    def bio_endio(self, bio: StructView) -> None:
        """``bio_endio()``."""
        self.pending.discard(bio.address)
