"""Disks, their queues, and requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.kernel.block import Disks
from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.memory import PAGE_SIZE

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area(
    "block", "block/genhd.c, block/blk-mq.c, block/blk-settings.c, block/blk-core.c, block/bio.c, block/disk-events.c"
)

_WC, _FUA = 1 << 17, 1 << 18
_MEDIA_CHANGE, _EJECT_REQUEST = 1, 2
_ERRNOS = {0: 0, 1: -95, 2: -110, 3: -28, 4: -67, 5: -121, 6: -52, 7: -61, 8: -84, 9: -12, 10: -5, 12: -11, 13: -16}


def _disks(kernel: Kernel) -> Disks:
    return kernel.state(Disks)


# Tags


@export("int blk_mq_alloc_tag_set(struct blk_mq_tag_set *set)")
def blk_mq_alloc_tag_set(kernel: Kernel, set: StructView) -> int:
    _disks(kernel).alloc_tag_set(set)
    return 0


@export(
    "int blk_mq_alloc_sq_tag_set(struct blk_mq_tag_set *set, const struct blk_mq_ops *ops, unsigned int queue_depth,"
    " unsigned int set_flags)"
)
def blk_mq_alloc_sq_tag_set(kernel: Kernel, set: StructView, ops: StructView, queue_depth: int, set_flags: int) -> int:
    kernel.memory.write(set.address, bytes(set.struct.size))
    set["ops"], set["nr_hw_queues"], set["nr_maps"] = ops.address, 1, 1
    set["queue_depth"], set["numa_node"], set["flags"] = queue_depth, -1, set_flags
    _disks(kernel).alloc_tag_set(set)
    return 0


@export("void blk_mq_free_tag_set(struct blk_mq_tag_set *set)")
def blk_mq_free_tag_set(kernel: Kernel, set: StructView) -> None:
    _disks(kernel).free_tag_set(set)


# Disks


@export(
    "struct gendisk *__blk_mq_alloc_disk(struct blk_mq_tag_set *set, void *queuedata, struct lock_class_key *lkclass)"
)
def __blk_mq_alloc_disk(kernel: Kernel, set: StructView, queuedata: int, lkclass: int) -> StructView:
    return _disks(kernel).alloc(set["numa_node"], set, queuedata)


@export("struct gendisk *__blk_alloc_disk(int node, struct lock_class_key *lkclass)")
def __blk_alloc_disk(kernel: Kernel, node: int, lkclass: int) -> StructView | None:
    try:
        return _disks(kernel).alloc(node, None, 0)
    except OSError:
        return None


@export(
    "int device_add_disk(struct device *parent, struct gendisk *disk, const struct attribute_group **groups)",
)
def device_add_disk(kernel: Kernel, parent: StructView, disk: StructView, groups: int) -> int:
    _disks(kernel).add(parent.address, disk, groups)
    return 0


@export("void del_gendisk(struct gendisk *disk)")
def del_gendisk(kernel: Kernel, disk: StructView) -> None:
    _disks(kernel).delete(disk)


@export("void put_disk(struct gendisk *disk)")
def put_disk(kernel: Kernel, disk: StructView) -> None:
    _disks(kernel).put(disk)


@export("void set_capacity(struct gendisk *disk, sector_t sectors)")
def set_capacity(kernel: Kernel, disk: StructView, sectors: int) -> None:
    _disks(kernel).set_capacity(disk, sectors)


@export("bool set_capacity_and_notify(struct gendisk *disk, sector_t size)")
def set_capacity_and_notify(kernel: Kernel, disk: StructView, size: int) -> bool:
    return _disks(kernel).set_capacity_and_notify(disk, size)


@export("void set_disk_ro(struct gendisk *disk, bool read_only)")
def set_disk_ro(kernel: Kernel, disk: StructView, read_only: bool) -> None:
    _disks(kernel).set_read_only(disk, read_only)


# Limits


@export("void blk_queue_logical_block_size(struct request_queue *q, unsigned int size)")
def blk_queue_logical_block_size(kernel: Kernel, q: StructView, size: int) -> None:
    _disks(kernel).round_sectors(q, size)


@export("void blk_queue_physical_block_size(struct request_queue *q, unsigned int size)")
def blk_queue_physical_block_size(kernel: Kernel, q: StructView, size: int) -> None:
    q["limits.physical_block_size"] = max(size, q["limits.logical_block_size"])
    q["limits.io_min"] = max(q["limits.io_min"], q["limits.physical_block_size"])


@export("void blk_queue_io_min(struct request_queue *q, unsigned int min)")
def blk_queue_io_min(kernel: Kernel, q: StructView, least: int) -> None:
    q["limits.io_min"] = max(least, q["limits.logical_block_size"], q["limits.physical_block_size"])


@export("void blk_queue_max_hw_sectors(struct request_queue *q, unsigned int max_hw_sectors)")
def blk_queue_max_hw_sectors(kernel: Kernel, q: StructView, max_hw_sectors: int) -> None:
    _disks(kernel).max_hw_sectors(q, max_hw_sectors)


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


@export("void blk_queue_flag_set(unsigned int flag, struct request_queue *q)")
def blk_queue_flag_set(kernel: Kernel, flag: int, q: StructView) -> None:
    q["queue_flags"] |= 1 << flag


@export("void blk_queue_flag_clear(unsigned int flag, struct request_queue *q)")
def blk_queue_flag_clear(kernel: Kernel, flag: int, q: StructView) -> None:
    q["queue_flags"] &= ~(1 << flag)


@export("bool bdev_check_media_change(struct block_device *bdev)")
def bdev_check_media_change(kernel: Kernel, bdev: StructView) -> bool:
    disk = bdev.to("bd_disk")
    if not _disks(kernel).check_events(disk, _MEDIA_CHANGE | _EJECT_REQUEST) & _MEDIA_CHANGE:
        return False
    _disks(kernel).media_changed(disk)
    return True


@export("bool disk_force_media_change(struct gendisk *disk, unsigned int events)")
def disk_force_media_change(kernel: Kernel, disk: StructView, events: int) -> bool:
    _disks(kernel).force_media_change(disk, events)
    return bool(events & _MEDIA_CHANGE)


# Requests


@export("void blk_mq_start_request(struct request *rq)")
def blk_mq_start_request(kernel: Kernel, rq: StructView) -> None:
    _disks(kernel).start_request(rq)


@export("void blk_mq_end_request(struct request *rq, blk_status_t error)")
def blk_mq_end_request(kernel: Kernel, rq: StructView, error: int) -> None:
    _disks(kernel).end_request(rq, error)


@export("void __blk_mq_end_request(struct request *rq, blk_status_t error)")
def __blk_mq_end_request(kernel: Kernel, rq: StructView, error: int) -> None:
    _disks(kernel).finish_request(rq)


@export("bool blk_update_request(struct request *req, blk_status_t error, unsigned int nr_bytes)")
def blk_update_request(kernel: Kernel, req: StructView, error: int, nr_bytes: int) -> bool:
    return _disks(kernel).update_request(req, error, nr_bytes)


@export("void blk_mq_complete_request(struct request *rq)")
def blk_mq_complete_request(kernel: Kernel, rq: StructView) -> None:
    _disks(kernel).complete_request(rq)


@export("void blk_mq_requeue_request(struct request *rq, bool kick_requeue_list)")
def blk_mq_requeue_request(kernel: Kernel, rq: StructView, kick_requeue_list: bool) -> None:
    _disks(kernel).requeue(rq)


@export("void bio_endio(struct bio *bio)")
def bio_endio(kernel: Kernel, bio: StructView) -> None:
    _disks(kernel).bio_endio(bio)


@export("int blk_status_to_errno(blk_status_t status)")
def blk_status_to_errno(kernel: Kernel, status: int) -> int:
    return _ERRNOS.get(status, -5)
