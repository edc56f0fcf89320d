"""Directories, links and files of debugfs: creating and removing them."""

from __future__ import annotations

import errno
import stat
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.fs.debugfs.file_exports import ERRORS, create_entry, debugfs
from sysfsd.linux.lib.kobject import errors_ignored

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("fs/debugfs/inode.c")


@export("bool debugfs_initialized(void)")
def debugfs_initialized(kernel: Kernel) -> bool:
    return True


@export("struct dentry *debugfs_create_dir(const char *name, struct dentry *parent)")
def debugfs_create_dir(kernel: Kernel, name: bytes, parent: StructView) -> int:
    return debugfs(kernel).create(name, stat.S_IFDIR | 0o755, parent.address).dentry


@export("struct dentry *debugfs_create_symlink(const char *name, struct dentry *parent, const char *target)")
def debugfs_create_symlink(kernel: Kernel, name: bytes, parent: StructView, target: bytes) -> int:
    return debugfs(kernel).create(name, stat.S_IFLNK | 0o777, parent.address, target=target).dentry


@export(
    "struct dentry *debugfs_create_file(const char *name, umode_t mode, struct dentry *parent, void *data,"
    " const struct file_operations *fops)"
)
def debugfs_create_file(kernel: Kernel, name: bytes, mode: int, parent: StructView, data: int, fops: StructView) -> int:
    return create_entry(kernel, name, mode, parent.address, data, fops.address, proxy=bool(fops.address))


@export(
    "struct dentry *debugfs_create_file_unsafe(const char *name, umode_t mode, struct dentry *parent, void *data,"
    " const struct file_operations *fops)"
)
def debugfs_create_file_unsafe(
    kernel: Kernel, name: bytes, mode: int, parent: StructView, data: int, fops: StructView
) -> int:
    return create_entry(kernel, name, mode, parent.address, data, fops.address, proxy=False)


@export(
    "void debugfs_create_file_size(const char *name, umode_t mode, struct dentry *parent, void *data,"
    " const struct file_operations *fops, loff_t file_size)"
)
def debugfs_create_file_size(
    kernel: Kernel, name: bytes, mode: int, parent: StructView, data: int, fops: StructView, file_size: int
) -> None:
    with errors_ignored():
        create_entry(kernel, name, mode, parent.address, data, fops.address, bool(fops.address), file_size)


# Taking away, looking up


@export("void debugfs_remove(struct dentry *dentry)")
def debugfs_remove(kernel: Kernel, dentry: StructView) -> None:
    if 0 < dentry.address < ERRORS:
        entry = debugfs(kernel).entry(dentry.address)
        if entry is not None:
            debugfs(kernel).remove(entry)
        else:
            dentry["d_inode"]


@export("struct dentry *debugfs_lookup(const char *name, struct dentry *parent)")
def debugfs_lookup(kernel: Kernel, name: bytes | None, parent: StructView) -> int:
    above = debugfs(kernel).entry(parent.address)
    found = above.children.get(name.decode("latin-1")) if above is not None and name else None
    if found is None or found.inode is None:
        return 0
    found.inode.dentry["d_lockref.count"] += 1
    return found.dentry


@export("void debugfs_lookup_and_remove(const char *name, struct dentry *parent)")
def debugfs_lookup_and_remove(kernel: Kernel, name: bytes, parent: StructView) -> None:
    above = debugfs(kernel).entry(parent.address)
    found = above.children.get(name.decode("latin-1")) if above is not None else None
    if found is not None:
        debugfs(kernel).remove(found)


@export(
    "struct dentry *debugfs_rename(struct dentry *old_dir, struct dentry *old_dentry, struct dentry *new_dir,"
    " const char *new_name)"
)
def debugfs_rename(
    kernel: Kernel, old_dir: StructView, old_dentry: StructView, new_dir: StructView, new_name: bytes
) -> int:
    for dentry in (old_dir, new_dir, old_dentry):
        if dentry.address >= ERRORS:
            return dentry.address
    if not old_dentry.address:
        return 0
    entry, parent = debugfs(kernel).entry(old_dentry.address), debugfs(kernel).entry(new_dir.address)
    if entry is None or parent is None or new_name.decode("latin-1") in parent.children:
        raise err(errno.EINVAL)
    debugfs(kernel).rename(entry, parent, new_name)
    return old_dentry.address
