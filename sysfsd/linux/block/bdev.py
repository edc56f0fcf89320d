"""Block devices: disks and partitions, opened and closed (block/bdev.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.block.blk_types import Disk, DiskState, Part
from sysfsd.linux.err import err
from sysfsd.linux.kernel.module.module import Module
from sysfsd.linux.lib.kobject import errors_ignored
from sysfsd.linux.mm.memory import PAGE_SIZE

if TYPE_CHECKING:
    from sysfsd.linux.block.genhd import Disks

__all__ = ["BlockDevices"]


class BlockDevices:
    """The block devices of one kernel."""

    def __init__(self, disks: Disks) -> None:
        self.disks = disks
        self.kernel = disks.kernel
        #: Disks and partitions that can be opened, by number.
        self.by_devt: dict[int, Part] = {}
        self.by_device: dict[int, Part] = {}
        self.ext_minors: set[int] = set()

    def alloc_bdev(self, disk: Disk, number: int) -> Part:
        """``bdev_alloc()``."""
        bdev, inode = self.disks.struct("block_device"), self.disks.struct("inode")
        bdev["bd_inode"], bdev["bd_disk"], bdev["bd_queue"] = inode.address, disk.view.address, disk.queue.address
        bdev["bd_partno"] = number
        inode["i_mode"], inode["i_blkbits"] = 0o060000, 9
        inode["i_mapping"] = inode.at("i_data")
        inode["i_data.host"] = inode.address
        part = Part(disk, bdev, number)
        self.by_device[bdev.at("bd_device")] = part
        return part

    def free_bdev(self, part: Part) -> None:
        self.by_device.pop(part.bdev.at("bd_device"), None)
        self.kernel.slab.kfree(part.bdev["bd_inode"])
        self.kernel.slab.kfree(part.bdev.address)

    def ext_minor(self) -> int:
        number = next(n for n in range(1 << 20) if n not in self.ext_minors)
        self.ext_minors.add(number)
        return number

    def bdev_add(self, part: Part, devt: int) -> None:
        part.bdev["bd_dev"] = devt
        inode = part.bdev.to("bd_inode")
        inode["i_rdev"] = devt
        inode["i_hash.pprev"] = inode.at("i_hash")
        self.by_devt[devt] = part

    def bdev_remove(self, part: Part) -> None:
        part.bdev.to("bd_inode")["i_hash.pprev"] = 0
        self.by_devt.pop(part.devt, None)

    # Opening

    def open(self, part: Part, mode: int) -> None:
        """``blkdev_get_by_dev()``.

        :param mode: FMODE_READ, FMODE_WRITE
        :raises OSError: ENXIO, and what the driver says
        """
        disk = part.disk
        owner = self._owner(disk)
        if owner is not None and not owner.try_module_get():
            raise err(errno.ENXIO)
        try:
            self._open_whole(disk, mode)
            if part.number:
                if not part.openers:
                    self._init_block_size(part)
                part.openers += 1
                part.bdev["bd_openers.counter"] = part.openers
        except OSError:
            if owner is not None:
                owner.module_put()
            raise

    def _owner(self, disk: Disk) -> Module | None:
        return self.kernel.modules.address(disk.owner) if disk.owner else None

    def _open_whole(self, disk: Disk, mode: int) -> None:
        """``blkdev_get_whole()``."""
        whole = disk.whole
        function = disk.view.to("fops")["open"]
        if function:
            ret = self.kernel.cpu.call(function, whole.bdev.address, mode)
            if ret:
                raise err(-ret)
        if not whole.openers:
            self._init_block_size(whole)
        if disk.view["state"] & DiskState.NEED_PART_SCAN:
            self.disks.partitions.rescan(disk)
        whole.openers += 1
        whole.bdev["bd_openers.counter"] = whole.openers

    def _init_block_size(self, part: Part) -> None:
        """``set_init_blocksize()``."""
        size, total = part.disk.queue["limits.logical_block_size"], part.size
        while size < PAGE_SIZE and not total & size:
            size <<= 1
        part.bdev.to("bd_inode")["i_blkbits"] = min(size, PAGE_SIZE).bit_length() - 1

    def close(self, part: Part, mode: int) -> None:
        """``blkdev_put()``."""
        disk = part.disk
        for closed in {part.number: part, 0: disk.whole}.values():
            if closed.openers == 1:
                with errors_ignored():
                    self.disks.cache.sync(closed)
            closed.openers -= 1
            closed.bdev["bd_openers.counter"] = closed.openers
            if not closed.openers:
                self.disks.cache.drop_pages(closed)
        function = disk.view.to("fops")["release"]
        if function:
            self.kernel.cpu.call(function, disk.view.address, mode)
        owner = self._owner(disk)
        if owner is not None:
            owner.module_put()
