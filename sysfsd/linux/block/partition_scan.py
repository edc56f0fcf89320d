"""Partitions of disks: looking for them, adding and deleting them (block/partitions/core.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.block.blk_types import EXT_MAJOR, READ, SECTOR, Disk, DiskState, Part
from sysfsd.linux.block.partitions import Reader, check_partition
from sysfsd.linux.err import err
from sysfsd.linux.fs.char_dev import MKDEV, major, minor
from sysfsd.linux.mm.memory import PAGE_SIZE, PageFault

if TYPE_CHECKING:
    from sysfsd.linux.block.genhd import Disks

__all__ = ["PartitionScan"]


class PartitionScan:
    """The partitions of the disks of one kernel."""

    def __init__(self, disks: Disks) -> None:
        self.disks = disks
        self.kernel = disks.kernel

    # Partitions

    def scan(self, disk: Disk) -> None:
        """``disk_scan_partitions()``: whoever serves the disk sees it opened, read and closed."""
        disk.view["state"] |= DiskState.NEED_PART_SCAN
        try:
            self.disks.bdev.open(disk.whole, READ + 1)
        except PageFault:
            raise
        except OSError:
            return
        self.disks.bdev.close(disk.whole, READ + 1)

    def rescan(self, disk: Disk) -> None:
        """``bdev_disk_changed()``."""
        kernel, whole = self.kernel, disk.whole
        disk.view["state"] &= ~DiskState.NEED_PART_SCAN
        if any(part.openers for part in disk.parts.values()):
            raise err(errno.EBUSY)
        for part in list(disk.parts.values()):
            self.delete_partition(part)
        if not whole.sectors:
            return
        reader = Reader(disk.name, whole.sectors, lambda sector: self._read_sector(whole, sector))
        state = check_partition(reader, kernel.log)
        if reader.beyond and state is None:
            kernel.log.pr_warn(f"{disk.name}: partition table beyond EOD, truncated")
            return
        for number, (start, sectors) in sorted((state or {}).items()):
            if start >= whole.sectors:
                kernel.log.pr_warn(f"{disk.name}: p{number} start {start} is beyond EOD, truncated")
                continue
            if start + sectors > whole.sectors:
                kernel.log.pr_warn(f"{disk.name}: p{number} size {sectors} extends beyond EOD, truncated")
                sectors = whole.sectors - start
            self._add_partition(disk, number, start, sectors)

    def _read_sector(self, part: Part, sector: int) -> bytes | None:
        """``read_part_sector()``."""
        page = sector * SECTOR // PAGE_SIZE
        try:
            self.disks.cache.fill_blocks(part, page)
        except PageFault:
            raise
        except OSError:
            return None
        return self.kernel.memory.read(part.pages[page] + sector * SECTOR % PAGE_SIZE, SECTOR)

    def _add_partition(self, disk: Disk, number: int, start: int, sectors: int) -> None:
        """``add_partition()``."""
        core = self.disks.core
        part = self.disks.bdev.alloc_bdev(disk, number)
        bdev = part.bdev
        bdev["bd_start_sect"], bdev["bd_nr_sectors"] = start, sectors
        bdev.to("bd_inode")["i_size"] = sectors * SECTOR
        device = bdev.sub("bd_device")
        above = disk.whole.bdev.sub("bd_device")
        name = core.name(above)
        core.set_name(device, f"{name}{'p' if name[-1:].isdigit() else ''}{number}".encode("latin-1"))
        core.device_initialize(device)
        device["class"], device["type"], device["parent"] = (
            self.disks.class_,
            self.disks.types["partition"],
            above.address,
        )
        if number < disk.view["minors"]:
            devt = MKDEV(disk.view["major"], disk.view["first_minor"] + number)
        else:
            devt = MKDEV(EXT_MAJOR, self.disks.bdev.ext_minor())
        device["devt"] = devt
        core.own_release[device.address] = lambda: self.disks.bdev.free_bdev(part)
        device["kobj.uevent_suppress"] = 1
        disk.parts[number] = part
        core.device_add(device)
        device["kobj.uevent_suppress"] = 0
        self.disks.bdev.bdev_add(part, devt)

    def delete_partition(self, part: Part) -> None:
        """``delete_partition()``."""
        device, devt = part.bdev.sub("bd_device"), part.devt
        self.disks.bdev.bdev_remove(part)
        self.disks.cache.drop_pages(part)
        part.disk.parts.pop(part.number, None)
        if major(devt) == EXT_MAJOR:
            self.disks.bdev.ext_minors.discard(minor(devt))
        self.disks.core.device_del(device)
        self.disks.core.put(device)
