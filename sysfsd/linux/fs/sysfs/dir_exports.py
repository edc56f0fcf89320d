"""Directories that others are mounted on, and symbolic links, of sysfs (fs/sysfs/dir.c, symlink.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.lib.kobject import Sysfs, SysfsDirectory, SysfsLink

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("fs/sysfs/symlink.c", "fs/sysfs/dir.c")


@export(
    "int sysfs_create_link(struct kobject *kobj, struct kobject *target, const char *name)",
)
def sysfs_create_link(kernel: Kernel, kobj: StructView, target: StructView, name: bytes) -> int:
    kernel.state(Sysfs).create_link(kobj if kobj.address else None, target, name.decode("latin-1"))
    return 0


@export("int sysfs_create_link_nowarn(struct kobject *kobj, struct kobject *target, const char *name)")
def sysfs_create_link_nowarn(kernel: Kernel, kobj: StructView, target: StructView, name: bytes) -> int:
    kernel.state(Sysfs).create_link(kobj if kobj.address else None, target, name.decode("latin-1"), warn=False)
    return 0


@export(
    "int sysfs_rename_link_ns(struct kobject *kobj, struct kobject *targ, const char *old, const char *new,"
    " const void *new_ns)"
)
def sysfs_rename_link_ns(
    kernel: Kernel, kobj: StructView, targ: StructView, old: bytes, new: bytes, new_ns: int
) -> int:
    sysfs = kernel.state(Sysfs)
    directory = sysfs.directory(kobj) if kobj.address else sysfs.root
    found = directory.children.get(old.decode("latin-1")) if directory is not None else None
    if directory is None or found is None:
        raise err(errno.ENOENT)
    if not isinstance(found, SysfsLink) or found.target is not sysfs.directory(targ):
        raise err(errno.EINVAL)
    sysfs.rename(found, directory, new.decode("latin-1"))
    return 0


@export("void sysfs_remove_link(struct kobject *kobj, const char *name)")
def sysfs_remove_link(kernel: Kernel, kobj: StructView, name: bytes) -> None:
    sysfs = kernel.state(Sysfs)
    directory = sysfs.directory(kobj) if kobj.address else sysfs.root
    if directory is not None:
        sysfs.remove_by_name(directory, name.decode("latin-1"))


@export("int sysfs_create_mount_point(struct kobject *parent_kobj, const char *name)")
def sysfs_create_mount_point(kernel: Kernel, parent_kobj: StructView, name: bytes) -> int:
    sysfs = kernel.state(Sysfs)
    parent = sysfs.directory(parent_kobj)
    if parent is None:
        raise err(errno.ENOENT)
    sysfs.add(SysfsDirectory(name.decode("latin-1"), parent, 0, parent_kobj.address, mode=0o555))
    return 0


@export("void sysfs_remove_mount_point(struct kobject *parent_kobj, const char *name)")
def sysfs_remove_mount_point(kernel: Kernel, parent_kobj: StructView, name: bytes) -> None:
    parent = kernel.state(Sysfs).directory(parent_kobj)
    if parent is not None:
        kernel.state(Sysfs).remove_by_name(parent, name.decode("latin-1"))
