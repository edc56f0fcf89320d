"""Entries of /proc, tables of /proc/sys."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.proc_fs import ProcEntry, ProcFs, ProcSysctl

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("proc_fs", "fs/proc/generic.c, fs/proc/proc_net.c, fs/proc/proc_sysctl.c")

_S_IFDIR, _S_IFLNK = 0o040000, 0o120000


def _made(
    kernel: Kernel, entry: ProcEntry | None, kind: str = "", operations: int = 0, net: bool = False, state_size: int = 0
) -> int:
    """Give a new entry its operations."""
    if entry is None:
        return 0
    entry.kind, entry.operations, entry.net = kind, operations, net
    view = kernel.struct("proc_dir_entry", entry.address)
    if kind and kind != "link":
        view[kind] = operations
    view["state_size"] = state_size
    return entry.address


@export(
    "struct proc_dir_entry *proc_create_data(const char *name, umode_t mode, struct proc_dir_entry *parent,"
    " const struct proc_ops *proc_ops, void *data)"
)
def proc_create_data(
    kernel: Kernel, name: bytes, mode: int, parent: StructView, proc_ops: StructView, data: int
) -> int:
    return _made(kernel, kernel.state(ProcFs).create(name, mode, parent.address, data), "proc_ops", proc_ops.address)


@export(
    "struct proc_dir_entry *proc_create(const char *name, umode_t mode, struct proc_dir_entry *parent,"
    " const struct proc_ops *proc_ops)"
)
def proc_create(kernel: Kernel, name: bytes, mode: int, parent: StructView, proc_ops: StructView) -> int:
    return proc_create_data(kernel, name, mode, parent, proc_ops, 0)  # type: ignore[no-any-return]


@export(
    "struct proc_dir_entry *proc_create_seq_private(const char *name, umode_t mode, struct proc_dir_entry *parent,"
    " const struct seq_operations *ops, unsigned int state_size, void *data)"
)
def proc_create_seq_private(
    kernel: Kernel, name: bytes, mode: int, parent: StructView, ops: StructView, state_size: int, data: int
) -> int:
    entry = kernel.state(ProcFs).create(name, mode, parent.address, data)
    return _made(kernel, entry, "seq_ops", ops.address, state_size=state_size)


@export(
    "struct proc_dir_entry *proc_create_single_data(const char *name, umode_t mode, struct proc_dir_entry *parent,"
    " int (*show)(struct seq_file *, void *), void *data)"
)
def proc_create_single_data(kernel: Kernel, name: bytes, mode: int, parent: StructView, show: int, data: int) -> int:
    return _made(kernel, kernel.state(ProcFs).create(name, mode, parent.address, data), "single_show", show)


@export(
    "struct proc_dir_entry *proc_create_net_data(const char *name, umode_t mode, struct proc_dir_entry *parent,"
    " const struct seq_operations *ops, unsigned int state_size, void *data)"
)
def proc_create_net_data(
    kernel: Kernel, name: bytes, mode: int, parent: StructView, ops: StructView, state_size: int, data: int
) -> int:
    entry = kernel.state(ProcFs).create(name, mode, parent.address, data)
    return _made(kernel, entry, "seq_ops", ops.address, net=True, state_size=state_size)


@export(
    "struct proc_dir_entry *proc_create_net_single(const char *name, umode_t mode, struct proc_dir_entry *parent,"
    " int (*show)(struct seq_file *, void *), void *data)"
)
def proc_create_net_single(kernel: Kernel, name: bytes, mode: int, parent: StructView, show: int, data: int) -> int:
    entry = kernel.state(ProcFs).create(name, mode, parent.address, data)
    return _made(kernel, entry, "single_show", show, net=True)


@export("struct proc_dir_entry *proc_mkdir(const char *name, struct proc_dir_entry *parent)")
def proc_mkdir(kernel: Kernel, name: bytes, parent: StructView) -> int:
    return _made(kernel, kernel.state(ProcFs).create(name, _S_IFDIR, parent.address))


@export("struct proc_dir_entry *proc_mkdir_mode(const char *name, umode_t mode, struct proc_dir_entry *parent)")
def proc_mkdir_mode(kernel: Kernel, name: bytes, mode: int, parent: StructView) -> int:
    return _made(kernel, kernel.state(ProcFs).create(name, _S_IFDIR | mode & 0o7777, parent.address))


@export(
    "struct proc_dir_entry *proc_mkdir_data(const char *name, umode_t mode, struct proc_dir_entry *parent, void *data)"
)
def proc_mkdir_data(kernel: Kernel, name: bytes, mode: int, parent: StructView, data: int) -> int:
    return _made(kernel, kernel.state(ProcFs).create(name, _S_IFDIR | mode & 0o7777, parent.address, data))


@export(
    "struct proc_dir_entry *_proc_mkdir(const char *name, umode_t mode, struct proc_dir_entry *parent, void *data,"
    " bool force_lookup)"
)
def _proc_mkdir(kernel: Kernel, name: bytes, mode: int, parent: StructView, data: int, force_lookup: bool) -> int:
    return _made(kernel, kernel.state(ProcFs).create(name, _S_IFDIR | mode & 0o7777, parent.address, data))


@export("struct proc_dir_entry *proc_create_mount_point(const char *name)")
def proc_create_mount_point(kernel: Kernel, name: bytes) -> int:
    return _made(kernel, kernel.state(ProcFs).create(name, _S_IFDIR | 0o555, 0))


@export("struct proc_dir_entry *proc_symlink(const char *name, struct proc_dir_entry *parent, const char *dest)")
def proc_symlink(kernel: Kernel, name: bytes, parent: StructView, dest: bytes) -> int:
    entry = kernel.state(ProcFs).create(name, _S_IFLNK | 0o777, parent.address)
    if entry is None:
        return 0
    entry.target = dest
    kernel.struct("proc_dir_entry", entry.address)["data"] = kernel.slab.string(dest)
    return _made(kernel, entry, "link")


@export("void proc_remove(struct proc_dir_entry *de)")
def proc_remove(kernel: Kernel, de: StructView) -> None:
    if de.address:
        entry = kernel.state(ProcFs).entry(de.address)
        if entry is not None:
            kernel.state(ProcFs).remove(entry)
        else:
            de["name"]


@export("void remove_proc_entry(const char *name, struct proc_dir_entry *parent)")
def remove_proc_entry(kernel: Kernel, name: bytes, parent: StructView) -> None:
    with suppress(FileNotFoundError):
        kernel.state(ProcFs).remove_by_name(name, parent.address, subtree=False)


@export("int remove_proc_subtree(const char *name, struct proc_dir_entry *parent)")
def remove_proc_subtree(kernel: Kernel, name: bytes, parent: StructView) -> int:
    kernel.state(ProcFs).remove_by_name(name, parent.address, subtree=True)
    return 0


@export("void proc_set_size(struct proc_dir_entry *de, loff_t size)")
def proc_set_size(kernel: Kernel, de: StructView, size: int) -> None:
    de["size"] = size


@export("void proc_set_user(struct proc_dir_entry *de, kuid_t uid, kgid_t gid)")
def proc_set_user(kernel: Kernel, de: StructView, uid: int, gid: int) -> None:
    de["uid.val"], de["gid.val"] = uid, gid


# /proc/sys


def _register(kernel: Kernel, path: bytes, table: StructView) -> int:
    return kernel.state(ProcSysctl).register(path.decode("latin-1"), table.address)


@export("struct ctl_table_header *register_sysctl(const char *path, struct ctl_table *table)")
def register_sysctl(kernel: Kernel, path: bytes, table: StructView) -> int:
    return _register(kernel, path, table)


@export("struct ctl_table_header *register_net_sysctl(struct net *net, const char *path, struct ctl_table *table)")
def register_net_sysctl(kernel: Kernel, net: StructView, path: bytes, table: StructView) -> int:
    return _register(kernel, path, table)


@export("struct ctl_table_header *register_sysctl_table(struct ctl_table *table)")
def register_sysctl_table(kernel: Kernel, table: StructView) -> int:
    return _register(kernel, b"", table)


@export("struct ctl_table_header *register_sysctl_paths(const struct ctl_path *path, struct ctl_table *table)")
def register_sysctl_paths(kernel: Kernel, path: StructView, table: StructView) -> int:
    parts: list[bytes] = []
    while path["procname"] and len(parts) < 10:
        parts.append(path.string("procname"))
        path = kernel.struct("ctl_path", path.address + path.struct.size)
    return _register(kernel, b"/".join(parts), table)


@export(
    "void unregister_sysctl_table(struct ctl_table_header *header)",
    "void unregister_net_sysctl_table(struct ctl_table_header *header)",
)
def unregister_sysctl_table(kernel: Kernel, header: StructView) -> None:
    kernel.state(ProcSysctl).unregister(header.address)
