"""Files of debugfs for single values, arrays, registers, blobs."""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.fs.debugfs.inode import DebugEntry, DebugFs
from sysfsd.linux.fs.libfs_exports import (
    simple_attr_open,
    simple_attr_read,
    simple_attr_write,
    simple_attr_write_signed,
    simple_read_from_buffer,
)
from sysfsd.linux.fs.open_exports import nonseekable_open
from sysfsd.linux.fs.seq_file_exports import open_single
from sysfsd.linux.lib.kobject import errors_ignored
from sysfsd.linux.lib.kstrtox_exports import kstrtobool_from_user

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("fs/debugfs/file.c")

ERRORS: Final = (1 << 64) - 4095

_S_IWUGO, _S_IRUGO = 0o222, 0o444

_READ: Final = "ssize_t {}(struct file *file, char *user_buf, size_t count, loff_t *ppos)"

_OPEN: Final = "int {}(struct inode *inode, struct file *file)"

#: How the kernel itself shows a variable: the C type, bytes, whether it has a sign, and the format.
_VARIABLES: Final = {
    "u8": ("u8", 1, False, b"%llu\n"),
    "u16": ("u16", 2, False, b"%llu\n"),
    "u32": ("u32", 4, False, b"%llu\n"),
    "u64": ("u64", 8, False, b"%llu\n"),
    "ulong": ("unsigned long", 8, False, b"%llu\n"),
    "x8": ("u8", 1, False, b"0x%02llx\n"),
    "x16": ("u16", 2, False, b"0x%04llx\n"),
    "x32": ("u32", 4, False, b"0x%08llx\n"),
    "x64": ("u64", 8, False, b"0x%016llx\n"),
    "size_t": ("size_t", 8, False, b"%llu\n"),
    "atomic_t": ("atomic_t", 4, True, b"%lld\n"),
}


def debugfs(kernel: Kernel) -> DebugFs:
    return kernel.state(DebugFs)


# Files


def create_entry(
    kernel: Kernel, name: bytes, mode: int, parent: int, data: int, fops: int, proxy: bool, size: int = 0
) -> int:
    mode = mode if stat.S_IFMT(mode) else mode | stat.S_IFREG
    fops = fops or _own_fops(kernel, "noop", _noop_fops)
    return debugfs(kernel).create(name, mode, parent, data, fops, proxy, size=size).dentry


def _own_fops(kernel: Kernel, name: str, functions: Callable[[Kernel], dict[str, int]]) -> int:
    """The address of a ``struct file_operations`` of the kernel's own.

    :param functions: makes the addresses of its functions, by member
    """
    known = debugfs(kernel).own_fops
    if name not in known:
        fops = kernel.struct("file_operations", kernel.slab.kmalloc(kernel.image.structs["file_operations"].size))
        for member, function in functions(kernel).items():
            fops[member] = function
        known[name] = fops.address
    return known[name]


def _noop_fops(kernel: Kernel) -> dict[str, int]:
    """``debugfs_noop_file_operations``: nothing to read, and all is taken."""
    internal, address_of = kernel.exports.internal, kernel.exports.address_of
    return {
        "open": address_of("simple_open"),
        "llseek": address_of("noop_llseek"),
        "read": internal(_READ.format("default_read_file"), lambda kernel, file, buf, count, ppos: 0),
        "write": internal(_READ.format("default_write_file"), lambda kernel, file, buf, count, ppos: count),
    }


# Access, while the file is there


def _entry(kernel: Kernel, dentry: int) -> DebugEntry:
    """:raises OSError: EIO where it is gone"""
    entry = debugfs(kernel).entry(dentry) if dentry else None
    if entry is None or entry.gone:
        raise err(errno.EIO)
    return entry


@contextmanager
def _access(kernel: Kernel, file: StructView) -> Iterator[None]:
    with _entry(kernel, file["f_path.dentry"]).users.using():
        yield


@export("int debugfs_file_get(struct dentry *dentry)")
def debugfs_file_get(kernel: Kernel, dentry: StructView) -> int:
    _entry(kernel, dentry.address).users.enter(kernel.current)
    return 0


@export("void debugfs_file_put(struct dentry *dentry)")
def debugfs_file_put(kernel: Kernel, dentry: StructView) -> None:
    entry = debugfs(kernel).entry(dentry.address)
    if entry is not None:
        entry.users.leave(kernel.current)


@export("const struct file_operations *debugfs_real_fops(const struct file *filp)")
def debugfs_real_fops(kernel: Kernel, filp: StructView) -> int:
    entry = debugfs(kernel).entry(filp["f_path.dentry"])
    return entry.fops if entry is not None else 0


# Numbers


@export("ssize_t debugfs_attr_read(struct file *file, char *buf, size_t len, loff_t *ppos)")
def debugfs_attr_read(kernel: Kernel, file: StructView, buf: int, len: int, ppos: int) -> int:
    with _access(kernel, file):
        return simple_attr_read(kernel, file, buf, len, ppos)


