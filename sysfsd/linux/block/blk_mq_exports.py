"""Requests of multi-queue block drivers: tag sets, starting, ending."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.block.genhd_exports import disks
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("block/blk-mq.c")


# Tags


@export("int blk_mq_alloc_tag_set(struct blk_mq_tag_set *set)")
def blk_mq_alloc_tag_set(kernel: Kernel, set: StructView) -> int:
    disks(kernel).mq.alloc_tag_set(set)
    return 0


@export(
    "int blk_mq_alloc_sq_tag_set(struct blk_mq_tag_set *set, const struct blk_mq_ops *ops, unsigned int queue_depth,"
    " unsigned int set_flags)"
)
def blk_mq_alloc_sq_tag_set(kernel: Kernel, set: StructView, ops: StructView, queue_depth: int, set_flags: int) -> int:
    kernel.memory.write(set.address, bytes(set.struct.size))
    set["ops"], set["nr_hw_queues"], set["nr_maps"] = ops.address, 1, 1
    set["queue_depth"], set["numa_node"], set["flags"] = queue_depth, -1, set_flags
    disks(kernel).mq.alloc_tag_set(set)
    return 0


@export("void blk_mq_free_tag_set(struct blk_mq_tag_set *set)")
def blk_mq_free_tag_set(kernel: Kernel, set: StructView) -> None:
    disks(kernel).mq.free_tag_set(set)


# Disks


@export(
    "struct gendisk *__blk_mq_alloc_disk(struct blk_mq_tag_set *set, void *queuedata, struct lock_class_key *lkclass)"
)
def __blk_mq_alloc_disk(kernel: Kernel, set: StructView, queuedata: int, lkclass: StructView) -> StructView:
    return disks(kernel).alloc(set["numa_node"], set, queuedata)


# Requests


@export("void blk_mq_start_request(struct request *rq)")
def blk_mq_start_request(kernel: Kernel, rq: StructView) -> None:
    disks(kernel).mq.start_request(rq)


@export("void blk_mq_end_request(struct request *rq, blk_status_t error)")
def blk_mq_end_request(kernel: Kernel, rq: StructView, error: int) -> None:
    disks(kernel).mq.end_request(rq, error)


@export("void __blk_mq_end_request(struct request *rq, blk_status_t error)")
def __blk_mq_end_request(kernel: Kernel, rq: StructView, error: int) -> None:
    disks(kernel).mq.finish_request(rq)


@export("bool blk_update_request(struct request *req, blk_status_t error, unsigned int nr_bytes)")
def blk_update_request(kernel: Kernel, req: StructView, error: int, nr_bytes: int) -> bool:
    return disks(kernel).mq.update_request(req, error, nr_bytes)


@export("void blk_mq_complete_request(struct request *rq)")
def blk_mq_complete_request(kernel: Kernel, rq: StructView) -> None:
    disks(kernel).mq.complete_request(rq)


@export("void blk_mq_requeue_request(struct request *rq, bool kick_requeue_list)")
def blk_mq_requeue_request(kernel: Kernel, rq: StructView, kick_requeue_list: bool) -> None:
    disks(kernel).mq.requeue(rq)
