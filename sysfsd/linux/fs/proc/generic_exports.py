"""Entries of /proc, tables of /proc/sys."""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.fs.proc.generic import ProcEntry, ProcFs
from sysfsd.linux.fs.seq_file_exports import open_, open_private, open_single, seq_release, seq_release_private
from sysfsd.linux.mm.memory import PAGE_SIZE
from sysfsd.linux.mm.util_exports import memdup_user_nul

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("fs/proc/generic.c")

_S_IFDIR, _S_IFLNK = 0o040000, 0o120000


def _register(kernel: Kernel, entry: ProcEntry | None, operations: int = 0) -> int:
    """Have an entry there, with its operations.

    :returns: its address, 0 where that cannot be
    """
    if entry is None:
        return 0
    entry.operations = operations
    if operations:
        entry.view["proc_ops"] = operations
    return kernel.state(ProcFs).register(entry)


@export(
    "struct proc_dir_entry *proc_create_data(const char *name, umode_t mode, struct proc_dir_entry *parent,"
    " const struct proc_ops *proc_ops, void *data)"
)
def proc_create_data(
    kernel: Kernel, name: bytes, mode: int, parent: StructView, proc_ops: StructView, data: int
) -> int:
    entry = kernel.state(ProcFs).prepare(name, mode, parent.address, data)
    if entry is not None and not proc_ops.address:
        return proc_ops["proc_flags"]  # faults as real code does
    return _register(kernel, entry, proc_ops.address)


@export(
    "struct proc_dir_entry *proc_create(const char *name, umode_t mode, struct proc_dir_entry *parent,"
    " const struct proc_ops *proc_ops)"
)
def proc_create(kernel: Kernel, name: bytes, mode: int, parent: StructView, proc_ops: StructView) -> int:
    return proc_create_data(kernel, name, mode, parent, proc_ops, 0)


# Files whose records or text a module makes


def _entry(kernel: Kernel, inode: StructView) -> ProcEntry:
    return kernel.state(ProcFs).inodes[inode.address]


def _seq_open(kernel: Kernel, inode: StructView, file: StructView) -> int:
    entry = _entry(kernel, inode).view
    if entry["state_size"]:
        open_private(kernel, file, entry["seq_ops"], entry["state_size"])
    else:
        open_(kernel, file, entry["seq_ops"])
    return 0


def _seq_release(kernel: Kernel, inode: StructView, file: StructView) -> int:
    private = _entry(kernel, inode).view["state_size"]
    release = seq_release_private if private else seq_release
    return release(kernel, inode, file)


def _single_open(kernel: Kernel, inode: StructView, file: StructView) -> int:
    entry = _entry(kernel, inode).view
    open_single(kernel, file, entry["single_show"], entry["data"])
    return 0


def _seq_open_net(kernel: Kernel, inode: StructView, file: StructView) -> int:
    """The iterator's own bytes begin with the network namespace."""
    entry = _entry(kernel, inode).view
    private = open_private(kernel, file, entry["seq_ops"], entry["state_size"])
    kernel.struct("seq_net_private", private)["net"] = kernel.exports.data_address("init_net")
    return 0


def _single_open_net(kernel: Kernel, inode: StructView, file: StructView) -> int:
    show = _entry(kernel, inode).view["single_show"]
    open_single(kernel, file, show, kernel.exports.data_address("init_net"))
    return 0


#: By what they are for: the functions of the kernel's own that open and release.
_OPEN_RELEASE: Final[dict[str, tuple[tuple[str, Callable[..., int]], str | tuple[str, Callable[..., int]]]]] = {
    "proc_seq": (("proc_seq_open", _seq_open), ("proc_seq_release", _seq_release)),
    "proc_single": (("proc_single_open", _single_open), "single_release"),
    "proc_net_seq": (("seq_open_net", _seq_open_net), "seq_release_private"),
    "proc_net_single": (("single_open_net", _single_open_net), "single_release"),
}


def _own_ops(kernel: Kernel, kind: str, writes: bool = False) -> int:
    """The operations of such files."""

    def address(function: str | tuple[str, Callable[..., int]]) -> int:
        if isinstance(function, str):
            return kernel.exports.address_of(function)
        declaration = f"int {function[0]}(struct inode *inode, struct file *file)"
        return kernel.exports.internal(declaration, function[1])

    open_function, release = _OPEN_RELEASE[kind]
    functions = {
        "proc_open": address(open_function),
        "proc_read": kernel.exports.address_of("seq_read") if kind.startswith("proc_net") else 0,
        "proc_read_iter": 0 if kind.startswith("proc_net") else kernel.exports.address_of("seq_read_iter"),
        "proc_lseek": kernel.exports.address_of("seq_lseek"),
        "proc_release": address(release),
    }
    if writes:
        functions["proc_write"] = kernel.exports.internal(
            "ssize_t proc_simple_write(struct file *f, const void *ubuf, size_t size, loff_t *pos)", _simple_write
        )
    return kernel.state(ProcFs).own_ops(f"{kind}{'_write' * writes}", functions)


