"""Open block devices: reading and writing them through pages (block/fops.c, mm/filemap.c, mm/readahead.c)."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.linux.block.blk_types import NONROT, SECTOR, Part
from sysfsd.linux.block.genhd import Disks
from sysfsd.linux.err import err
from sysfsd.linux.mm.memory import PAGE_SIZE
from sysfsd.linux.mm.uaccess import Uaccess

if TYPE_CHECKING:
    from sysfsd.linux.mm.uaccess import UserSpace
    from sysfsd.linux.system import Kernel

__all__ = ["BlockFile", "blkdev_open"]

_FMODE_READ, _FMODE_WRITE = 1, 2
_BLKFLSBUF, _HDIO_GETGEO = 0x1261, 0x0301
_ENOIOCTLCMD: Final = 515


def _limit(member: str) -> Callable[[Disks, Part], int]:
    return lambda disks, part: part.disk.queue[f"limits.{member}"]


#: Requests of ioctl(2) that ask for a number: its bytes, and where it comes from (include/uapi/linux/fs.h).
_VALUES: Final[dict[int, tuple[int, Callable[[Disks, Part], int]]]] = {
    0x125E: (4, lambda disks, part: int(disks.read_only(part))),  # BLKROGET
    0x1260: (8, lambda disks, part: part.sectors),  # BLKGETSIZE
    0x1263: (8, lambda disks, part: disks.bdi.read_ahead(part.disk) * PAGE_SIZE // SECTOR),  # BLKRAGET
    0x1267: (2, _limit("max_sectors")),  # BLKSECTGET
    0x1268: (4, _limit("logical_block_size")),  # BLKSSZGET
    0x1278: (4, _limit("io_min")),  # BLKIOMIN
    0x1279: (4, _limit("io_opt")),  # BLKIOOPT
    0x127A: (4, lambda disks, part: 0),  # BLKALIGNOFF
    0x127B: (4, _limit("physical_block_size")),  # BLKPBSZGET
    0x127E: (2, lambda disks, part: int(not part.disk.queue["queue_flags"] & NONROT)),  # BLKROTATIONAL
    0x80081270: (4, lambda disks, part: part.block_size),  # BLKBSZGET
    0x80081272: (8, lambda disks, part: part.size),  # BLKGETSIZE64
    0x80081280: (8, lambda disks, part: part.disk.view["diskseq"]),  # BLKGETDISKSEQ
}


def blkdev_open(kernel: Kernel, devt: int, flags: int) -> BlockFile:
    """``blkdev_open()``.

    :raises OSError: ENXIO where there is no such device, and what its driver says
    """
    disks = kernel.state(Disks)
    part = disks.bdev.by_devt.get(devt)
    if part is None:
        raise err(errno.ENXIO)
    mode = (flags & os.O_ACCMODE) + 1 & (_FMODE_READ | _FMODE_WRITE)
    disks.bdev.open(part, mode)
    return BlockFile(disks, part, mode)


class BlockFile:
    """``struct file`` of a block device."""

    def __init__(self, disks: Disks, part: Part, mode: int) -> None:
        self._disks = disks
        self._kernel: Final = disks.kernel
        self._part = part
        self._mode = mode
        #: Called when it is closed.
        self.released: Callable[[], None] = lambda: None
        # What is read ahead: first page, how many, how many of them before they are wanted; the page last read.
        self._start = self._size = self._async_size = 0
        self._previous = -1
        #: Pages at which more is to be read ahead.
        self._marked: set[int] = set()

    @property
    def _ahead(self) -> int:
        return self._disks.bdi.read_ahead(self._part.disk)

    def read(self, size: int, offset: int) -> bytes:
        """``blkdev_read_iter()``.

        :raises OSError: EIO and the like
        """
        with self._kernel.lock:
            part = self._part
            size = min(size, max(0, part.size - offset))
            first, last = offset // PAGE_SIZE, -(-(offset + size) // PAGE_SIZE)
            data = b""
            for number in range(first, last):
                if number not in part.pages or not part.uptodate[number]:
                    self._readahead(number, last - number, False)
                    self._disks.cache.fill_blocks(part, number)
                elif number in self._marked:
                    self._marked.discard(number)
                    self._readahead(number, last - number, True)
                data += self._kernel.memory.read(part.pages[number], PAGE_SIZE)
                self._previous = number
            start = offset - first * PAGE_SIZE
            return data[start : start + size]

    def _initial(self, wanted: int, most: int) -> int:
        """``get_init_ra_size()``."""
        size = 1 << (wanted - 1).bit_length()
        return size * 4 if size <= most // 32 else size * 2 if size <= most // 4 else most

    def _next(self, most: int) -> int:
        """``get_next_ra_size()``."""
        size = self._size
        return 4 * size if size < most // 16 else 2 * size if size <= most // 2 else most

    def _readahead(self, number: int, wanted: int, marked: bool) -> None:
        """``ondemand_readahead()``: read page *number*, and what will be wanted after it."""
        most = self._ahead
        if number and number in (self._start + self._size - self._async_size, self._start + self._size):
            self._start += self._size
            self._size = self._async_size = self._next(most)
        elif number and marked:
            missing = number + 1
            while missing in self._part.pages:
                missing += 1
            self._start, self._size = missing, missing - number + wanted
            self._size = self._async_size = self._next(most)
        elif number == 0 or wanted > most or number - self._previous <= 1:
            self._start, self._size = number, self._initial(wanted, most)
            self._async_size = self._size - wanted if self._size > wanted else self._size
        else:
            self._fetch(number, min(wanted, max(most, 1)))
            return
        if number == self._start and self._size == self._async_size:
            more = self._next(most)
            if self._size + more <= most:
                self._async_size = more
                self._size += more
            else:
                self._size, self._async_size = most, most >> 1
        self._fetch(self._start, self._size)
        self._marked.add(self._start + self._size - self._async_size)

    def _fetch(self, start: int, count: int) -> None:
        """``do_page_cache_ra()``."""
        part = self._part
        last = -(-part.size // PAGE_SIZE)
        numbers = [n for n in range(start, min(start + count, last)) if not part.uptodate.get(n)]
        self._disks.cache.read_pages(part, numbers)

    def write(self, data: bytes, offset: int) -> int:
        """``blkdev_write_iter()``.

        :raises OSError: EPERM where the device may only be read, ENOSPC at its end, EIO and the like
        """
        with self._kernel.lock:
            part, disks = self._part, self._disks
            if disks.read_only(part):
                raise err(errno.EPERM)
            if offset >= part.size:
                raise err(errno.ENOSPC)
            data = data[: part.size - offset]
            size = part.block_size
            done = 0
            while done < len(data):
                at = offset + done
                number, within = divmod(at, PAGE_SIZE)
                piece = data[done : done + PAGE_SIZE - within]
                first, last = within // size, (within + len(piece) - 1) // size
                disks.cache.page(part, number)
                partial = (1 << first if within % size else 0) | (1 << last if (within + len(piece)) % size else 0)
                disks.cache.fill_blocks(part, number, partial)
                self._kernel.memory.write(part.pages[number] + within, piece)
                bits = (1 << last + 1) - (1 << first)
                part.uptodate[number] |= bits
                part.dirty[number] |= bits
                done += len(piece)
            return done

    def fsync(self, datasync: bool) -> None:
        """``blkdev_fsync()``.

        :raises OSError: EIO and the like
        """
        with self._kernel.lock:
            self._disks.cache.sync(self._part)

    def ioctl(self, cmd: int, arg: int, space: UserSpace, compat: bool = False) -> int:
        """``blkdev_ioctl()``.

        :param arg: a number, or an address in *space*
        :raises OSError: ENOTTY, EFAULT, and what the driver says
        """
        kernel, part = self._kernel, self._part
        cmd &= 0xFFFFFFFF
        with kernel.lock, kernel.state(Uaccess).using(space):
            value = _VALUES.get(cmd)
            if value is not None:
                size, get = value
                data = (get(self._disks, part) & (1 << 8 * size) - 1).to_bytes(size, "little")
                if space.write(arg, data) < size:
                    raise err(errno.EFAULT)
                return 0
            if cmd == _BLKFLSBUF:
                self._disks.cache.sync(part)
                return 0
            return self._own_ioctl(cmd, arg, compat)

    def _own_ioctl(self, cmd: int, arg: int, compat: bool) -> int:
        """What the driver itself knows."""
        kernel, part = self._kernel, self._part
        fops = part.disk.view.to("fops")
        if cmd == _HDIO_GETGEO:
            return self._geometry(fops["getgeo"], arg)
        function = fops["compat_ioctl" if compat else "ioctl"]
        if not function:
            raise err(errno.ENOTTY)
        ret = kernel.cpu.call(function, part.bdev.address, self._mode, cmd, arg)
        if ret < 0:
            raise err(errno.ENOTTY if ret == -_ENOIOCTLCMD else -ret)
        return ret

    def _geometry(self, getgeo: int, arg: int) -> int:
        """``blkdev_getgeo()``."""
        kernel, part = self._kernel, self._part
        if not getgeo:
            raise err(errno.ENOTTY)
        geometry = kernel.struct("hd_geometry", kernel.slab.kmalloc(kernel.image.structs["hd_geometry"].size))
        try:
            geometry["start"] = part.start
            ret = kernel.cpu.call(getgeo, part.bdev.address, geometry.address)
            if ret:
                raise err(-ret)
            data = kernel.memory.read(geometry.address, geometry.struct.size)
            if kernel.state(Uaccess).copy_to_user(arg, data):
                raise err(errno.EFAULT)
            return 0
        finally:
            kernel.slab.kfree(geometry.address)

    def release(self) -> None:
        with self._kernel.lock:
            self._disks.bdev.close(self._part, self._mode)
        self.released()
