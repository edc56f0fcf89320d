"""The limits of request queues (block/blk-settings.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.block.blk_types import SECTOR
from sysfsd.linux.mm.memory import PAGE_SIZE

if TYPE_CHECKING:
    from sysfsd.linux.block.genhd import Disks
    from sysfsd.linux.struct_view import StructView

__all__ = ["QueueLimits"]


class QueueLimits:
    """The limits of the request queues of one kernel."""

    def __init__(self, disks: Disks) -> None:
        self.disks = disks
        self.kernel = disks.kernel

    def default_limits(self, queue: StructView) -> None:
        """``blk_set_default_limits()``."""
        limits = queue.sub("limits")
        for member, value in {
            "seg_boundary_mask": 0xFFFFFFFF,
            "max_hw_sectors": 255,
            "max_sectors": 255,
            "max_segment_size": 65536,
            "max_segments": 128,
            "max_discard_segments": 1,
            "physical_block_size": SECTOR,
            "logical_block_size": SECTOR,
            "io_min": SECTOR,
            "dma_alignment": SECTOR - 1,
        }.items():
            limits[member] = value

    # Limits

    def round_sectors(self, queue: StructView, size: int) -> None:
        """``blk_queue_logical_block_size()``."""
        limits = queue.sub("limits")
        limits["logical_block_size"] = size
        limits["physical_block_size"] = max(limits["physical_block_size"], size)
        limits["io_min"] = max(limits["io_min"], limits["physical_block_size"])
        for member in ("max_hw_sectors", "max_sectors"):
            limits[member] = _round_down(limits[member], size // SECTOR)

    def max_hw_sectors(self, queue: StructView, count: int) -> None:
        """``blk_queue_max_hw_sectors()``."""
        limits = queue.sub("limits")
        if count < PAGE_SIZE // SECTOR:
            count = PAGE_SIZE // SECTOR
            self.kernel.log.pr_info(f"blk_queue_max_hw_sectors: set to minimum {count}")
        count = _round_down(count, limits["logical_block_size"] // SECTOR)
        limits["max_hw_sectors"] = count
        limits["max_sectors"] = _round_down(
            min(count, limits["max_dev_sectors"] or count, 2560), limits["logical_block_size"] // SECTOR
        )


def _round_down(value: int, unit: int) -> int:
    """``round_down()``: *unit* is believed to be a power of two."""
    return value & ~(max(unit, 1) - 1)