@export("ssize_t debugfs_attr_write(struct file *file, const void *buf, size_t len, loff_t *ppos)")
def debugfs_attr_write(kernel: Kernel, file: StructView, buf: int, len: int, ppos: int) -> int:
    with _access(kernel, file):
        return simple_attr_write(kernel, file, buf, len, ppos)


@export("ssize_t debugfs_attr_write_signed(struct file *file, const void *buf, size_t len, loff_t *ppos)")
def debugfs_attr_write_signed(kernel: Kernel, file: StructView, buf: int, len: int, ppos: int) -> int:
    with _access(kernel, file):
        return simple_attr_write_signed(kernel, file, buf, len, ppos)


def _number_fops(kernel: Kernel, kind: str, name: str, readable: bool, writable: bool) -> dict[str, int]:
    """``DEFINE_DEBUGFS_ATTRIBUTE()``."""
    _type, size, signed, fmt = _VARIABLES[kind]
    exports = kernel.exports
    function = f"debugfs_{kind.replace('x', 'u')}" if kind[0] == "x" else f"debugfs_{kind}"

    def get(kernel: Kernel, data: int, val: int) -> int:
        kernel.memory.write_int(val, kernel.memory.read_int(data, size, signed), 8)
        return 0

    def set_(kernel: Kernel, data: int, val: int) -> int:
        kernel.memory.write_int(data, val & (1 << 8 * size) - 1, size)
        return 0

    getter = exports.internal(f"int {function}_get(void *data, u64 *val)", get) if readable else 0
    setter = exports.internal(f"int {function}_set(void *data, u64 val)", set_) if writable else 0
    text = kernel.slab.string(fmt)

    def open_(kernel: Kernel, inode: StructView, file: StructView) -> int:
        return simple_attr_open(kernel, inode, file, getter, setter, text)

    return {
        "open": exports.internal(_OPEN.format(f"{name}_open"), open_),
        "release": exports.address_of("simple_attr_release"),
        "read": exports.address_of("debugfs_attr_read"),
        "write": exports.address_of("debugfs_attr_write_signed" if signed else "debugfs_attr_write"),
    }


def _by_mode(
    kernel: Kernel,
    name: bytes,
    mode: int,
    parent: int,
    value: int,
    fops: str,
    functions: Callable[[Kernel, str, bool, bool], dict[str, int]],
) -> None:
    """``debugfs_create_mode_unsafe()``: what the mode does not allow, the file cannot do.

    :param fops: what the operations are called
    :param functions: makes them, given their name and whether the file is to be read and to be written
    """
    readable, writable = True, bool(mode & _S_IWUGO)
    if not writable:
        fops += "_ro"
    elif not mode & _S_IRUGO:
        fops, readable = f"{fops}_wo", False
    with errors_ignored():
        address = _own_fops(kernel, fops, lambda kernel: functions(kernel, fops, readable, writable))
        create_entry(kernel, name, mode, parent, value, address, proxy=False)


def _variable(kind: str, type_: str) -> None:
    @export(f"void debugfs_create_{kind}(const char *name, umode_t mode, struct dentry *parent, {type_} *value)")
    def create(kernel: Kernel, name: bytes, mode: int, parent: StructView, value: StructView | int) -> None:
        address = value if isinstance(value, int) else value.address

        def functions(kernel: Kernel, fops: str, readable: bool, writable: bool) -> dict[str, int]:
            return _number_fops(kernel, kind, fops, readable, writable)

        _by_mode(kernel, name, mode, parent.address, address, f"fops_{kind}", functions)


for _kind, (_type, *_) in _VARIABLES.items():
    _variable(_kind, _type)


# Truth values


@export("ssize_t debugfs_read_file_bool(struct file *file, char *user_buf, size_t count, loff_t *ppos)")
def debugfs_read_file_bool(kernel: Kernel, file: StructView, user_buf: int, count: int, ppos: int) -> int:
    with _access(kernel, file):
        value = kernel.memory.read_int(file["private_data"], 1)
    return _read_text(kernel, user_buf, count, ppos, b"Y\n" if value else b"N\n")


def _read_text(kernel: Kernel, user_buf: int, count: int, ppos: int, text: bytes) -> int:
    buf = kernel.slab.kmalloc(len(text) + 1)
    try:
        kernel.memory.write(buf, text)
        return simple_read_from_buffer(kernel, user_buf, count, ppos, buf, len(text))
    finally:
        kernel.slab.kfree(buf)


@export("ssize_t debugfs_write_file_bool(struct file *file, const void *user_buf, size_t count, loff_t *ppos)")
def debugfs_write_file_bool(kernel: Kernel, file: StructView, user_buf: int, count: int, ppos: int) -> int:
    """What is no truth value changes nothing, and nothing is said."""
    value = kernel.slab.kmalloc(1)
    try:
        with errors_ignored():
            kstrtobool_from_user(kernel, user_buf, count, value)
            bv = kernel.memory.read_int(value, 1)
            with _access(kernel, file):
                kernel.memory.write_int(file["private_data"], bv, 1)
    finally:
        kernel.slab.kfree(value)
    return count


