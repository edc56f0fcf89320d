"""Kernel objects, their sets, and their attributes."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area, CallVaList
from sysfsd.linux.lib.kobject import Kobjects, Sysfs, SysfsDirectory
from sysfsd.linux.lib.vsprintf import vsnprintf

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area(
    "lib/kobject.c",
    "kernel/ksysfs.c",
    "fs/namespace.c",
    "drivers/base/firmware.c",
    "drivers/base/hypervisor.c",
    "mm/mm_init.c",
    "drivers/acpi/bus.c",
)

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


def group_directory(kernel: Kernel, kobj: StructView, name: bytes | None) -> SysfsDirectory:
    """:raises OSError: ENOENT"""
    directory = kernel.state(Sysfs).directory(kobj)
    found = directory.children.get(name.decode("latin-1")) if directory is not None and name else directory
    if not isinstance(found, SysfsDirectory):
        raise err(errno.ENOENT)
    return found