def _simple_write(kernel: Kernel, f: StructView, ubuf: int, size: int, pos: int) -> int:
    """``proc_simple_write()``: the text as a string of the kernel's, for a function of the module."""
    if size == 0 or size > PAGE_SIZE - 1:
        raise err(errno.EINVAL)
    entry = _entry(kernel, f.to("f_inode")).view
    text = memdup_user_nul(kernel, ubuf, size)
    try:
        return kernel.cpu.call(entry["write"], f.address, text, size) or size
    finally:
        kernel.slab.kfree(text)


def create_proc_entry(
    kernel: Kernel,
    kind: str,
    name: bytes,
    mode: int,
    parent: int,
    data: int,
    fields: dict[str, int],
    writes: bool = False,
) -> int:
    entry = kernel.state(ProcFs).prepare(name, mode, parent, data)
    if entry is None:
        return 0
    for member, value in fields.items():
        entry.view[member] = value
    return _register(kernel, entry, _own_ops(kernel, kind, writes))


@export(
    "struct proc_dir_entry *proc_create_seq_private(const char *name, umode_t mode, struct proc_dir_entry *parent,"
    " const struct seq_operations *ops, unsigned int state_size, void *data)"
)
def proc_create_seq_private(
    kernel: Kernel, name: bytes, mode: int, parent: StructView, ops: StructView, state_size: int, data: int
) -> int:
    fields = {"seq_ops": ops.address, "state_size": state_size}
    return create_proc_entry(kernel, "proc_seq", name, mode, parent.address, data, fields)


@export(
    "struct proc_dir_entry *proc_create_single_data(const char *name, umode_t mode, struct proc_dir_entry *parent,"
    " int (*show)(struct seq_file *, void *), void *data)"
)
def proc_create_single_data(kernel: Kernel, name: bytes, mode: int, parent: StructView, show: int, data: int) -> int:
    return create_proc_entry(kernel, "proc_single", name, mode, parent.address, data, {"single_show": show})


@export("void *proc_get_parent_data(const struct inode *inode)")
def proc_get_parent_data(kernel: Kernel, inode: StructView) -> int:
    parent = _entry(kernel, inode).parent
    return parent.view["data"] if parent is not None and parent.address else 0


# Directories and links


def _mkdir(kernel: Kernel, name: bytes, mode: int, parent: int, data: int = 0) -> int:
    entry = kernel.state(ProcFs).prepare(name, _S_IFDIR | mode & 0o7777, parent, data)
    return _register(kernel, entry)


@export("struct proc_dir_entry *proc_mkdir(const char *name, struct proc_dir_entry *parent)")
def proc_mkdir(kernel: Kernel, name: bytes, parent: StructView) -> int:
    return _mkdir(kernel, name, 0, parent.address)


@export("struct proc_dir_entry *proc_mkdir_mode(const char *name, umode_t mode, struct proc_dir_entry *parent)")
def proc_mkdir_mode(kernel: Kernel, name: bytes, mode: int, parent: StructView) -> int:
    return _mkdir(kernel, name, mode, parent.address)


@export(
    "struct proc_dir_entry *proc_mkdir_data(const char *name, umode_t mode, struct proc_dir_entry *parent, void *data)"
)
def proc_mkdir_data(kernel: Kernel, name: bytes, mode: int, parent: StructView, data: int) -> int:
    return _mkdir(kernel, name, mode, parent.address, data)


@export(
    "struct proc_dir_entry *_proc_mkdir(const char *name, umode_t mode, struct proc_dir_entry *parent, void *data,"
    " bool force_lookup)"
)
def _proc_mkdir(kernel: Kernel, name: bytes, mode: int, parent: StructView, data: int, force_lookup: bool) -> int:
    return _mkdir(kernel, name, mode, parent.address, data)


@export("struct proc_dir_entry *proc_create_mount_point(const char *name)")
def proc_create_mount_point(kernel: Kernel, name: bytes) -> int:
    return _mkdir(kernel, name, 0, 0)


@export("struct proc_dir_entry *proc_symlink(const char *name, struct proc_dir_entry *parent, const char *dest)")
def proc_symlink(kernel: Kernel, name: bytes, parent: StructView, dest: bytes) -> int:
    entry = kernel.state(ProcFs).prepare(name, _S_IFLNK | 0o777, parent.address)
    if entry is None:
        return 0
    entry.target, entry.size = dest, len(dest)
    entry.view["data"] = kernel.slab.string(dest)
    return _register(kernel, entry)


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
    entry = kernel.state(ProcFs).entry(de.address)
    if entry is not None:
        entry.size = size
        kernel.state(ProcFs).changed(entry)


@export("void proc_set_user(struct proc_dir_entry *de, kuid_t uid, kgid_t gid)")
def proc_set_user(kernel: Kernel, de: StructView, uid: int, gid: int) -> None:
    de["uid.val"], de["gid.val"] = uid, gid
    entry = kernel.state(ProcFs).entry(de.address)
    if entry is not None:
        entry.uid, entry.gid = uid, gid
        kernel.state(ProcFs).changed(entry)
