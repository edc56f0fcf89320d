"""Pages of block devices in memory, and the blocks that they hold (fs/buffer.c, fs/mpage.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.block.blk_types import READ, SECTOR, WRITE, Part
from sysfsd.linux.mm.memory import PAGE_SIZE

if TYPE_CHECKING:
    from sysfsd.linux.block.genhd import Disks

__all__ = ["PageCache"]


class PageCache:
    """The pages of the block devices of one kernel."""

    def __init__(self, disks: Disks) -> None:
        self.disks = disks
        self.kernel = disks.kernel

    # Pages

    def page(self, part: Part, number: int) -> int:
        """The address of a page, which is empty if it is new."""
        found = part.pages.get(number)
        if found is None:
            found = part.pages[number] = self.kernel.memory.alloc_pages(PAGE_SIZE)
            part.uptodate[number] = part.dirty[number] = 0
        return found

    def blocks(self, part: Part) -> int:
        """How many there are in a page."""
        return PAGE_SIZE // part.block_size

    def fill_blocks(self, part: Part, number: int, wanted: int = -1) -> None:
        """``block_read_full_folio()``: read those blocks of a page that are not there, each by itself.

        :param wanted: a bit for each block
        :raises OSError: EIO and the like
        """
        address, size = self.page(part, number), part.block_size
        for index in range(self.blocks(part)):
            at = number * PAGE_SIZE + index * size
            if part.uptodate[number] >> index & 1 or not wanted >> index & 1:
                continue
            if at < part.size:
                self.disks.io.transfer(part, READ, at // SECTOR, [(address + index * size, size)])
            part.uptodate[number] |= 1 << index

    def read_pages(self, part: Part, numbers: list[int]) -> None:
        """``mpage_readahead()``: read whole pages that are not there, those side by side at once.

        :raises OSError: EIO and the like
        """
        full = (1 << self.blocks(part)) - 1
        run: list[int] = []
        for number in [*numbers, -1]:
            whole = number >= 0 and (number + 1) * PAGE_SIZE <= part.size
            if run and (not whole or number != run[-1] + 1):
                self.disks.io.transfer(
                    part, READ, run[0] * PAGE_SIZE // SECTOR, [(self.page(part, n), PAGE_SIZE) for n in run]
                )
                for done in run:
                    part.uptodate[done] = full
                run = []
            if whole:
                run.append(number)
            elif number >= 0:
                self.fill_blocks(part, number)

    def sync(self, part: Part) -> None:
        """``sync_blockdev()``: write what has been changed.

        :raises OSError: EIO and the like
        """
        size = part.block_size
        run: list[tuple[int, int]] = []
        start = -1
        for number in sorted(n for n, dirty in part.dirty.items() if dirty):
            for index in range(self.blocks(part)):
                if not part.dirty[number] >> index & 1:
                    continue
                at = number * PAGE_SIZE + index * size
                if run and start + sum(length for _address, length in run) != at:
                    self.disks.io.transfer(part, WRITE, start // SECTOR, run)
                    run = []
                start = start if run else at
                run.append((part.pages[number] + index * size, size))
            part.dirty[number] = 0
        if run:
            self.disks.io.transfer(part, WRITE, start // SECTOR, run)

    def drop_pages(self, part: Part) -> None:
        """``kill_bdev()``."""
        for address in part.pages.values():
            self.kernel.memory.free_pages(address)
        for pages in (part.pages, part.uptodate, part.dirty):
            pages.clear()
