"""The limits of request queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.block.genhd_exports import disks
from sysfsd.linux.exports import Area
from sysfsd.linux.mm.memory import PAGE_SIZE

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("block/blk-settings.c")

_WC, _FUA = 1 << 17, 1 << 18


# Limits


@export("void blk_queue_logical_block_size(struct request_queue *q, unsigned int size)")
def blk_queue_logical_block_size(kernel: Kernel, q: StructView, size: int) -> None:
    disks(kernel).limits.round_sectors(q, size)


@export("void blk_queue_physical_block_size(struct request_queue *q, unsigned int size)")
def blk_queue_physical_block_size(kernel: Kernel, q: StructView, size: int) -> None:
    q["limits.physical_block_size"] = max(size, q["limits.logical_block_size"])
    q["limits.io_min"] = max(q["limits.io_min"], q["limits.physical_block_size"])


@export("void blk_queue_io_min(struct request_queue *q, unsigned int min)")
def blk_queue_io_min(kernel: Kernel, q: StructView, least: int) -> None:
    q["limits.io_min"] = max(least, q["limits.logical_block_size"], q["limits.physical_block_size"])


@export("void blk_queue_max_hw_sectors(struct request_queue *q, unsigned int max_hw_sectors)")
def blk_queue_max_hw_sectors(kernel: Kernel, q: StructView, max_hw_sectors: int) -> None:
    disks(kernel).limits.max_hw_sectors(q, max_hw_sectors)


@export("void blk_queue_max_segments(struct request_queue *q, unsigned short max_segments)")
def blk_queue_max_segments(kernel: Kernel, q: StructView, max_segments: int) -> None:
    if not max_segments:
        max_segments = 1
        kernel.log.pr_info(f"blk_queue_max_segments: set to minimum {max_segments}")
    q["limits.max_segments"] = max_segments


@export("void blk_queue_max_segment_size(struct request_queue *q, unsigned int max_size)")
def blk_queue_max_segment_size(kernel: Kernel, q: StructView, max_size: int) -> None:
    if max_size < PAGE_SIZE:
        max_size = PAGE_SIZE
        kernel.log.pr_info(f"blk_queue_max_segment_size: set to minimum {max_size}")
    q["limits.max_segment_size"] = max_size


def _setter(name: str, type_: str, *members: str) -> None:
    """A function that does nothing but set limits."""

    @export(f"void {name}(struct request_queue *q, {type_} value)")
    def set_limit(kernel: Kernel, q: StructView, value: int) -> None:
        for member in members:
            q[f"limits.{member}"] = value


_setter("blk_queue_io_opt", "unsigned int", "io_opt")

_setter("blk_queue_chunk_sectors", "unsigned int", "chunk_sectors")

_setter("blk_queue_dma_alignment", "int", "dma_alignment")

_setter("blk_queue_segment_boundary", "unsigned long", "seg_boundary_mask")

_setter("blk_queue_max_discard_sectors", "unsigned int", "max_hw_discard_sectors", "max_discard_sectors")

_setter("blk_queue_max_discard_segments", "unsigned short", "max_discard_segments")

_setter("blk_queue_max_write_zeroes_sectors", "unsigned int", "max_write_zeroes_sectors")

_setter("blk_queue_max_secure_erase_sectors", "unsigned int", "max_secure_erase_sectors")


@export("void blk_queue_virt_boundary(struct request_queue *q, unsigned long mask)")
def blk_queue_virt_boundary(kernel: Kernel, q: StructView, mask: int) -> None:
    q["limits.virt_boundary_mask"] = mask
    if mask:
        q["limits.max_segment_size"] = 0xFFFFFFFF


@export("void blk_queue_rq_timeout(struct request_queue *q, unsigned int timeout)")
def blk_queue_rq_timeout(kernel: Kernel, q: StructView, timeout: int) -> None:
    q["rq_timeout"] = timeout


@export("void blk_queue_write_cache(struct request_queue *q, bool wc, bool fua)")
def blk_queue_write_cache(kernel: Kernel, q: StructView, wc: bool, fua: bool) -> None:
    q["queue_flags"] = q["queue_flags"] & ~(_WC | _FUA) | (_WC if wc else 0) | (_FUA if fua else 0)
