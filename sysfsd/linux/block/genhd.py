"""Disks: their queues, what they show in /sys/block, and the requests that their drivers are given.

Follows block/genhd.c, block/blk-mq.c, block/blk-settings.c, block/blk-sysfs.c and block/bdev.c. Requests are made one
after another, and whoever wants one waits for it.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from sysfsd.linux.block.partitions import Reader, check_partition
from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.err import err
from sysfsd.linux.fs.char_dev import MKDEV, major, minor
from sysfsd.linux.kernel.module.module import Module
from sysfsd.linux.lib.kobject import SysfsDirectory, SysfsLink, errors_ignored
from sysfsd.linux.lib.kstrtox import INT_TYPES, kstrto
from sysfsd.linux.lib.list import INIT_LIST_HEAD, list_add_tail, list_del
from sysfsd.linux.lib.vsprintf import vsscanf
from sysfsd.linux.mm.memory import DIRECT_MAP, PAGE_SIZE, STRUCT_PAGE, VMEMMAP, PageFault
from sysfsd.linux.mm.percpu import NR_CPUS

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = ["NONROT", "READ", "SECTOR", "WRITE", "Disk", "DiskState", "Disks", "Part"]

SECTOR: Final = 512
READ, WRITE = 0, 1
_MAX_PARTS: Final = 256
_MAX_DEPTH: Final = 10240
_DEFAULT_RQ: Final = 128
_HCTX_MAX_TYPES: Final = 3
_EXT_MAJOR: Final = 259
_NO_PART, _HIDDEN, _REMOVABLE = 1 << 2, 1 << 1, 1 << 0
_STS_OK, _STS_IOERR, _STS_RESOURCE, _STS_DEV_RESOURCE = 0, 10, 9, 13
_RQ_IDLE, _RQ_IN_FLIGHT, _RQ_COMPLETE = 0, 1, 2
#: How often one looks whether a request has been completed, and asks a driver again that had no room (seconds).
_POLL: Final = 0.0005
_STATUS_ERRORS: Final = {
    1: errno.EOPNOTSUPP, 2: errno.ETIMEDOUT, 3: errno.ENOSPC, 4: errno.ENOLINK, 5: errno.EREMOTEIO, 6: errno.EBADE,
    7: errno.ENODATA, 8: errno.EILSEQ, 9: errno.ENOMEM, 10: errno.EIO, 12: errno.EAGAIN, 13: errno.EBUSY,
}  # fmt: skip
_STATUS_NAMES: Final = {
    1: "operation not supported", 2: "timeout", 3: "critical space allocation", 4: "recoverable transport",
    5: "critical target", 6: "reservation conflict", 7: "critical medium", 8: "protection", 9: "kernel resource",
    10: "I/O", 12: "nonblocking retry", 13: "device resource",
}  # fmt: skip
#: What disks may tell of, by bit: in an event, in the file ``events``.
_EVENTS: Final = ((b"MEDIA_CHANGE", b"media_change"), (b"EJECT_REQUEST", b"eject_request"))
_EVENT_MEDIA_CHANGE: Final = 1
_EVENT_FLAG_UEVENT: Final = 1 << 1
_OPERATIONS: Final = {0: "READ", 1: "WRITE", 2: "FLUSH", 3: "DISCARD"}


class DiskState:
    """Bits of ``disk->state``."""

    NEED_PART_SCAN: Final = 1 << 0
    READ_ONLY: Final = 1 << 1
    DEAD: Final = 1 << 2
    NATIVE_CAPACITY: Final = 1 << 3
    ADDED: Final = 1 << 4
    SUPPRESS_PART_SCAN: Final = 1 << 5
    OWNS_QUEUE: Final = 1 << 6


# Bits of ``queue->queue_flags``.
NONROT, _IO_STAT, _ADD_RANDOM, _WC, _FUA, _STABLE_WRITES = (1 << 6, 1 << 7, 1 << 10, 1 << 17, 1 << 18, 1 << 15)
_NOMERGES, _SAME_COMP = 1 << 3, 1 << 4
_QUEUE_NEW: Final = 0x20000090
_QUEUE_ADDED: Final = 0x40504000
_QUEUE_REGISTERED, _SQ_SCHED, _QUEUE_DYING = 1 << 22, 1 << 30, 1 << 1


@dataclass(eq=False)
class Stats:
    """What has been done, each for reading and writing."""

    ios: list[int] = field(default_factory=lambda: [0, 0])
    sectors: list[int] = field(default_factory=lambda: [0, 0])
    ticks: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def text(self) -> str:
        """``part_stat_show()``, without what the first line begins with."""
        ticks = [int(1000 * value) for value in self.ticks]
        numbers = []
        for way in (READ, WRITE):
            numbers += [self.ios[way], 0, self.sectors[way], ticks[way]]
        return " ".join(f"{number:8d}" for number in [*numbers, 0, sum(ticks), sum(ticks), *[0] * 6])

    def diskstats(self) -> str:
        return " ".join(self.text().split())


@dataclass(eq=False)
class Part:
    """A block device: a whole disk (number 0), or a partition of it."""

    disk: Disk
    bdev: StructView
    number: int
    stats: Stats = field(default_factory=Stats)
    openers: int = 0
    #: Pages of it that are in memory, by their number; and which blocks of them are there, and are changed.
    pages: dict[int, int] = field(default_factory=dict)
    uptodate: dict[int, int] = field(default_factory=dict)
    dirty: dict[int, int] = field(default_factory=dict)

    @property
    def sectors(self) -> int:
        return self.bdev["bd_nr_sectors"]

    @property
    def start(self) -> int:
        return self.bdev["bd_start_sect"]

    @property
    def size(self) -> int:
        """Bytes."""
        return self.sectors * SECTOR

    @property
    def block_size(self) -> int:
        """Bytes: what is read and written as one."""
        return 1 << self.bdev.to("bd_inode")["i_blkbits"]

    @property
    def devt(self) -> int:
        return self.bdev["bd_dev"]


@dataclass(eq=False)
class Disk:
    """What is known of a disk besides its ``struct gendisk``."""

    view: StructView
    queue: StructView
    whole: Part = field(init=False)
    parts: dict[int, Part] = field(default_factory=dict)
    hctx: int = 0
    set: StructView | None = None
    scheduler: str = "none"
    bdi: StructView | None = None
    ext_minor: int | None = None
    #: ``struct disk_events``, of a disk that tells of some; 0: it does not.
    events: int = 0

    @property
    def name(self) -> str:
        return self.view.string("disk_name").decode("latin-1")

    @property
    def owner(self) -> int:
        """The address of the module that serves it."""
        return self.view.to("fops")["owner"] if self.view["fops"] else 0


class Disks:
    """The disks of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.core = kernel.state(DriverCore)
        self.by_disk: dict[int, Disk] = {}
        self._by_queue: dict[int, Disk] = {}
        #: Disks and partitions that can be opened, by number.
        self.by_devt: dict[int, Part] = {}
        self._by_device: dict[int, Part] = {}
        self._ext_minors: set[int] = set()
        self._seq = 0
        self._class = 0
        self._bdi_class = 0
        self._types: dict[str, int] = {}
        #: Bios and requests that are being carried out.
        self._pending: set[int] = set()
        self._warned = False
        #: Tags in use, by tag set.
        self._tags: dict[int, set[int]] = {}
        #: KiB.
        self._read_ahead: dict[Disk, int] = {}

    def disk(self, view: StructView) -> Disk:
        """What is known of a disk.

        :raises OSError: EFAULT (:class:`PageFault`) for what is none
        """
        found = self.by_disk.get(view.address)
        if found is None:
            raise PageFault(view.address)
        return found

    # The classes

    def _struct(self, name: str) -> StructView:
        return self.kernel.struct(name, self.kernel.slab.kmalloc(self.kernel.image.structs[name].size))

    def _block_class(self) -> int:
        if not self._class:
            cls = self._struct("class")
            cls["name"] = self.kernel.slab.string(b"block")
            cls["dev_kobj"] = self.core.dev_block
            with self.core.sysfs.foreign(False):
                found = self.core.class_register(cls)
                self._bdi_class = self.core.class_create(0, b"bdi").address
            found.uevent, found.add_files = self._uevent, self._add_files
            for name in ("disk", "partition"):
                type_ = self._struct("device_type")
                type_["name"] = self.kernel.slab.string(name.encode())
                self._types[name] = type_.address
            self.core.part_type = self._types["partition"]
            self._class = cls.address
        return self._class

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
            view = self._struct("blk_mq_tags")
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

    # Allocating

    def alloc(self, node: int, tags: StructView | None, queuedata: int) -> StructView:
        """``__alloc_disk_node()``.

        :param tags: None for a disk that is given bios
        :raises OSError: ENOMEM
        """
        kernel, class_ = self.kernel, self._block_class()
        queue, view = self._struct("request_queue"), self._struct("gendisk")
        disk = Disk(view, queue, set=tags)
        view["queue"], view["node_id"], view["state"] = queue.address, node, DiskState.OWNS_QUEUE
        queue["disk"], queue["node"], queue["queuedata"] = view.address, node, queuedata
        queue["queue_flags"] = _QUEUE_NEW
        self._default_limits(queue)
        if tags is not None:
            queue["mq_ops"], queue["tag_set"], queue["nr_requests"] = tags["ops"], tags.address, tags["queue_depth"]
            queue["nr_hw_queues"] = tags["nr_hw_queues"]
            list_add_tail(kernel.memory, queue.at("tag_set_list"), tags.at("tag_list"))
            self._init_hctx(disk, tags)
        else:
            queue["nr_requests"] = _DEFAULT_RQ
        disk.whole = self._alloc_bdev(disk, 0)
        view["part0"] = disk.whole.bdev.address
        for head in ("slave_bdevs", "open_mutex.wait_list"):
            INIT_LIST_HEAD(kernel.memory, view.at(head))
        device = disk.whole.bdev.sub("bd_device")
        device["class"], device["type"] = class_, self._types["disk"]
        self.core.device_initialize(device)
        self.core.own_release[device.address] = lambda: self._release(disk)
        self.by_disk[view.address] = disk
        self._by_queue[queue.address] = disk
        return view

    def _default_limits(self, queue: StructView) -> None:
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

    def _init_hctx(self, disk: Disk, tags: StructView) -> None:
        kernel, queue = self.kernel, disk.queue
        hctx = self._struct("blk_mq_hw_ctx")
        INIT_LIST_HEAD(kernel.memory, hctx.at("dispatch"))
        hctx["queue"], hctx["flags"], hctx["numa_node"] = queue.address, tags["flags"], tags["numa_node"] & 0xFFFFFFFF
        hctx["tags"] = kernel.memory.read_pointer(tags["tags"])
        disk.hctx = hctx.address
        init = tags.to("ops")["init_hctx"]
        if init:
            ret = kernel.cpu.call(init, hctx.address, tags["driver_data"], 0)
            if ret:
                raise err(errno.ENOMEM)

    def _alloc_bdev(self, disk: Disk, number: int) -> Part:
        """``bdev_alloc()``."""
        bdev, inode = self._struct("block_device"), self._struct("inode")
        bdev["bd_inode"], bdev["bd_disk"], bdev["bd_queue"] = inode.address, disk.view.address, disk.queue.address
        bdev["bd_partno"] = number
        inode["i_mode"], inode["i_blkbits"] = 0o060000, 9
        inode["i_mapping"] = inode.at("i_data")
        inode["i_data.host"] = inode.address
        part = Part(disk, bdev, number)
        self._by_device[bdev.at("bd_device")] = part
        return part

    def _release(self, disk: Disk) -> None:
        """``disk_release()``."""
        kernel, queue = self.kernel, disk.queue
        if disk.set is not None:
            list_del(kernel.memory, queue.at("tag_set_list"))
            exit_ = disk.set.to("ops")["exit_hctx"]
            if exit_:
                kernel.cpu.call(exit_, disk.hctx, 0)
            kernel.slab.kfree(disk.hctx)
        if disk.ext_minor is not None:
            self._ext_minors.discard(disk.ext_minor)
        self.by_disk.pop(disk.view.address, None)
        self._by_queue.pop(queue.address, None)
        fops = disk.view.to("fops")
        free_disk = fops["free_disk"] if fops.address and disk.view["state"] & DiskState.ADDED else 0
        if free_disk:
            kernel.cpu.call(free_disk, disk.view.address)
        self._free_bdev(disk.whole)
        kernel.slab.kfree(disk.events)
        kernel.slab.kfree(queue.address)
        kernel.slab.kfree(disk.view.address)

    def _free_bdev(self, part: Part) -> None:
        self._by_device.pop(part.bdev.at("bd_device"), None)
        self.kernel.slab.kfree(part.bdev["bd_inode"])
        self.kernel.slab.kfree(part.bdev.address)

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

    # Sizes

    def set_capacity(self, disk: StructView, sectors: int) -> None:
        """``set_capacity()``."""
        bdev = disk.to("part0")
        bdev["bd_nr_sectors"] = sectors
        bdev.to("bd_inode")["i_size"] = sectors * SECTOR

    def set_capacity_and_notify(self, disk: StructView, sectors: int) -> bool:
        """``set_capacity_and_notify()``."""
        old = disk.to("part0")["bd_nr_sectors"]
        self.set_capacity(disk, sectors)
        known = self.disk(disk)
        if sectors == old or known.whole.devt not in self.by_devt or disk["flags"] & _HIDDEN:
            return False
        self.kernel.log.pr_info(f"{known.name}: detected capacity change from {old} to {sectors}")
        if not old or not sectors:
            return False
        self._change(known, b"RESIZE=1")
        return True

    def _change(self, disk: Disk, *what: bytes) -> None:
        with errors_ignored():
            self.core.kobjects.uevent(disk.whole.bdev.sub("bd_device").sub("kobj"), 2, what)

    def set_read_only(self, disk: StructView, read_only: bool) -> None:
        """``set_disk_ro()``."""
        state = disk["state"]
        if bool(state & DiskState.READ_ONLY) != read_only:
            disk["state"] = state ^ DiskState.READ_ONLY
            known = self.disk(disk)
            if known.whole.devt in self.by_devt:
                self._change(known, b"DISK_RO=%d" % read_only)

    def read_only(self, part: Part) -> bool:
        return bool(part.bdev["bd_read_only"] or part.disk.view["state"] & DiskState.READ_ONLY)

    # Coming and going

    def add(self, parent: int, view: StructView, groups: int) -> None:
        """``device_add_disk()``.

        :raises OSError: EINVAL, EEXIST, ENOMEM
        """
        kernel, core, disk = self.kernel, self.core, self.disk(view)
        if disk.set is not None:
            self._init_scheduler(disk)
        self._alloc_events(disk)
        number = view["minors"]
        if view["major"]:
            if not number:
                kernel.traps.warn_at("block/genhd.c", 446, site="device_add_disk+0x2a4")
                raise err(errno.EINVAL)
            if number > _MAX_PARTS:
                kernel.log.pr_err(f"block: can't allocate more than {_MAX_PARTS} partitions")
                view["minors"] = _MAX_PARTS
            if view["first_minor"] + view["minors"] > 1 << 20:
                raise err(errno.EINVAL)
        else:
            if number:
                kernel.traps.warn_here("block/genhd.c", 458)
                raise err(errno.EINVAL)
            disk.ext_minor = self._ext_minor()
            view["major"], view["first_minor"] = _EXT_MAJOR, disk.ext_minor
        bdev = disk.whole.bdev
        device = bdev.sub("bd_device")
        devt = MKDEV(view["major"], view["first_minor"])
        device["parent"], device["groups"] = parent, groups
        core.set_name(device, view.string("disk_name"))
        if not view["flags"] & _HIDDEN:
            device["devt"] = devt
        self._seq += 1
        view["diskseq"] = self._seq
        device["kobj.uevent_suppress"] = 1
        core.device_add(device)
        name = core.name(device)
        directory = core.sysfs.directory(device.sub("kobj"))
        root = core.sysfs.lookup("block")
        assert isinstance(root, SysfsDirectory) and directory is not None
        core.sysfs.add(SysfsLink(name, root, 0, directory))
        disk.queue["queue_flags"] |= _QUEUE_ADDED if disk.set is not None else _QUEUE_ADDED & ~_SQ_SCHED
        disk.bdi = core.device_create(self._bdi_class, 0, 0, 0, 0, f"{major(devt)}:{minor(devt)}".encode())
        self._add_bdi_files(disk)
        core.sysfs.create_link(device.sub("kobj"), disk.bdi.sub("kobj"), "bdi")
        self._bdev_add(disk.whole, devt)
        if disk.whole.sectors and not view["flags"] & (_NO_PART | _HIDDEN):
            self._scan(disk)
        device["kobj.uevent_suppress"] = 0
        for part in (disk.whole, *disk.parts.values()):
            with errors_ignored():
                core.kobjects.uevent(part.bdev.sub("bd_device").sub("kobj"), 0)
        view["state"] |= DiskState.ADDED

    def _init_scheduler(self, disk: Disk) -> None:
        """``elevator_init_mq()``."""
        assert disk.set is not None
        if disk.set["nr_hw_queues"] == 1 and not disk.set["flags"] & 1 << 6:
            self._set_scheduler(disk, "mq-deadline")

    def _set_scheduler(self, disk: Disk, name: str) -> None:
        assert disk.set is not None
        depth = disk.set["queue_depth"]
        disk.queue["nr_requests"] = 2 * min(depth, _DEFAULT_RQ) if name != "none" else depth
        if disk.scheduler != "none" and name == "none":
            disk.queue["queue_flags"] &= ~_SQ_SCHED
        elif name != "none" and disk.queue["queue_flags"] & _QUEUE_REGISTERED:
            disk.queue["queue_flags"] |= _SQ_SCHED
        disk.scheduler = name

    def _ext_minor(self) -> int:
        number = next(n for n in range(1 << 20) if n not in self._ext_minors)
        self._ext_minors.add(number)
        return number

    def _bdev_add(self, part: Part, devt: int) -> None:
        part.bdev["bd_dev"] = devt
        inode = part.bdev.to("bd_inode")
        inode["i_rdev"] = devt
        inode["i_hash.pprev"] = inode.at("i_hash")
        self.by_devt[devt] = part

    def _bdev_remove(self, part: Part) -> None:
        part.bdev.to("bd_inode")["i_hash.pprev"] = 0
        self.by_devt.pop(part.devt, None)

    def delete(self, view: StructView) -> None:
        """``del_gendisk()``."""
        disk, core = self.disk(view), self.core
        if disk.whole.devt not in self.by_devt:
            return
        for part in list(disk.parts.values()):
            self._delete_partition(part)
        self._bdev_remove(disk.whole)
        self._drop_pages(disk.whole)
        view["state"] |= DiskState.DEAD
        self.set_capacity(view, 0)
        device = disk.whole.bdev.sub("bd_device")
        if disk.bdi is not None:
            core.device_unregister(disk.bdi)
        root = core.sysfs.lookup("block")
        assert isinstance(root, SysfsDirectory)
        core.sysfs.remove_by_name(root, core.name(device))
        core.device_del(device)
        flags = disk.queue["queue_flags"] & ~_QUEUE_REGISTERED
        disk.queue["queue_flags"] = flags | _QUEUE_DYING

    def put(self, view: StructView) -> None:
        """``put_disk()``."""
        if view.address:
            self.core.put(self.disk(view).whole.bdev.sub("bd_device"))

    def disk_of(self, queue: StructView) -> Disk | None:
        return self._by_queue.get(queue.address)

    # Events

    def _alloc_events(self, disk: Disk) -> None:
        """``disk_alloc_events()``."""
        if not disk.view.to("fops")["check_events"] or not disk.view["events"]:
            return
        events = self._struct("disk_events")
        events["disk"], events["block"], events["poll_msecs"] = disk.view.address, 1, -1
        disk.view["ev"] = disk.events = events.address

    def check_events(self, view: StructView, mask: int) -> int:
        """``disk_clear_events()``: which events of *mask* there have been since somebody asked."""
        disk = self.disk(view)
        if not disk.events:
            return 0
        kernel = self.kernel
        events = kernel.struct("disk_events", disk.events)
        pending = kernel.cpu.call(view.to("fops")["check_events"], view.address, mask) & ~events["pending"]
        events["pending"] |= pending
        if pending & _EVENT_MEDIA_CHANGE:
            self._increase_diskseq(view)
        told = [name for bit, (name, _shown) in enumerate(_EVENTS) if pending & view["events"] & 1 << bit]
        if told and view["event_flags"] & _EVENT_FLAG_UEVENT:
            self._change(disk, *(b"DISK_%s=1" % name for name in told))
        found = int(events["pending"] & mask)
        events["pending"] &= ~mask
        return found

    def _increase_diskseq(self, view: StructView) -> None:
        """``inc_diskseq()``."""
        self._seq += 1
        view["diskseq"] = self._seq

    def media_changed(self, view: StructView) -> None:
        """``bdev_check_media_change()`` and ``disk_force_media_change()``: nothing that was read is valid any more."""
        disk = self.disk(view)
        for part in (disk.whole, *disk.parts.values()):
            self._drop_pages(part)
        view["state"] |= DiskState.NEED_PART_SCAN

    def force_media_change(self, view: StructView, events: int) -> None:
        """``disk_force_media_change()``."""
        told = [name for bit, (name, _shown) in enumerate(_EVENTS) if events & view["events"] & 1 << bit]
        if told:
            self._change(self.disk(view), *(b"DISK_%s=1" % name for name in told))
        if events & _EVENT_MEDIA_CHANGE:
            self._increase_diskseq(view)
            self.media_changed(view)

    def _add_event_files(self, disk: Disk, directory: SysfsDirectory) -> None:
        view = disk.view

        def show() -> bytes:
            shown = [name for bit, (_told, name) in enumerate(_EVENTS) if view["events"] & 1 << bit]
            return b" ".join(shown) + b"\n" if shown and view["event_flags"] & _EVENT_FLAG_UEVENT else b""

        def interval() -> object:
            events = self.kernel.struct("disk_events", disk.events)
            return events["poll_msecs"] if disk.events else -1

        def set_interval(data: bytes) -> None:
            found = vsscanf(data, b"%ld").stores
            if not found or int(found[0].value) < -1:
                raise err(errno.EINVAL)
            value = int(found[0].value)
            if not disk.events:
                raise err(errno.ENODEV)
            self.kernel.struct("disk_events", disk.events)["poll_msecs"] = value

        self.core.sysfs.create_own_file(directory, "events", 0o444, show)
        self.core.sysfs.create_own_file(directory, "events_async", 0o444, bytes)
        self._writable(directory, {"events_poll_msecs": (interval, set_interval)})

    # Partitions

    def _scan(self, disk: Disk) -> None:
        """``disk_scan_partitions()``: whoever serves the disk sees it opened, read and closed."""
        disk.view["state"] |= DiskState.NEED_PART_SCAN
        try:
            self.open(disk.whole, READ + 1)
        except PageFault:
            raise
        except OSError:
            return
        self.close(disk.whole, READ + 1)

    def _rescan(self, disk: Disk) -> None:
        """``bdev_disk_changed()``."""
        kernel, whole = self.kernel, disk.whole
        disk.view["state"] &= ~DiskState.NEED_PART_SCAN
        if any(part.openers for part in disk.parts.values()):
            raise err(errno.EBUSY)
        for part in list(disk.parts.values()):
            self._delete_partition(part)
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
            self.fill_blocks(part, page)
        except PageFault:
            raise
        except OSError:
            return None
        return self.kernel.memory.read(part.pages[page] + sector * SECTOR % PAGE_SIZE, SECTOR)

    def _add_partition(self, disk: Disk, number: int, start: int, sectors: int) -> None:
        """``add_partition()``."""
        core = self.core
        part = self._alloc_bdev(disk, number)
        bdev = part.bdev
        bdev["bd_start_sect"], bdev["bd_nr_sectors"] = start, sectors
        bdev.to("bd_inode")["i_size"] = sectors * SECTOR
        device = bdev.sub("bd_device")
        above = disk.whole.bdev.sub("bd_device")
        name = core.name(above)
        core.set_name(device, f"{name}{'p' if name[-1:].isdigit() else ''}{number}".encode("latin-1"))
        core.device_initialize(device)
        device["class"], device["type"], device["parent"] = self._class, self._types["partition"], above.address
        if number < disk.view["minors"]:
            devt = MKDEV(disk.view["major"], disk.view["first_minor"] + number)
        else:
            devt = MKDEV(_EXT_MAJOR, self._ext_minor())
        device["devt"] = devt
        core.own_release[device.address] = lambda: self._free_bdev(part)
        device["kobj.uevent_suppress"] = 1
        disk.parts[number] = part
        core.device_add(device)
        device["kobj.uevent_suppress"] = 0
        self._bdev_add(part, devt)

    def _delete_partition(self, part: Part) -> None:
        """``delete_partition()``."""
        device, devt = part.bdev.sub("bd_device"), part.devt
        self._bdev_remove(part)
        self._drop_pages(part)
        part.disk.parts.pop(part.number, None)
        if major(devt) == _EXT_MAJOR:
            self._ext_minors.discard(minor(devt))
        self.core.device_del(device)
        self.core.put(device)

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
            self._rescan(disk)
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
                    self.sync(closed)
            closed.openers -= 1
            closed.bdev["bd_openers.counter"] = closed.openers
            if not closed.openers:
                self._drop_pages(closed)
        function = disk.view.to("fops")["release"]
        if function:
            self.kernel.cpu.call(function, disk.view.address, mode)
        owner = self._owner(disk)
        if owner is not None:
            owner.module_put()

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
                self.transfer(part, READ, at // SECTOR, [(address + index * size, size)])
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
                self.transfer(part, READ, run[0] * PAGE_SIZE // SECTOR, [(self.page(part, n), PAGE_SIZE) for n in run])
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
                    self.transfer(part, WRITE, start // SECTOR, run)
                    run = []
                start = start if run else at
                run.append((part.pages[number] + index * size, size))
            part.dirty[number] = 0
        if run:
            self.transfer(part, WRITE, start // SECTOR, run)

    def _drop_pages(self, part: Part) -> None:
        """``kill_bdev()``."""
        for address in part.pages.values():
            self.kernel.memory.free_pages(address)
        for pages in (part.pages, part.uptodate, part.dirty):
            pages.clear()

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
                self._run_request(part, bio, way, size)
            status = bio["bi_status"]
        finally:
            self._pending.discard(bio.address)
            kernel.slab.kfree(bio["bi_io_vec"])
            kernel.slab.kfree(bio.address)
        spent = time.monotonic() - began
        for counted in {part.number: part, 0: part.disk.whole}.values() if part.disk.set is not None else ():
            if part.disk.queue["queue_flags"] & _IO_STAT:
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
        bio = self._struct("bio")
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

    def _wait(self, done: Callable[[], bool]) -> None:
        while not done():
            self.kernel.sched.sleep(_POLL)
            if self.kernel.sched.ended():
                raise err(errno.EIO)

    def _submit_bio(self, disk: Disk, bio: StructView) -> None:
        self._pending.add(bio.address)
        self.kernel.cpu.call(disk.view.to("fops")["submit_bio"], bio.address)
        self._wait(lambda: bio.address not in self._pending)

    def bio_endio(self, bio: StructView) -> None:
        """``bio_endio()``."""
        self._pending.discard(bio.address)

    def _run_request(self, part: Part, bio: StructView, way: int, size: int) -> None:
        """``blk_mq_dispatch_rq_list()``, of one request."""
        kernel, disk = self.kernel, part.disk
        assert disk.set is not None
        view = kernel.struct("blk_mq_tags", kernel.memory.read_pointer(disk.set["tags"]))
        used = self._tags.setdefault(disk.set.address, set())
        self._wait(lambda: len(used) < view["nr_tags"])
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
            self._pending.add(rq.address)
            self._queue_rq(disk, rq)
            self._wait(lambda: rq.address not in self._pending)
        finally:
            self._pending.discard(rq.address)
            used.discard(tag)

    def _queue_rq(self, disk: Disk, rq: StructView) -> None:
        kernel, ops = self.kernel, disk.queue.to("mq_ops")
        while True:
            data = self._struct("blk_mq_queue_data")
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
        self._pending.discard(rq.address)

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
        disk = self._by_queue[rq["q"]]
        deadline = time.monotonic() + 0.003
        self.kernel.softirq.arm(rq.address, deadline, lambda: self._queue_rq(disk, rq))

    # Files

    def _uevent(self, device: StructView, env: StructView) -> None:
        """``block_uevent()``, ``part_uevent()``."""
        part = self._by_device.get(device.address)
        if part is not None:
            self.core.kobjects.add_var(env, b"DISKSEQ=%d" % part.disk.view["diskseq"])
            if part.number:
                self.core.kobjects.add_var(env, b"PARTN=%d" % part.number)

    def _add_files(self, device: StructView, directory: SysfsDirectory) -> None:
        part = self._by_device[device.address]
        disk = part.disk
        numbers: dict[str, Callable[[], object]] = {
            "alignment_offset": lambda: 0,
            "discard_alignment": lambda: 0,
            "inflight": lambda: f"{0:8d} {0:8d}",
            "ro": lambda: int(self.read_only(part)),
            "size": lambda: part.sectors,
            "stat": part.stats.text,
        }
        if part.number:
            numbers |= {"partition": lambda: part.number, "start": lambda: part.start}
        else:
            view = disk.view
            numbers |= {
                "capability": lambda: f"{view['flags']:x}",
                "diskseq": lambda: view["diskseq"],
                "ext_range": lambda: 1 if view["flags"] & _NO_PART else _MAX_PARTS,
                "hidden": lambda: int(bool(view["flags"] & _HIDDEN)),
                "range": lambda: view["minors"],
                "removable": lambda: int(bool(view["flags"] & _REMOVABLE)),
            }
        self._numbers(directory, numbers)
        if not part.number:
            self._add_event_files(disk, directory)
            self._directory(directory, "slaves")
            self._add_integrity(directory)
            self._add_queue_files(disk, self._directory(directory, "queue"))
            if disk.set is not None:
                self._add_mq_files(disk, self._directory(directory, "mq"))
        self._directory(directory, "holders")
        trace = self._directory(directory, "trace")
        for name, text in (("enable", "0"), *((n, "disabled") for n in ("act_mask", "end_lba", "pid", "start_lba"))):
            self._writable(trace, {name: (partial(str, text), _refused)})

    def _directory(self, parent: SysfsDirectory, name: str) -> SysfsDirectory:
        made = self.core.sysfs.add(SysfsDirectory(name, parent, 0, parent.kobj))
        assert isinstance(made, SysfsDirectory)
        return made

    def _numbers(self, directory: SysfsDirectory, files: dict[str, Callable[[], object]], mode: int = 0o444) -> None:
        for name, value in files.items():
            self.core.sysfs.create_own_file(directory, name, mode, partial(_show, value))

    def _writable(
        self, directory: SysfsDirectory, files: dict[str, tuple[Callable[[], object], Callable[[bytes], None]]]
    ) -> None:
        for name, (value, store) in files.items():
            self.core.sysfs.create_own_file(directory, name, 0o644, partial(_show, value), store)

    def _add_integrity(self, directory: SysfsDirectory) -> None:
        integrity = self._directory(directory, "integrity")
        zero: Callable[[], object] = lambda: 0  # noqa: E731
        self._numbers(
            integrity,
            {
                "device_is_integrity_capable": zero,
                "format": lambda: "none",
                "protection_interval_bytes": zero,
                "tag_size": zero,
            },
        )
        self._writable(integrity, {"read_verify": (zero, _refused), "write_generate": (zero, _refused)})

    def _add_mq_files(self, disk: Disk, directory: SysfsDirectory) -> None:
        tags = disk.set
        assert tags is not None
        for index in range(tags["nr_hw_queues"]):
            queue = self._directory(directory, str(index))
            cpus = [cpu for cpu in range(NR_CPUS) if cpu % tags["nr_hw_queues"] == index]
            self._numbers(
                queue,
                {
                    "cpu_list": partial(str, ", ".join(str(cpu) for cpu in cpus)),
                    "nr_reserved_tags": lambda: tags["reserved_tags"],
                    "nr_tags": lambda: tags["queue_depth"],
                },
            )
            for cpu in cpus:
                self._directory(queue, f"cpu{cpu}")

    def _limit(self, disk: Disk, member: str, unit: int = 1) -> Callable[[], object]:
        return lambda: disk.queue[f"limits.{member}"] // unit if unit > 0 else disk.queue[f"limits.{member}"] * -unit

    def _flag(self, disk: Disk, flag: int, inverted: bool = False) -> Callable[[], object]:
        return lambda: int(bool(disk.queue["queue_flags"] & flag) != inverted)

    def _store_flag(self, disk: Disk, flag: int, inverted: bool = False) -> Callable[[bytes], None]:
        def store(data: bytes) -> None:
            on = bool(_stored(data)) != inverted
            flags = disk.queue["queue_flags"]
            disk.queue["queue_flags"] = flags | flag if on else flags & ~flag

        return store

    def _add_queue_files(self, disk: Disk, directory: SysfsDirectory) -> None:
        queue, limit = disk.queue, partial(self._limit, disk)
        zero: Callable[[], object] = lambda: 0  # noqa: E731
        self._numbers(
            directory,
            {
                "chunk_sectors": limit("chunk_sectors"),
                "dax": zero,
                "discard_granularity": limit("discard_granularity"),
                "discard_max_hw_bytes": limit("max_hw_discard_sectors", -SECTOR),
                "discard_zeroes_data": zero,
                "dma_alignment": limit("dma_alignment"),
                "fua": self._flag(disk, _FUA),
                "hw_sector_size": limit("logical_block_size"),
                "logical_block_size": limit("logical_block_size"),
                "max_discard_segments": limit("max_discard_segments"),
                "max_hw_sectors_kb": limit("max_hw_sectors", 2),
                "max_integrity_segments": limit("max_integrity_segments"),
                "max_segment_size": limit("max_segment_size"),
                "max_segments": limit("max_segments"),
                "minimum_io_size": limit("io_min"),
                "nr_zones": zero,
                "optimal_io_size": limit("io_opt"),
                "physical_block_size": limit("physical_block_size"),
                "virt_boundary_mask": limit("virt_boundary_mask"),
                "write_same_max_bytes": zero,
                "write_zeroes_max_bytes": limit("max_write_zeroes_sectors", -SECTOR),
                "zone_append_max_bytes": zero,
                "zone_write_granularity": limit("zone_write_granularity"),
                "zoned": lambda: "none",
            },
        )

        def set_max_sectors(data: bytes) -> None:
            value, most = _stored(data), queue["limits.max_hw_sectors"] // 2
            if value > most or value < PAGE_SIZE >> 10:
                raise err(errno.EINVAL)
            queue["limits.max_sectors"] = value * 2

        def set_requests(data: bytes) -> None:
            if disk.set is None:
                raise err(errno.EINVAL)
            value = max(_stored(data), 4)
            if disk.scheduler == "none" and value > disk.set["queue_depth"]:
                raise err(errno.EINVAL)
            queue["nr_requests"] = value

        self._read_ahead.setdefault(disk, 128)

        def set_read_ahead(data: bytes) -> None:
            self._read_ahead[disk] = _stored(data)

        self._writable(
            directory,
            {
                "add_random": (self._flag(disk, _ADD_RANDOM), self._store_flag(disk, _ADD_RANDOM)),
                "discard_max_bytes": (limit("max_discard_sectors", -SECTOR), _refused),
                "io_poll": (zero, _refused),
                "io_poll_delay": (lambda: -1, _ignored),
                "iostats": (self._flag(disk, _IO_STAT), self._store_flag(disk, _IO_STAT)),
                "max_sectors_kb": (limit("max_sectors", 2), set_max_sectors),
                "nomerges": (self._flag(disk, _NOMERGES), self._store_flag(disk, _NOMERGES)),
                "nr_requests": (lambda: queue["nr_requests"], set_requests),
                "read_ahead_kb": (lambda: self._read_ahead[disk], set_read_ahead),
                "rotational": (self._flag(disk, NONROT, True), self._store_flag(disk, NONROT, True)),
                "rq_affinity": (self._flag(disk, _SAME_COMP), self._store_flag(disk, _SAME_COMP)),
                "scheduler": (partial(self._schedulers, disk), partial(self._choose_scheduler, disk, directory)),
                "stable_writes": (self._flag(disk, _STABLE_WRITES), self._store_flag(disk, _STABLE_WRITES)),
                "wbt_lat_usec": (lambda: 75000, _ignored),
                "write_cache": (
                    lambda: "write back" if queue["queue_flags"] & _WC else "write through",
                    partial(self._store_write_cache, disk),
                ),
            },
        )
        if disk.scheduler != "none":
            self._add_scheduler_files(disk, directory)

    def _store_write_cache(self, disk: Disk, data: bytes) -> None:
        value = {b"write back": True, b"write through": False, b"none": False}.get(data.strip())
        if value is None:
            raise err(errno.EINVAL)
        flags = disk.queue["queue_flags"]
        disk.queue["queue_flags"] = flags | _WC if value else flags & ~_WC

    def _schedulers(self, disk: Disk) -> str:
        if disk.set is None:
            return "none"
        return "[mq-deadline] none" if disk.scheduler != "none" else "[none] mq-deadline "

    def _choose_scheduler(self, disk: Disk, directory: SysfsDirectory, data: bytes) -> None:
        name = data.strip().decode("latin-1")
        if disk.set is None:
            return
        if name not in ("none", "mq-deadline"):
            raise err(errno.EINVAL)
        if name != disk.scheduler:
            self._set_scheduler(disk, name)
            if name == "none":
                self.core.sysfs.remove_by_name(directory, "iosched")
            else:
                self._add_scheduler_files(disk, directory)

    def _add_scheduler_files(self, disk: Disk, directory: SysfsDirectory) -> None:
        iosched = self._directory(directory, "iosched")
        values = {
            "async_depth": disk.queue["nr_requests"], "fifo_batch": 16, "front_merges": 1, "prio_aging_expire": 10000,
            "read_expire": 500, "write_expire": 5000, "writes_starved": 2,
        }  # fmt: skip

        def set_value(name: str, data: bytes) -> None:
            values[name] = _stored(data)

        for name in values:
            self._writable(iosched, {name: (partial(values.__getitem__, name), partial(set_value, name))})

    def read_ahead(self, disk: Disk) -> int:
        """Pages."""
        return self._read_ahead.get(disk, 128) * 1024 // PAGE_SIZE

    def _add_bdi_files(self, disk: Disk) -> None:
        assert disk.bdi is not None
        directory = self.core.sysfs.directory(disk.bdi.sub("kobj"))
        assert directory is not None

        def set_read_ahead(data: bytes) -> None:
            self._read_ahead[disk] = _stored(data)

        def stable() -> object:
            if not self._warned:
                self._warned = True
                self.kernel.log.pr_warn(
                    f"bdi {directory.name}: the stable_pages_required attribute has been removed."
                    " Use the stable_writes queue attribute instead."
                )
            return 0

        self._writable(
            directory,
            {
                "max_ratio": (lambda: 100, _ignored),
                "min_ratio": (lambda: 0, _ignored),
                "read_ahead_kb": (lambda: self._read_ahead[disk], set_read_ahead),
            },
        )
        self._numbers(directory, {"stable_pages_required": stable})

    # /proc

    def _shown(self) -> Iterator[tuple[Part, str]]:
        for disk in self.by_disk.values():
            if disk.whole.devt in self.by_devt and not disk.view["flags"] & _HIDDEN:
                for part in (disk.whole, *disk.parts.values()):
                    if part.sectors:
                        yield part, self.core.name(part.bdev.sub("bd_device"))

    def proc_partitions(self) -> bytes:
        """``show_partition()``."""
        lines = [
            f"{major(part.devt):4d}  {minor(part.devt):7d} {part.sectors >> 1:10d} {name}"
            for part, name in self._shown()
        ]
        return "".join(f"{line}\n" for line in (["major minor  #blocks  name", "", *lines] if lines else [])).encode()

    def proc_diskstats(self) -> bytes:
        """``diskstats_show()``."""
        return "".join(
            f"{major(part.devt):4d} {minor(part.devt):7d} {name} {part.stats.diskstats()}\n"
            for part, name in self._shown()
        ).encode()


def _show(value: Callable[[], object]) -> bytes:
    return f"{value()}\n".encode("latin-1")


def _stored(data: bytes) -> int:
    """:raises OSError: EINVAL, ERANGE"""
    return kstrto(INT_TYPES["ul"], data)


def _refused(data: bytes) -> None:
    raise err(errno.EINVAL)


def _ignored(data: bytes) -> None:
    _stored(data)


def _round_down(value: int, unit: int) -> int:
    """``round_down()``: *unit* is believed to be a power of two."""
    return value & ~(max(unit, 1) - 1)