def _bool_fops(kernel: Kernel, fops: str, readable: bool, writable: bool) -> dict[str, int]:
    address_of = kernel.exports.address_of
    functions = {"open": address_of("simple_open"), "llseek": address_of("default_llseek")}
    if readable:
        functions["read"] = address_of("debugfs_read_file_bool")
    if writable:
        functions["write"] = address_of("debugfs_write_file_bool")
    return functions


@export("void debugfs_create_bool(const char *name, umode_t mode, struct dentry *parent, bool *value)")
def debugfs_create_bool(kernel: Kernel, name: bytes, mode: int, parent: StructView, value: int) -> None:
    _by_mode(kernel, name, mode, parent.address, value, "fops_bool", _bool_fops)


# Bytes, arrays, text of a device


def _read_blob(kernel: Kernel, file: StructView, user_buf: int, count: int, ppos: int) -> int:
    with _access(kernel, file):
        blob = kernel.struct("debugfs_blob_wrapper", file["private_data"])
        data, size = blob["data"], blob["size"]
        return simple_read_from_buffer(kernel, user_buf, count, ppos, data, size)


def _blob_fops(kernel: Kernel) -> dict[str, int]:
    address_of = kernel.exports.address_of
    return {
        "open": address_of("simple_open"),
        "llseek": address_of("default_llseek"),
        "read": kernel.exports.internal(_READ.format("read_file_blob"), _read_blob),
    }


@export(
    "struct dentry *debugfs_create_blob(const char *name, umode_t mode, struct dentry *parent,"
    " struct debugfs_blob_wrapper *blob)"
)
def debugfs_create_blob(kernel: Kernel, name: bytes, mode: int, parent: StructView, blob: StructView) -> int:
    fops = _own_fops(kernel, "fops_blob", _blob_fops)
    return create_entry(kernel, name, mode & _S_IRUGO, parent.address, blob.address, fops, proxy=False)


def _u32_array_open(kernel: Kernel, inode: StructView, file: StructView) -> int:
    """Eleven bytes a number, the last of which is cut."""
    array = kernel.struct("debugfs_u32_array", inode["i_private"])
    number = array["n_elements"]
    values = [kernel.memory.read_int(array["array"] + 4 * i) for i in range(number)]
    text = (b" ".join(b"%d" % value for value in values) + b"\n" if values else b"")[: max(0, 11 * number - 1)]
    file["private_data"] = kernel.slab.string(text)
    return nonseekable_open(kernel, inode, file)


def _u32_array_read(kernel: Kernel, file: StructView, user_buf: int, count: int, ppos: int) -> int:
    text = file["private_data"]
    size = len(kernel.memory.read_string(text))
    return simple_read_from_buffer(kernel, user_buf, count, ppos, text, size)


def _u32_array_release(kernel: Kernel, inode: StructView, file: StructView) -> int:
    kernel.slab.kfree(file["private_data"])
    return 0


def _u32_array_fops(kernel: Kernel) -> dict[str, int]:
    internal = kernel.exports.internal
    return {
        "open": internal(_OPEN.format("u32_array_open"), _u32_array_open),
        "release": internal(_OPEN.format("u32_array_release"), _u32_array_release),
        "read": internal(_READ.format("u32_array_read"), _u32_array_read),
    }


@export(
    "void debugfs_create_u32_array(const char *name, umode_t mode, struct dentry *parent,"
    " struct debugfs_u32_array *array)"
)
def debugfs_create_u32_array(kernel: Kernel, name: bytes, mode: int, parent: StructView, array: StructView) -> None:
    with errors_ignored():
        fops = _own_fops(kernel, "u32_array_fops", _u32_array_fops)
        create_entry(kernel, name, mode, parent.address, array.address, fops, proxy=False)


def _devm_entry_open(kernel: Kernel, inode: StructView, file: StructView) -> int:
    read, dev = (kernel.memory.read_pointer(inode["i_private"] + 8 * i) for i in range(2))
    open_single(kernel, file, read, dev)
    return 0


def _devm_entry_fops(kernel: Kernel) -> dict[str, int]:
    address_of = kernel.exports.address_of
    return {
        "open": kernel.exports.internal(_OPEN.format("debugfs_devm_entry_open"), _devm_entry_open),
        "release": address_of("single_release"),
        "read": address_of("seq_read"),
        "llseek": address_of("seq_lseek"),
    }


@export(
    "void debugfs_create_devm_seqfile(struct device *dev, const char *name, struct dentry *parent,"
    " int (*read_fn)(struct seq_file *, void *))"
)
def debugfs_create_devm_seqfile(kernel: Kernel, dev: StructView, name: bytes, parent: StructView, read_fn: int) -> None:
    if parent.address >= ERRORS:
        return
    core = kernel.state(DriverCore)
    with errors_ignored():
        entry = core.devres.alloc(0, 16)
        core.devres.add(dev, entry)
        kernel.memory.write_pointer(entry, read_fn)
        kernel.memory.write_pointer(entry + 8, dev.address)
        fops = _own_fops(kernel, "debugfs_devm_entry_ops", _devm_entry_fops)
        create_entry(kernel, name, _S_IRUGO, parent.address, entry, fops, proxy=True)
