"""Attributes of kernel objects as files of sysfs."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area, CallVaList
from sysfsd.linux.lib.kobject import Sysfs, SysfsDirectory, SysfsFile, SysfsNode
from sysfsd.linux.lib.kobject_exports import group_directory
from sysfsd.linux.lib.vsprintf import ptr_to_hashval
from sysfsd.linux.lib.vsprintf_exports import print_stored
from sysfsd.linux.mm.memory import PAGE_SIZE

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("fs/sysfs/file.c")


# Attributes


#: From where it is said that an object has no directory.
_NO_DIRECTORY: Final = {355: "sysfs_create_file_ns+0x8b", 570: "sysfs_create_bin_file+0x84"}


def _directory(kernel: Kernel, kobj: StructView, line: int) -> SysfsDirectory:
    """:raises OSError: EINVAL, after a warning, for an object that has none"""
    directory = kernel.state(Sysfs).directory(kobj) if kobj.address else None
    if directory is None:
        kernel.traps.warn_at("fs/sysfs/file.c", line, site=_NO_DIRECTORY[line])
        raise err(errno.EINVAL)
    return directory


@export("int sysfs_create_file_ns(struct kobject *kobj, const struct attribute *attr, const void *ns)")
def sysfs_create_file_ns(kernel: Kernel, kobj: StructView, attr: StructView, ns: int) -> int:
    kernel.state(Sysfs).create_file(_directory(kernel, kobj, 355), attr.address)
    return 0


@export("int sysfs_create_bin_file(struct kobject *kobj, const struct bin_attribute *attr)")
def sysfs_create_bin_file(kernel: Kernel, kobj: StructView, attr: StructView) -> int:
    kernel.state(Sysfs).create_file(_directory(kernel, kobj, 570), attr.address, binary=True)
    return 0


@export("int sysfs_create_files(struct kobject *kobj, const struct attribute *const *ptr)")
def sysfs_create_files(kernel: Kernel, kobj: StructView, ptr: int) -> int:
    sysfs = kernel.state(Sysfs)
    done: list[int] = []
    try:
        for attr in sysfs.pointers(ptr):
            sysfs.create_file(_directory(kernel, kobj, 355), attr)
            done.append(attr)
    except OSError:
        for attr in reversed(done):
            _remove(kernel, kobj, attr)
        raise
    return 0


def _remove(kernel: Kernel, kobj: StructView, attr: int) -> bool:
    sysfs = kernel.state(Sysfs)
    directory = sysfs.directory(kobj)
    name = kernel.struct("attribute", attr).string("name").decode("latin-1")
    return directory is not None and sysfs.remove_by_name(directory, name)


@export("void sysfs_remove_file_ns(struct kobject *kobj, const struct attribute *attr, const void *ns)")
def sysfs_remove_file_ns(kernel: Kernel, kobj: StructView, attr: StructView, ns: int) -> None:
    _remove(kernel, kobj, attr.address)


@export("void sysfs_remove_bin_file(struct kobject *kobj, const struct bin_attribute *attr)")
def sysfs_remove_bin_file(kernel: Kernel, kobj: StructView, attr: StructView) -> None:
    _remove(kernel, kobj, attr.address)


@export("void sysfs_remove_files(struct kobject *kobj, const struct attribute *const *ptr)")
def sysfs_remove_files(kernel: Kernel, kobj: StructView, ptr: int) -> None:
    for attr in kernel.state(Sysfs).pointers(ptr):
        _remove(kernel, kobj, attr)


@export("int sysfs_chmod_file(struct kobject *kobj, const struct attribute *attr, umode_t mode)")
def sysfs_chmod_file(kernel: Kernel, kobj: StructView, attr: StructView, mode: int) -> int:
    directory = kernel.state(Sysfs).directory(kobj)
    found = directory.children.get(attr.string("name").decode("latin-1")) if directory is not None else None
    if not isinstance(found, SysfsFile):
        raise err(errno.ENOENT)
    kernel.state(Sysfs).chmod(found, mode)
    return 0


@export("int sysfs_add_file_to_group(struct kobject *kobj, const struct attribute *attr, const char *group)")
def sysfs_add_file_to_group(kernel: Kernel, kobj: StructView, attr: StructView, group: bytes | None) -> int:
    kernel.state(Sysfs).create_file(group_directory(kernel, kobj, group), attr.address)
    return 0


@export("void sysfs_remove_file_from_group(struct kobject *kobj, const struct attribute *attr, const char *group)")
def sysfs_remove_file_from_group(kernel: Kernel, kobj: StructView, attr: StructView, group: bytes | None) -> None:
    name = attr.string("name").decode("latin-1")
    kernel.state(Sysfs).remove_by_name(group_directory(kernel, kobj, group), name)


@export("bool sysfs_remove_file_self(struct kobject *kobj, const struct attribute *attr)")
def sysfs_remove_file_self(kernel: Kernel, kobj: StructView, attr: StructView) -> bool:
    """An attribute's own function takes it away, and does not wait for itself."""
    sysfs = kernel.state(Sysfs)
    directory = sysfs.directory(kobj)
    found = directory.children.get(attr.string("name").decode("latin-1")) if directory is not None else None
    if not isinstance(found, SysfsFile):
        kernel.traps.warn_at("fs/sysfs/file.c", 515, site="sysfs_remove_file_self+0x38", once=True)
        return False
    found.active = [task for task in found.active if task is not kernel.current]
    sysfs.remove(found)
    return True


@export("void sysfs_notify(struct kobject *kobj, const char *dir, const char *attr)")
def sysfs_notify(kernel: Kernel, kobj: StructView, dir: bytes | None, attr: bytes | None) -> None:
    """Wake those who poll the attribute; *dir* may be a group's directory."""
    sysfs = kernel.state(Sysfs)
    node: SysfsNode | None = sysfs.directory(kobj)
    for name in (dir, attr):
        if name is not None:
            node = node.children.get(name.decode("latin-1")) if isinstance(node, SysfsDirectory) else None
    if isinstance(node, SysfsFile) and sysfs.observer is not None:
        sysfs.observer.notified(node)


@export("int sysfs_emit(char *buf, const char *fmt, ...)")
def sysfs_emit(kernel: Kernel, buf: int, fmt: bytes, args: CallVaList) -> int:
    if not buf or buf % PAGE_SIZE:
        message = f"invalid sysfs_emit: buf:{ptr_to_hashval(buf)}"
        kernel.traps.warn_at("fs/sysfs/file.c", 740, message, "sysfs_emit+0xa7")
        return 0
    return print_stored(kernel, buf, PAGE_SIZE, fmt, args)


@export("int sysfs_emit_at(char *buf, int at, const char *fmt, ...)")
def sysfs_emit_at(kernel: Kernel, buf: int, at: int, fmt: bytes, args: CallVaList) -> int:
    if not buf or buf % PAGE_SIZE or not 0 <= at < PAGE_SIZE:
        message = f"invalid sysfs_emit_at: buf:{ptr_to_hashval(buf)} at:{at}"
        kernel.traps.warn_at("fs/sysfs/file.c", 768, message, "sysfs_emit_at+0x64")
        return 0
    return print_stored(kernel, buf + at, PAGE_SIZE - at, fmt, args)
