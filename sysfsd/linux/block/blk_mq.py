"""Requests of drivers with one queue or several (block/blk-mq.c).

Requests are made one after another, and whoever wants one waits for it.
"""

from __future__ import annotations

import errno
import time
from typing import TYPE_CHECKING, Final

from sysfsd.linux.block.blk_types import SECTOR, Disk, Part
from sysfsd.linux.err import err
from sysfsd.linux.lib.list import INIT_LIST_HEAD
from sysfsd.linux.mm.percpu import NR_CPUS

if TYPE_CHECKING:
    from sysfsd.linux.block.genhd import Disks
    from sysfsd.linux.struct_view import StructView

__all__ = ["MultiQueue"]

_MAX_DEPTH: Final = 10240
_HCTX_MAX_TYPES: Final = 3
_STS_OK, _STS_IOERR, _STS_RESOURCE, _STS_DEV_RESOURCE = 0, 10, 9, 13
_RQ_IDLE, _RQ_IN_FLIGHT, _RQ_COMPLETE = 0, 1, 2


class MultiQueue:
    """The tag sets and requests of one kernel."""

    def __init__(self, disks: Disks) -> None:
        self.disks = disks
        self.kernel = disks.kernel
        #: Tags in use, by tag set.
        self._tags: dict[int, set[int]] = {}

    # Tags

    def alloc_tag_set(self, tags: StructView) -> None:
        """``blk_mq_alloc_tag_set()``.

        :raises OSError: EINVAL, ENOMEM, and what the driver's ``init_request`` says
        """
        kernel, ops = self.kernel, tags.to("ops")
        depth = tags["queue_depth"]
        bad = not tags["nr_hw_queues"] or not depth or depth < tags["reserved_tags"] + 1
        if bad or not ops["queue_rq"] or bool(ops["get_budget"]) != bool(ops["put_budget"]):
            raise err(errno.EINVAL)
        if depth > _MAX_DEPTH:
            kernel.log.pr_info(f"blk-mq: reduced tag depth to {_MAX_DEPTH}")
            tags["queue_depth"] = _MAX_DEPTH
        tags["nr_maps"] = tags["nr_maps"] or 1
        if tags["nr_maps"] > _HCTX_MAX_TYPES:
            raise err(errno.EINVAL)
        if tags["nr_maps"] == 1:
            tags["nr_hw_queues"] = min(tags["nr_hw_queues"], NR_CPUS)
        for index in range(tags["nr_maps"]):
            queue_map = kernel.struct("blk_mq_queue_map", tags.at("map") + 16 * index)
            queue_map["mq_map"] = kernel.slab.kmalloc(4 * NR_CPUS)
            queue_map["nr_queues"] = tags["nr_hw_queues"]
        INIT_LIST_HEAD(kernel.memory, tags.at("tag_list"))
        tags["tags"] = kernel.slab.kmalloc(8 * tags["nr_hw_queues"])
        for index in range(tags["nr_hw_queues"]):
            view = self.disks.struct("blk_mq_tags")
            view["nr_tags"], view["nr_reserved_tags"] = tags["queue_depth"], tags["reserved_tags"]
            view["rqs"] = kernel.slab.kmalloc(8 * tags["queue_depth"])
            view["static_rqs"] = kernel.slab.kmalloc(8 * tags["queue_depth"])
            kernel.memory.write_pointer(tags["tags"] + 8 * index, view.address)
            if ops["init_request"]:
                for tag in range(tags["queue_depth"]):
                    self._static_request(tags, view, tag, index)

    def _static_request(self, tags: StructView, view: StructView, tag: int, index: int) -> int:
        """A request of the tag set, which its driver prepares once."""
        kernel = self.kernel
        where = view["static_rqs"] + 8 * tag
        found = kernel.memory.read_pointer(where)
        if not found:
            found = kernel.slab.kmalloc(kernel.image.structs["request"].size + tags["cmd_size"])
            kernel.memory.write_pointer(where, found)
            init = tags.to("ops")["init_request"]
            if init:
                ret = kernel.cpu.call(init, tags.address, found, index, tags["numa_node"])
                if ret:
                    raise err(-ret)
        return found

    def free_tag_set(self, tags: StructView) -> None:
        """``blk_mq_free_tag_set()``."""
        kernel, memory = self.kernel, self.kernel.memory
        exit_ = tags.to("ops")["exit_request"]
        for index in range(tags["nr_hw_queues"] if tags["tags"] else 0):
            view = kernel.struct("blk_mq_tags", memory.read_pointer(tags["tags"] + 8 * index))
            for tag in range(view["nr_tags"]):
                request = memory.read_pointer(view["static_rqs"] + 8 * tag)
                if request:
                    if exit_:
                        kernel.cpu.call(exit_, tags.address, request, index)
                    kernel.slab.kfree(request)
            for member in ("rqs", "static_rqs"):
                kernel.slab.kfree(view[member])
            kernel.slab.kfree(view.address)
        kernel.slab.kfree(tags["tags"])
        tags["tags"] = 0
        self._tags.pop(tags.address, None)
        for index in range(tags["nr_maps"]):
            queue_map = kernel.struct("blk_mq_queue_map", tags.at("map") + 16 * index)
            kernel.slab.kfree(queue_map["mq_map"])
            queue_map["mq_map"] = 0

    def init_hctx(self, disk: Disk, tags: StructView) -> None:
        kernel, queue = self.kernel, disk.queue
        hctx = self.disks.struct("blk_mq_hw_ctx")
        INIT_LIST_HEAD(kernel.memory, hctx.at("dispatch"))
        hctx["queue"], hctx["flags"], hctx["numa_node"] = queue.address, tags["flags"], tags["numa_node"] & 0xFFFFFFFF
        hctx["tags"] = kernel.memory.read_pointer(tags["tags"])
        disk.hctx = hctx.address
        init = tags.to("ops")["init_hctx"]
        if init:
            ret = kernel.cpu.call(init, hctx.address, tags["driver_data"], 0)
            if ret:
                raise err(errno.ENOMEM)

    def run_request(self, part: Part, bio: StructView, way: int, size: int) -> None:
        """``blk_mq_dispatch_rq_list()``, of one request."""
        kernel, disk = self.kernel, part.disk
        assert disk.set is not None
        view = kernel.struct("blk_mq_tags", kernel.memory.read_pointer(disk.set["tags"]))
        used = self._tags.setdefault(disk.set.address, set())
        self.disks.io.wait(lambda: len(used) < view["nr_tags"])
        tag = next(n for n in range(view["nr_tags"]) if n not in used)
        rq = kernel.struct("request", self._static_request(disk.set, view, tag, 0))
        used.add(tag)
        try:
            rq["q"], rq["mq_hctx"], rq["cmd_flags"] = disk.queue.address, disk.hctx, way
            rq["rq_flags"], rq["tag"], rq["internal_tag"] = 1 << 13, tag, tag if disk.scheduler != "none" else -1
            rq["__data_len"], rq["__sector"] = size, bio["bi_iter.bi_sector"]
            rq["bio"] = rq["biotail"] = bio.address
            rq["nr_phys_segments"], rq["state"], rq["part"] = bio["bi_vcnt"], _RQ_IDLE, part.bdev.address
            rq["ref.counter"], rq["end_io"] = 1, 0
            kernel.memory.write_pointer(view["rqs"] + 8 * tag, rq.address)
            self.disks.io.pending.add(rq.address)
            self._queue_rq(disk, rq)
            self.disks.io.wait(lambda: rq.address not in self.disks.io.pending)
        finally:
            self.disks.io.pending.discard(rq.address)
            used.discard(tag)

    def _queue_rq(self, disk: Disk, rq: StructView) -> None:
        kernel, ops = self.kernel, disk.queue.to("mq_ops")
        while True:
            data = self.disks.struct("blk_mq_queue_data")
            data["rq"], data["last"] = rq.address, 1
            try:
                status = kernel.cpu.call(ops["queue_rq"], disk.hctx, data.address) & 0xFF
            finally:
                kernel.slab.kfree(data.address)
            if status not in (_STS_RESOURCE, _STS_DEV_RESOURCE):
                break
            kernel.sched.sleep(0.003)
            if kernel.sched.ended():
                raise err(errno.EIO)
        if status:
            self.end_request(rq, status)

    def update_request(self, rq: StructView, status: int, size: int) -> bool:
        """``blk_update_request()``.

        :returns: whether there is more of it to do
        """
        if not rq["bio"]:
            return False
        bio = rq.to("bio")
        if status:
            bio["bi_status"] = status
        done = min(size, bio["bi_iter.bi_size"])
        self._advance(bio, done)
        rq["__data_len"] -= done
        rq["__sector"] += done // SECTOR
        if bio["bi_iter.bi_size"]:
            return True
        rq["bio"] = 0
        rq["__data_len"] = 0
        return False

    def _advance(self, bio: StructView, size: int) -> None:
        """``bio_advance()``."""
        bio["bi_iter.bi_sector"] += size // SECTOR
        bio["bi_iter.bi_size"] -= size
        done, index = bio["bi_iter.bi_bvec_done"] + size, bio["bi_iter.bi_idx"]
        while index < bio["bi_vcnt"]:
            length = self.kernel.struct("bio_vec", bio["bi_io_vec"] + 16 * index)["bv_len"]
            if done < length:
                break
            done, index = done - length, index + 1
        bio["bi_iter.bi_bvec_done"], bio["bi_iter.bi_idx"] = done, index

    def end_request(self, rq: StructView, status: int) -> None:
        """``blk_mq_end_request()``."""
        if self.update_request(rq, status, rq["__data_len"]):
            self.kernel.traps.bug_here("block/blk-mq.c", 1052)
        self.finish_request(rq)

    def finish_request(self, rq: StructView) -> None:
        """``__blk_mq_end_request()``."""
        rq["state"] = _RQ_IDLE
        self.disks.io.pending.discard(rq.address)

    def start_request(self, rq: StructView) -> None:
        """``blk_mq_start_request()``."""
        if rq["state"] != _RQ_IDLE:
            self.kernel.traps.warn_here("block/blk-mq.c", 1231)
        rq["state"] = _RQ_IN_FLIGHT

    def complete_request(self, rq: StructView) -> None:
        """``blk_mq_complete_request()``."""
        rq["state"] = _RQ_COMPLETE
        complete = rq.to("q").to("mq_ops")["complete"]
        if complete:
            self.kernel.softirq.soon(rq.address, lambda: self._complete(complete, rq.address))

    def _complete(self, function: int, rq: int) -> None:
        self.kernel.cpu.call(function, rq)

    def requeue(self, rq: StructView) -> None:
        """``blk_mq_requeue_request()``."""
        rq["state"] = _RQ_IDLE
        disk = self.disks.by_queue[rq["q"]]
        deadline = time.monotonic() + 0.003
        self.kernel.softirq.arm(rq.address, deadline, lambda: self._queue_rq(disk, rq))
