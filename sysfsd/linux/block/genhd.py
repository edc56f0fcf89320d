"""Disks: their queues, what they show in /sys/block, and the requests that their drivers are given.

Follows block/genhd.c, block/blk-mq.c, block/blk-settings.c, block/blk-sysfs.c and block/bdev.c. Requests are made one
after another, and whoever wants one waits for it.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sysfsd.linux.block.bdev import BlockDevices
from sysfsd.linux.block.blk_core import BlockIo
from sysfsd.linux.block.blk_mq import MultiQueue
from sysfsd.linux.block.blk_settings import QueueLimits
from sysfsd.linux.block.blk_sysfs import QueueSysfs
from sysfsd.linux.block.blk_types import EXT_MAJOR, HIDDEN, MAX_PARTS, NO_PART, SECTOR, Disk, DiskState, Part
from sysfsd.linux.block.disk_events import DiskEvents
from sysfsd.linux.block.partition_scan import PartitionScan
from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.err import err
from sysfsd.linux.fs.buffer import PageCache
from sysfsd.linux.fs.char_dev import MKDEV, major, minor
from sysfsd.linux.lib.kobject import SysfsDirectory, SysfsLink, errors_ignored
from sysfsd.linux.lib.list import INIT_LIST_HEAD, list_add_tail, list_del
from sysfsd.linux.mm.backing_dev import BackingDevices
from sysfsd.linux.mm.memory import PageFault

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = ["Disks"]

_DEFAULT_RQ: Final = 128
_STATUS_ERRORS: Final = {
    1: errno.EOPNOTSUPP, 2: errno.ETIMEDOUT, 3: errno.ENOSPC, 4: errno.ENOLINK, 5: errno.EREMOTEIO, 6: errno.EBADE,
    7: errno.ENODATA, 8: errno.EILSEQ, 9: errno.ENOMEM, 10: errno.EIO, 12: errno.EAGAIN, 13: errno.EBUSY,
}  # fmt: skip
_QUEUE_NEW: Final = 0x20000090
_QUEUE_ADDED: Final = 0x40504000
_QUEUE_REGISTERED, _SQ_SCHED, _QUEUE_DYING = 1 << 22, 1 << 30, 1 << 1


class Disks:
    """The disks of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.core = kernel.state(DriverCore)
        self.by_disk: dict[int, Disk] = {}
        self.by_queue: dict[int, Disk] = {}
        self._seq = 0
        self.class_ = 0
        self.types: dict[str, int] = {}
        #: Their requests.
        self.mq = MultiQueue(self)
        #: Disks and partitions that can be opened.
        self.bdev = BlockDevices(self)
        #: What is read and written.
        self.io = BlockIo(self)
        #: Pages of block devices that are in memory.
        self.cache = PageCache(self)
        #: Their partitions.
        self.partitions = PartitionScan(self)
        #: What happens to removable media.
        self.events = DiskEvents(self)
        #: What is seen of them in /sys/block.
        self.sysfs = QueueSysfs(self)
        #: What is read ahead of them.
        self.bdi = BackingDevices(self)
        #: The limits of their queues.
        self.limits = QueueLimits(self)

    def disk(self, view: StructView) -> Disk:
        """What is known of a disk.

        :raises OSError: EFAULT (:class:`PageFault`) for what is none
        """
        found = self.by_disk.get(view.address)
        if found is None:
            raise PageFault(view.address)
        return found

    # The classes

    def struct(self, name: str) -> StructView:
        return self.kernel.struct(name, self.kernel.slab.kmalloc(self.kernel.image.structs[name].size))

    def _block_class(self) -> int:
        if not self.class_:
            cls = self.struct("class")
            cls["name"] = self.kernel.slab.string(b"block")
            cls["dev_kobj"] = self.core.dev_block
            with self.core.sysfs.foreign(False):
                found = self.core.class_.class_register(cls)
                self.bdi.bdi_class = self.core.class_.class_create(0, b"bdi").address
            found.uevent, found.add_files = self.sysfs.uevent, self.sysfs.add_files
            for name in ("disk", "partition"):
                type_ = self.struct("device_type")
                type_["name"] = self.kernel.slab.string(name.encode())
                self.types[name] = type_.address
            self.core.part_type = self.types["partition"]
            self.class_ = cls.address
        return self.class_

    # Allocating

    def alloc(self, node: int, tags: StructView | None, queuedata: int) -> StructView:
        """``__alloc_disk_node()``.

        :param tags: None for a disk that is given bios
        :raises OSError: ENOMEM
        """
        kernel, class_ = self.kernel, self._block_class()
        queue, view = self.struct("request_queue"), self.struct("gendisk")
        disk = Disk(view, queue, set=tags)
        view["queue"], view["node_id"], view["state"] = queue.address, node, DiskState.OWNS_QUEUE
        queue["disk"], queue["node"], queue["queuedata"] = view.address, node, queuedata
        queue["queue_flags"] = _QUEUE_NEW
        self.limits.default_limits(queue)
        if tags is not None:
            queue["mq_ops"], queue["tag_set"], queue["nr_requests"] = tags["ops"], tags.address, tags["queue_depth"]
            queue["nr_hw_queues"] = tags["nr_hw_queues"]
            list_add_tail(kernel.memory, queue.at("tag_set_list"), tags.at("tag_list"))
            self.mq.init_hctx(disk, tags)
        else:
            queue["nr_requests"] = _DEFAULT_RQ
        disk.whole = self.bdev.alloc_bdev(disk, 0)
        view["part0"] = disk.whole.bdev.address
        for head in ("slave_bdevs", "open_mutex.wait_list"):
            INIT_LIST_HEAD(kernel.memory, view.at(head))
        device = disk.whole.bdev.sub("bd_device")
        device["class"], device["type"] = class_, self.types["disk"]
        self.core.device_initialize(device)
        self.core.own_release[device.address] = lambda: self._release(disk)
        self.by_disk[view.address] = disk
        self.by_queue[queue.address] = disk
        return view

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
            self.bdev.ext_minors.discard(disk.ext_minor)
        self.by_disk.pop(disk.view.address, None)
        self.by_queue.pop(queue.address, None)
        fops = disk.view.to("fops")
        free_disk = fops["free_disk"] if fops.address and disk.view["state"] & DiskState.ADDED else 0
        if free_disk:
            kernel.cpu.call(free_disk, disk.view.address)
        self.bdev.free_bdev(disk.whole)
        kernel.slab.kfree(disk.events)
        kernel.slab.kfree(queue.address)
        kernel.slab.kfree(disk.view.address)

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
        if sectors == old or known.whole.devt not in self.bdev.by_devt or disk["flags"] & HIDDEN:
            return False
        self.kernel.log.pr_info(f"{known.name}: detected capacity change from {old} to {sectors}")
        if not old or not sectors:
            return False
        self.change(known, b"RESIZE=1")
        return True

    def change(self, disk: Disk, *what: bytes) -> None:
        with errors_ignored():
            self.core.kobjects.uevent(disk.whole.bdev.sub("bd_device").sub("kobj"), 2, what)

    def set_read_only(self, disk: StructView, read_only: bool) -> None:
        """``set_disk_ro()``."""
        state = disk["state"]
        if bool(state & DiskState.READ_ONLY) != read_only:
            disk["state"] = state ^ DiskState.READ_ONLY
            known = self.disk(disk)
            if known.whole.devt in self.bdev.by_devt:
                self.change(known, b"DISK_RO=%d" % read_only)

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
        self.events.alloc_events(disk)
        number = view["minors"]
        if view["major"]:
            if not number:
                kernel.traps.warn_at("block/genhd.c", 446, site="device_add_disk+0x2a4")
                raise err(errno.EINVAL)
            if number > MAX_PARTS:
                kernel.log.pr_err(f"block: can't allocate more than {MAX_PARTS} partitions")
                view["minors"] = MAX_PARTS
            if view["first_minor"] + view["minors"] > 1 << 20:
                raise err(errno.EINVAL)
        else:
            if number:
                kernel.traps.warn_here("block/genhd.c", 458)
                raise err(errno.EINVAL)
            disk.ext_minor = self.bdev.ext_minor()
            view["major"], view["first_minor"] = EXT_MAJOR, disk.ext_minor
        bdev = disk.whole.bdev
        device = bdev.sub("bd_device")
        devt = MKDEV(view["major"], view["first_minor"])
        device["parent"], device["groups"] = parent, groups
        core.set_name(device, view.string("disk_name"))
        if not view["flags"] & HIDDEN:
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
        disk.bdi = core.device_create(self.bdi.bdi_class, 0, 0, 0, 0, f"{major(devt)}:{minor(devt)}".encode())
        self.bdi.add_bdi_files(disk)
        core.sysfs.create_link(device.sub("kobj"), disk.bdi.sub("kobj"), "bdi")
        self.bdev.bdev_add(disk.whole, devt)
        if disk.whole.sectors and not view["flags"] & (NO_PART | HIDDEN):
            self.partitions.scan(disk)
        device["kobj.uevent_suppress"] = 0
        for part in (disk.whole, *disk.parts.values()):
            with errors_ignored():
                core.kobjects.uevent(part.bdev.sub("bd_device").sub("kobj"), 0)
        view["state"] |= DiskState.ADDED

    def _init_scheduler(self, disk: Disk) -> None:
        """``elevator_init_mq()``."""
        assert disk.set is not None
        if disk.set["nr_hw_queues"] == 1 and not disk.set["flags"] & 1 << 6:
            self.set_scheduler(disk, "mq-deadline")

    def set_scheduler(self, disk: Disk, name: str) -> None:
        assert disk.set is not None
        depth = disk.set["queue_depth"]
        disk.queue["nr_requests"] = 2 * min(depth, _DEFAULT_RQ) if name != "none" else depth
        if disk.scheduler != "none" and name == "none":
            disk.queue["queue_flags"] &= ~_SQ_SCHED
        elif name != "none" and disk.queue["queue_flags"] & _QUEUE_REGISTERED:
            disk.queue["queue_flags"] |= _SQ_SCHED
        disk.scheduler = name

    def delete(self, view: StructView) -> None:
        """``del_gendisk()``."""
        disk, core = self.disk(view), self.core
        if disk.whole.devt not in self.bdev.by_devt:
            return
        for part in list(disk.parts.values()):
            self.partitions.delete_partition(part)
        self.bdev.bdev_remove(disk.whole)
        self.cache.drop_pages(disk.whole)
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
        return self.by_queue.get(queue.address)

    def increase_diskseq(self, view: StructView) -> None:
        """``inc_diskseq()``."""
        self._seq += 1
        view["diskseq"] = self._seq

    # /proc

    def _shown(self) -> Iterator[tuple[Part, str]]:
        for disk in self.by_disk.values():
            if disk.whole.devt in self.bdev.by_devt and not disk.view["flags"] & HIDDEN:
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
