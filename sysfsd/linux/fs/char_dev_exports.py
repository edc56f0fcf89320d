"""Numbers of character and block devices, cdevs, misc devices."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.fs.char_dev import MKDEV, DeviceNumbers, major, minor
from sysfsd.linux.lib.kobject import Kobjects
from sysfsd.linux.lib.list import INIT_LIST_HEAD, list_del_init, list_empty

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("fs/char_dev.c")

_MINORS = 1 << 20


def device_numbers(kernel: Kernel) -> DeviceNumbers:
    return kernel.state(DeviceNumbers)


@export("int alloc_chrdev_region(dev_t *dev, unsigned int baseminor, unsigned int count, const char *name)")
def alloc_chrdev_region(kernel: Kernel, dev: int, baseminor: int, count: int, name: bytes) -> int:
    region = device_numbers(kernel).register_region(0, baseminor, count, name.decode("latin-1"))
    kernel.memory.write_int(dev, MKDEV(region.major, baseminor))
    return 0


def _pieces(first: int, count: int) -> list[tuple[int, int, int]]:
    """A range of numbers as majors, first minors and counts."""
    pieces: list[tuple[int, int, int]] = []
    at, end = first, first + count
    while at < end and len(pieces) < 1024:
        following = min(end, MKDEV(major(at) + 1, 0))
        pieces.append((major(at), minor(at), following - at))
        at = following
    return pieces


@export("int register_chrdev_region(dev_t from, unsigned int count, const char *name)")
def register_chrdev_region(kernel: Kernel, from_: int, count: int, name: bytes) -> int:
    numbers = device_numbers(kernel)
    done: list[tuple[int, int, int]] = []
    for piece in _pieces(from_, count):
        try:
            if piece[0] == 0:
                raise err(errno.EBUSY)
            numbers.register_region(*piece, name.decode("latin-1"))
        except OSError:
            for other in done:
                numbers.unregister_region(*other)
            raise
        done.append(piece)
    return 0


@export("void unregister_chrdev_region(dev_t from, unsigned int count)")
def unregister_chrdev_region(kernel: Kernel, from_: int, count: int) -> None:
    for piece in _pieces(from_, count):
        device_numbers(kernel).unregister_region(*piece)


@export(
    "int __register_chrdev(unsigned int major, unsigned int baseminor, unsigned int count, const char *name,"
    " const struct file_operations *fops)"
)
def __register_chrdev(kernel: Kernel, ma: int, baseminor: int, count: int, name: bytes, fops: StructView) -> int:
    region = device_numbers(kernel).register_region(ma, baseminor, count, name.decode("latin-1"))
    cdev = _alloc(kernel)
    cdev["owner"], cdev["ops"] = fops["owner"], fops.address
    kernel.state(Kobjects).set_name(cdev.sub("kobj"), name)
    cdev_add(kernel, cdev, MKDEV(region.major, baseminor), count)
    region.cdev = cdev.address
    return 0 if ma else region.major


@export("void __unregister_chrdev(unsigned int major, unsigned int baseminor, unsigned int count, const char *name)")
def __unregister_chrdev(kernel: Kernel, ma: int, baseminor: int, count: int, name: bytes | None) -> None:
    region = device_numbers(kernel).unregister_region(ma, baseminor, count)
    if region is not None and region.cdev:
        cdev_del(kernel, kernel.struct("cdev", region.cdev))


class CdevTypes:
    """The types of the objects that character devices are."""

    def __init__(self, kernel: Kernel) -> None:
        objects = kernel.state(Kobjects)

        def purge(kobj: StructView) -> None:
            """No inode leads to the device any more."""
            head = kernel.struct("cdev", kobj.address).at("list")
            while not list_empty(kernel.memory, head):
                entry = kernel.memory.read_pointer(head)
                list_del_init(kernel.memory, entry)
                inode = kernel.image.structs.container_of(entry, "inode", "i_devices")
                kernel.struct("inode", inode)["i_cdev"] = 0
            parent = kobj["parent"]
            if parent:
                objects.put(objects.view(parent))

        def purge_and_free(kobj: StructView) -> None:
            purge(kobj)
            kernel.slab.kfree(kobj.address)

        self.default = objects.new_ktype(purge)
        self.dynamic = objects.new_ktype(purge_and_free)


def _alloc(kernel: Kernel) -> StructView:
    cdev = kernel.struct("cdev", kernel.slab.kmalloc(kernel.image.structs["cdev"].size))
    INIT_LIST_HEAD(kernel.memory, cdev.at("list"))
    kernel.state(Kobjects).init(cdev.sub("kobj"), kernel.state(CdevTypes).dynamic)
    return cdev


@export("struct cdev *cdev_alloc(void)")
def cdev_alloc(kernel: Kernel) -> StructView:
    return _alloc(kernel)


@export("void cdev_init(struct cdev *cdev, const struct file_operations *fops)")
def cdev_init(kernel: Kernel, cdev: StructView, fops: StructView) -> None:
    kernel.memory.write(cdev.address, bytes(cdev.struct.size))
    INIT_LIST_HEAD(kernel.memory, cdev.at("list"))
    kernel.state(Kobjects).init(cdev.sub("kobj"), kernel.state(CdevTypes).default)
    cdev["ops"] = fops.address


@export("int cdev_add(struct cdev *p, dev_t dev, unsigned int count)")
def cdev_add(kernel: Kernel, p: StructView, dev: int, count: int) -> int:
    p["dev"], p["count"] = dev, count
    if dev == 0:
        kernel.traps.warn_here("fs/char_dev.c", 486)
        raise err(errno.EBUSY)
    device_numbers(kernel).cdev_map(p.address, dev, count)
    if p["kobj.parent"]:
        kernel.state(Kobjects).get(kernel.struct("kobject", p["kobj.parent"]))
    return 0


@export("void cdev_del(struct cdev *p)")
def cdev_del(kernel: Kernel, p: StructView) -> None:
    p["dev"]
    device_numbers(kernel).cdev_unmap(p.address)
    kernel.state(Kobjects).put(p.sub("kobj"))


@export("void cdev_set_parent(struct cdev *p, struct kobject *kobj)")
def cdev_set_parent(kernel: Kernel, p: StructView, kobj: StructView) -> None:
    if not kobj["state_initialized"]:
        kernel.traps.warn_here("fs/char_dev.c", 510)
    p["kobj.parent"] = kobj.address


@export("int cdev_device_add(struct cdev *cdev, struct device *dev)")
def cdev_device_add(kernel: Kernel, cdev: StructView, dev: StructView) -> int:
    if dev["devt"]:
        cdev_set_parent(kernel, cdev, dev.sub("kobj"))
        cdev_add(kernel, cdev, dev["devt"], 1)
    try:
        kernel.state(DriverCore).device_add(dev)
    except OSError:
        if dev["devt"]:
            cdev_del(kernel, cdev)
        raise
    return 0


@export("void cdev_device_del(struct cdev *cdev, struct device *dev)")
def cdev_device_del(kernel: Kernel, cdev: StructView, dev: StructView) -> None:
    kernel.state(DriverCore).device_del(dev)
    if dev["devt"]:
        cdev_del(kernel, cdev)
