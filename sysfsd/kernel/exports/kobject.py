"""Kernel objects, their sets, and their attributes."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.kernel.err import err
from sysfsd.kernel.exports.registry import Area, CallVaList
from sysfsd.kernel.kobject import (
    Kobjects,
    Sysfs,
    SysfsDirectory,
    SysfsFile,
    SysfsLink,
    SysfsNode,
    errors_ignored,
)
from sysfsd.kernel.vsprintf import vsnprintf

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("kobject", "lib/kobject.c, lib/kobject_uevent.c, fs/sysfs/")

#: Objects of the kernel proper that modules put theirs below: the variables that point to them, and their paths.
_BASE = {
    "kernel_kobj": "kernel",
    "fs_kobj": "fs",
    "firmware_kobj": "firmware",
    "hypervisor_kobj": "hypervisor",
    "mm_kobj": "kernel/mm",
    "acpi_kobj": "firmware/acpi",
}


def base(kernel: Kernel, path: str) -> int:
    """The address of the object of the kernel proper whose directory is at *path*; made if there is none yet."""
    kobjects = kernel.state(Kobjects)
    directory, kobj = kobjects.sysfs.root, 0
    for name in path.split("/"):
        found = directory.children.get(name)
        if not isinstance(found, SysfsDirectory) or not found.address:
            view = kobjects.create_and_add(name.encode(), kobj)
            assert view is not None
            found = kobjects.sysfs.directory(view)
            assert found is not None
        directory, kobj = found, found.kobj
    return kobj


def _base(path: str) -> Callable[[Kernel, int], None]:
    return lambda kernel, address: kernel.memory.write_pointer(address, base(kernel, path))


export.data("const struct sysfs_ops kobj_sysfs_ops")
for _name, _path in _BASE.items():
    export.data(f"struct kobject *{_name}", _base(_path))


# Objects


@export("void kobject_init(struct kobject *kobj, const struct kobj_type *ktype)")
def kobject_init(kernel: Kernel, kobj: StructView, ktype: StructView) -> None:
    kernel.state(Kobjects).init(kobj, ktype.address)


@export("int kobject_add(struct kobject *kobj, struct kobject *parent, const char *fmt, ...)")
def kobject_add(kernel: Kernel, kobj: StructView, parent: StructView, fmt: bytes | None, args: CallVaList) -> int:
    name = None if fmt is None else vsnprintf(kernel, fmt, args)
    with kernel.state(Sysfs).foreign():
        kernel.state(Kobjects).add_checked(kobj, parent.address, name)
    return 0


@export(
    "int kobject_init_and_add(struct kobject *kobj, const struct kobj_type *ktype, struct kobject *parent,"
    " const char *fmt, ...)"
)
def kobject_init_and_add(
    kernel: Kernel, kobj: StructView, ktype: StructView, parent: StructView, fmt: bytes | None, args: CallVaList
) -> int:
    kobjects = kernel.state(Kobjects)
    kobjects.init(kobj, ktype.address)
    name = None if fmt is None else vsnprintf(kernel, fmt, args)
    with kobjects.sysfs.foreign():
        kobjects.add(kobj, parent.address, name)
    return 0


@export("struct kobject *kobject_create_and_add(const char *name, struct kobject *parent)")
def kobject_create_and_add(kernel: Kernel, name: bytes, parent: StructView) -> StructView | None:
    with kernel.state(Sysfs).foreign():
        return kernel.state(Kobjects).create_and_add(name, parent.address)


@export("int kobject_set_name(struct kobject *kobj, const char *fmt, ...)")
def kobject_set_name(kernel: Kernel, kobj: StructView, fmt: bytes, args: CallVaList) -> int:
    kernel.state(Kobjects).set_name(kobj, vsnprintf(kernel, fmt, args))
    return 0


@export("int kobject_rename(struct kobject *kobj, const char *new_name)")
def kobject_rename(kernel: Kernel, kobj: StructView, new_name: bytes) -> int:
    kernel.state(Kobjects).rename(kobj, new_name)
    return 0


@export("int kobject_move(struct kobject *kobj, struct kobject *new_parent)")
def kobject_move(kernel: Kernel, kobj: StructView, new_parent: StructView) -> int:
    kernel.state(Kobjects).move(kobj, new_parent.address)
    return 0


@export("void kobject_del(struct kobject *kobj)")
def kobject_del(kernel: Kernel, kobj: StructView) -> None:
    kernel.state(Kobjects).delete(kobj)


@export("struct kobject *kobject_get(struct kobject *kobj)")
def kobject_get(kernel: Kernel, kobj: StructView) -> StructView:
    return kernel.state(Kobjects).get(kobj)


@export("struct kobject *kobject_get_unless_zero(struct kobject *kobj)")
def kobject_get_unless_zero(kernel: Kernel, kobj: StructView) -> StructView | None:
    if not kobj.address or not kobj["kref.refcount.refs.counter"]:
        return None
    return kernel.state(Kobjects).get(kobj)


@export("void kobject_put(struct kobject *kobj)")
def kobject_put(kernel: Kernel, kobj: StructView) -> None:
    kernel.state(Kobjects).put(kobj)


@export("char *kobject_get_path(const struct kobject *kobj, gfp_t gfp_mask)")
def kobject_get_path(kernel: Kernel, kobj: StructView, gfp_mask: int) -> int:
    return kernel.slab.string(kernel.state(Kobjects).path(kobj).encode("latin-1"))


@export("int kset_register(struct kset *k)")
def kset_register(kernel: Kernel, k: StructView) -> int:
    with kernel.state(Sysfs).foreign():
        kernel.state(Kobjects).kset_register(k)
    return 0


@export("void kset_unregister(struct kset *k)")
def kset_unregister(kernel: Kernel, k: StructView) -> None:
    kernel.state(Kobjects).kset_unregister(k)


@export(
    "struct kset *kset_create_and_add(const char *name, const struct kset_uevent_ops *uevent_ops,"
    " struct kobject *parent_kobj)"
)
def kset_create_and_add(
    kernel: Kernel, name: bytes, uevent_ops: StructView, parent_kobj: StructView
) -> StructView | None:
    with kernel.state(Sysfs).foreign():
        return kernel.state(Kobjects).kset_create_and_add(name, uevent_ops.address, parent_kobj.address)


@export("struct kobject *kset_find_obj(struct kset *kset, const char *name)")
def kset_find_obj(kernel: Kernel, kset: StructView, name: bytes) -> StructView | None:
    kobjects = kernel.state(Kobjects)
    for kobj in kobjects.members(kset):
        if kobj["name"] and kobj.string("name") == name:
            return kobjects.get(kobj) if kobj["kref.refcount.refs.counter"] else None
    return None


# Events


@export("int kobject_uevent(struct kobject *kobj, enum kobject_action action)")
def kobject_uevent(kernel: Kernel, kobj: StructView, action: int) -> int:
    kernel.state(Kobjects).uevent(kobj, action)
    return 0


@export("int kobject_uevent_env(struct kobject *kobj, enum kobject_action action, char **envp_ext)")
def kobject_uevent_env(kernel: Kernel, kobj: StructView, action: int, envp_ext: int) -> int:
    more = tuple(kernel.memory.read_string(text) for text in kernel.state(Sysfs).pointers(envp_ext))
    kernel.state(Kobjects).uevent(kobj, action, more)
    return 0


@export("int add_uevent_var(struct kobj_uevent_env *env, const char *format, ...)")
def add_uevent_var(kernel: Kernel, env: StructView, format: bytes, args: CallVaList) -> int:
    kernel.state(Kobjects).add_var(env, vsnprintf(kernel, format, args))
    return 0


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


def _group(kernel: Kernel, kobj: StructView, name: bytes | None) -> SysfsDirectory:
    """:raises OSError: ENOENT"""
    directory = kernel.state(Sysfs).directory(kobj)
    found = directory.children.get(name.decode("latin-1")) if directory is not None and name else directory
    if not isinstance(found, SysfsDirectory):
        raise err(errno.ENOENT)
    return found


@export("int sysfs_add_file_to_group(struct kobject *kobj, const struct attribute *attr, const char *group)")
def sysfs_add_file_to_group(kernel: Kernel, kobj: StructView, attr: StructView, group: bytes | None) -> int:
    kernel.state(Sysfs).create_file(_group(kernel, kobj, group), attr.address)
    return 0


@export("void sysfs_remove_file_from_group(struct kobject *kobj, const struct attribute *attr, const char *group)")
def sysfs_remove_file_from_group(kernel: Kernel, kobj: StructView, attr: StructView, group: bytes | None) -> None:
    name = attr.string("name").decode("latin-1")
    kernel.state(Sysfs).remove_by_name(_group(kernel, kobj, group), name)


@export("int sysfs_merge_group(struct kobject *kobj, const struct attribute_group *grp)")
def sysfs_merge_group(kernel: Kernel, kobj: StructView, grp: StructView) -> int:
    sysfs = kernel.state(Sysfs)
    where = _group(kernel, kobj, grp.string("name"))
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
    where = _group(kernel, kobj, grp.string("name"))
    for attr in sysfs.pointers(grp["attrs"]):
        sysfs.remove_by_name(where, kernel.struct("attribute", attr).string("name").decode("latin-1"))


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


@export(
    "int sysfs_add_link_to_group(struct kobject *kobj, const char *group_name, struct kobject *target,"
    " const char *link_name)"
)
def sysfs_add_link_to_group(
    kernel: Kernel, kobj: StructView, group_name: bytes, target: StructView, link_name: bytes
) -> int:
    to = kernel.state(Sysfs).directory(target)
    where = _group(kernel, kobj, group_name)
    if to is None:
        raise err(errno.ENOENT)
    kernel.state(Sysfs).add(SysfsLink(link_name.decode("latin-1"), where, 0, to))
    return 0


@export("void sysfs_remove_link_from_group(struct kobject *kobj, const char *group_name, const char *link_name)")
def sysfs_remove_link_from_group(kernel: Kernel, kobj: StructView, group_name: bytes, link_name: bytes) -> None:
    with errors_ignored():
        kernel.state(Sysfs).remove_by_name(_group(kernel, kobj, group_name), link_name.decode("latin-1"))


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
