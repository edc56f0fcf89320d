"""Groups of attributes."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.lib.kobject import Sysfs, SysfsLink, errors_ignored
from sysfsd.linux.lib.kobject_exports import group_directory

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("fs/sysfs/group.c")


@export("int sysfs_create_group(struct kobject *kobj, const struct attribute_group *grp)")
def sysfs_create_group(kernel: Kernel, kobj: StructView, grp: StructView) -> int:
    kernel.state(Sysfs).create_group(kobj, grp.address)
    return 0


@export("int sysfs_update_group(struct kobject *kobj, const struct attribute_group *grp)")
def sysfs_update_group(kernel: Kernel, kobj: StructView, grp: StructView) -> int:
    kernel.state(Sysfs).create_group(kobj, grp.address, update=True)
    return 0


@export("int sysfs_create_groups(struct kobject *kobj, const struct attribute_group **groups)")
def sysfs_create_groups(kernel: Kernel, kobj: StructView, groups: int) -> int:
    kernel.state(Sysfs).create_groups(kobj, groups)
    return 0


@export("int sysfs_update_groups(struct kobject *kobj, const struct attribute_group **groups)")
def sysfs_update_groups(kernel: Kernel, kobj: StructView, groups: int) -> int:
    kernel.state(Sysfs).create_groups(kobj, groups, update=True)
    return 0


@export("void sysfs_remove_group(struct kobject *kobj, const struct attribute_group *grp)")
def sysfs_remove_group(kernel: Kernel, kobj: StructView, grp: StructView) -> None:
    kernel.state(Sysfs).remove_group(kobj, grp.address)


@export("void sysfs_remove_groups(struct kobject *kobj, const struct attribute_group **groups)")
def sysfs_remove_groups(kernel: Kernel, kobj: StructView, groups: int) -> None:
    kernel.state(Sysfs).remove_groups(kobj, groups)


@export("int sysfs_merge_group(struct kobject *kobj, const struct attribute_group *grp)")
def sysfs_merge_group(kernel: Kernel, kobj: StructView, grp: StructView) -> int:
    sysfs = kernel.state(Sysfs)
    where = group_directory(kernel, kobj, grp.string("name"))
    done: list[int] = []
    try:
        for attr in sysfs.pointers(grp["attrs"]):
            sysfs.create_file(where, attr)
            done.append(attr)
    except OSError:
        for attr in reversed(done):
            sysfs.remove_by_name(where, kernel.struct("attribute", attr).string("name").decode("latin-1"))
        raise
    return 0


@export("void sysfs_unmerge_group(struct kobject *kobj, const struct attribute_group *grp)")
def sysfs_unmerge_group(kernel: Kernel, kobj: StructView, grp: StructView) -> None:
    sysfs = kernel.state(Sysfs)
    where = group_directory(kernel, kobj, grp.string("name"))
    for attr in sysfs.pointers(grp["attrs"]):
        sysfs.remove_by_name(where, kernel.struct("attribute", attr).string("name").decode("latin-1"))


@export(
    "int sysfs_add_link_to_group(struct kobject *kobj, const char *group_name, struct kobject *target,"
    " const char *link_name)"
)
def sysfs_add_link_to_group(
    kernel: Kernel, kobj: StructView, group_name: bytes, target: StructView, link_name: bytes
) -> int:
    to = kernel.state(Sysfs).directory(target)
    where = group_directory(kernel, kobj, group_name)
    if to is None:
        raise err(errno.ENOENT)
    kernel.state(Sysfs).add(SysfsLink(link_name.decode("latin-1"), where, 0, to))
    return 0


@export("void sysfs_remove_link_from_group(struct kobject *kobj, const char *group_name, const char *link_name)")
def sysfs_remove_link_from_group(kernel: Kernel, kobj: StructView, group_name: bytes, link_name: bytes) -> None:
    with errors_ignored():
        kernel.state(Sysfs).remove_by_name(group_directory(kernel, kobj, group_name), link_name.decode("latin-1"))
