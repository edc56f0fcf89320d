"""Disks: allocating, adding, deleting them; majors of block devices; changes of media."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.block.genhd import Disks
from sysfsd.linux.exports import Area
from sysfsd.linux.fs.char_dev_exports import device_numbers

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("block/genhd.c", "block/disk-events.c")

_MEDIA_CHANGE, _EJECT_REQUEST = 1, 2


def disks(kernel: Kernel) -> Disks:
    return kernel.state(Disks)


@export("struct gendisk *__blk_alloc_disk(int node, struct lock_class_key *lkclass)")
def __blk_alloc_disk(kernel: Kernel, node: int, lkclass: StructView) -> StructView | None:
    try:
        return disks(kernel).alloc(node, None, 0)
    except OSError:
        return None


@export(
    "int device_add_disk(struct device *parent, struct gendisk *disk, const struct attribute_group **groups)",
)
def device_add_disk(kernel: Kernel, parent: StructView, disk: StructView, groups: int) -> int:
    disks(kernel).add(parent.address, disk, groups)
    return 0


@export("void del_gendisk(struct gendisk *disk)")
def del_gendisk(kernel: Kernel, disk: StructView) -> None:
    disks(kernel).delete(disk)


@export("void put_disk(struct gendisk *disk)")
def put_disk(kernel: Kernel, disk: StructView) -> None:
    disks(kernel).put(disk)


@export("void set_capacity(struct gendisk *disk, sector_t sectors)")
def set_capacity(kernel: Kernel, disk: StructView, sectors: int) -> None:
    disks(kernel).set_capacity(disk, sectors)


@export("bool set_capacity_and_notify(struct gendisk *disk, sector_t size)")
def set_capacity_and_notify(kernel: Kernel, disk: StructView, size: int) -> bool:
    return disks(kernel).set_capacity_and_notify(disk, size)


@export("void set_disk_ro(struct gendisk *disk, bool read_only)")
def set_disk_ro(kernel: Kernel, disk: StructView, read_only: bool) -> None:
    disks(kernel).set_read_only(disk, read_only)


@export("bool bdev_check_media_change(struct block_device *bdev)")
def bdev_check_media_change(kernel: Kernel, bdev: StructView) -> bool:
    disk = bdev.to("bd_disk")
    if not disks(kernel).events.check_events(disk, _MEDIA_CHANGE | _EJECT_REQUEST) & _MEDIA_CHANGE:
        return False
    disks(kernel).events.media_changed(disk)
    return True


@export("bool disk_force_media_change(struct gendisk *disk, unsigned int events)")
def disk_force_media_change(kernel: Kernel, disk: StructView, events: int) -> bool:
    disks(kernel).events.force_media_change(disk, events)
    return bool(events & _MEDIA_CHANGE)


# Block devices


@export("int __register_blkdev(unsigned int major, const char *name, void (*probe)(dev_t))")
def __register_blkdev(kernel: Kernel, ma: int, name: bytes, probe: int) -> int:
    return device_numbers(kernel).register_blkdev(ma, name.decode("latin-1"))


@export("void unregister_blkdev(unsigned int major, const char *name)")
def unregister_blkdev(kernel: Kernel, ma: int, name: bytes) -> None:
    device_numbers(kernel).unregister_blkdev(ma, name.decode("latin-1"))
