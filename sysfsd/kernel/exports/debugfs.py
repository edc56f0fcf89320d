"""Entries of /sys/kernel/debug."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.kernel.debugfs import DebugFs
from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.kobject import errors_ignored

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("debugfs", "fs/debugfs/")

_S_IFDIR, _S_IFREG, _S_IFLNK = 0o040000, 0o100000, 0o120000
_ERRORS = (1 << 64) - 4095

#: How the kernel itself shows a variable: the function's name, and the C type of the variable.
_VARIABLES = {
    "u8": "u8", "u16": "u16", "u32": "u32", "u64": "u64", "x8": "u8", "x16": "u16", "x32": "u32", "x64": "u64",
    "size_t": "size_t", "ulong": "unsigned long", "bool": "bool", "atomic_t": "atomic_t",
}  # fmt: skip


@export("bool debugfs_initialized(void)")
def debugfs_initialized(kernel: Kernel) -> bool:
    return True


@export("struct dentry *debugfs_create_dir(const char *name, struct dentry *parent)")
def debugfs_create_dir(kernel: Kernel, name: bytes, parent: StructView) -> int:
    return kernel.state(DebugFs).create(name, _S_IFDIR | 0o755, parent.address).dentry


@export(
    "struct dentry *debugfs_create_file(const char *name, umode_t mode, struct dentry *parent, void *data,"
    " const struct file_operations *fops)",
    "struct dentry *debugfs_create_file_unsafe(const char *name, umode_t mode, struct dentry *parent, void *data,"
    " const struct file_operations *fops)",
)
def debugfs_create_file(kernel: Kernel, name: bytes, mode: int, parent: StructView, data: int, fops: StructView) -> int:
    mode = mode if mode & 0o170000 else mode | _S_IFREG
    return kernel.state(DebugFs).create(name, mode, parent.address, data, fops.address, "file").dentry


@export(
    "void debugfs_create_file_size(const char *name, umode_t mode, struct dentry *parent, void *data,"
    " const struct file_operations *fops, loff_t file_size)"
)
def debugfs_create_file_size(
    kernel: Kernel, name: bytes, mode: int, parent: StructView, data: int, fops: StructView, file_size: int
) -> None:
    with errors_ignored():
        dentry = debugfs_create_file(kernel, name, mode, parent, data, fops)
        kernel.struct("dentry", dentry).to("d_inode")["i_size"] = file_size


@export("struct dentry *debugfs_create_symlink(const char *name, struct dentry *parent, const char *target)")
def debugfs_create_symlink(kernel: Kernel, name: bytes, parent: StructView, target: bytes) -> int:
    return kernel.state(DebugFs).create(name, _S_IFLNK | 0o777, parent.address, target=target).dentry


def _variable(kind: str, type_: str) -> None:
    @export(f"void debugfs_create_{kind}(const char *name, umode_t mode, struct dentry *parent, {type_} *value)")
    def create(kernel: Kernel, name: bytes, mode: int, parent: StructView, value: int) -> None:
        with errors_ignored():
            kernel.state(DebugFs).create(name, _S_IFREG | mode & 0o7777, parent.address, value, 0, kind)


for _kind, _type in _VARIABLES.items():
    _variable(_kind, _type)


@export(
    "struct dentry *debugfs_create_blob(const char *name, umode_t mode, struct dentry *parent,"
    " struct debugfs_blob_wrapper *blob)"
)
def debugfs_create_blob(kernel: Kernel, name: bytes, mode: int, parent: StructView, blob: StructView) -> int:
    return kernel.state(DebugFs).create(name, _S_IFREG | mode & 0o444, parent.address, blob.address, 0, "blob").dentry


@export("void debugfs_remove(struct dentry *dentry)")
def debugfs_remove(kernel: Kernel, dentry: StructView) -> None:
    if 0 < dentry.address < _ERRORS:
        entry = kernel.state(DebugFs).entry(dentry.address)
        if entry is not None:
            kernel.state(DebugFs).remove(entry)
        else:
            dentry["d_inode"]


@export("struct dentry *debugfs_lookup(const char *name, struct dentry *parent)")
def debugfs_lookup(kernel: Kernel, name: bytes | None, parent: StructView) -> int:
    above = kernel.state(DebugFs).entry(parent.address)
    found = above.children.get(name.decode("latin-1")) if above is not None and name else None
    return found.dentry if found is not None else 0


@export("void debugfs_lookup_and_remove(const char *name, struct dentry *parent)")
def debugfs_lookup_and_remove(kernel: Kernel, name: bytes, parent: StructView) -> None:
    above = kernel.state(DebugFs).entry(parent.address)
    found = above.children.get(name.decode("latin-1")) if above is not None else None
    if found is not None:
        kernel.state(DebugFs).remove(found)
