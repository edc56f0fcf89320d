"""What operations of files are made of: copies from a buffer, positions, those that only look like one."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.fs.open_exports import nonseekable_open
from sysfsd.linux.kernel.locking.mutex_exports import mutex_lock_interruptible, mutex_unlock
from sysfsd.linux.lib.kstrtox import INT_TYPES, kstrto
from sysfsd.linux.lib.list import INIT_LIST_HEAD
from sysfsd.linux.lib.vsprintf import vsnprintf
from sysfsd.linux.mm.memory import PAGE_SIZE
from sysfsd.linux.mm.slab_exports import __check_object_size as check_object_size
from sysfsd.linux.mm.uaccess import Uaccess

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("fs/libfs.c")

#: The bytes of a transaction that stand before its data (``struct simple_transaction_argresp``).
_TRANSACTION: Final = 8


class OneArgument:
    """The one argument of a format."""

    def __init__(self, value: int) -> None:
        self._value = value

    def arg(self) -> int:
        return self._value


# Buffers


def _position(kernel: Kernel, ppos: int) -> int:
    return kernel.memory.read_int(ppos, 8, signed=True)


@export(
    "ssize_t simple_read_from_buffer(void *to, size_t count, loff_t *ppos, const void *from, size_t available)",
)
def simple_read_from_buffer(kernel: Kernel, to: int, count: int, ppos: int, from_: int, available: int) -> int:
    pos = _position(kernel, ppos)
    if pos < 0:
        raise err(errno.EINVAL)
    if pos >= available or not count:
        return 0
    count = min(count, available - pos)
    check_object_size(kernel, from_ + pos, count, True)
    left = kernel.state(Uaccess).copy_to_user(to, kernel.memory.read(from_ + pos, count))
    if left == count:
        raise err(errno.EFAULT)
    kernel.memory.write_int(ppos, pos + count - left, 8)
    return count - left


@export(
    "ssize_t simple_write_to_buffer(void *to, size_t available, loff_t *ppos, const void *from, size_t count)",
)
def simple_write_to_buffer(kernel: Kernel, to: int, available: int, ppos: int, from_: int, count: int) -> int:
    pos = _position(kernel, ppos)
    if pos < 0:
        raise err(errno.EINVAL)
    if pos >= available or not count:
        return 0
    count = min(count, available - pos)
    check_object_size(kernel, to + pos, count, False)
    data = kernel.state(Uaccess).copy_from_user(from_, count)
    kernel.memory.write(to + pos, data.ljust(count, b"\0"))
    if not data:
        raise err(errno.EFAULT)
    kernel.memory.write_int(ppos, pos + len(data), 8)
    return len(data)


@export(
    "ssize_t memory_read_from_buffer(void *to, size_t count, loff_t *ppos, const void *from, size_t available)",
)
def memory_read_from_buffer(kernel: Kernel, to: int, count: int, ppos: int, from_: int, available: int) -> int:
    pos = _position(kernel, ppos)
    if pos < 0:
        raise err(errno.EINVAL)
    count = max(0, min(count, available - pos))
    if count:
        kernel.memory.write(to, kernel.memory.read(from_ + pos, count))
        kernel.memory.write_int(ppos, pos + count, 8)
    return count


# Opening


@export("int simple_open(struct inode *inode, struct file *file)")
def simple_open(kernel: Kernel, inode: StructView, file: StructView) -> int:
    if inode["i_private"]:
        file["private_data"] = inode["i_private"]
    return 0


# Attributes: one number as text, from and to functions of a module


@export(
    "int simple_attr_open(struct inode *inode, struct file *file, int (*get)(void *, u64 *), int (*set)(void *, u64),"
    " const void *fmt)"
)
def simple_attr_open(kernel: Kernel, inode: StructView, file: StructView, get: int, set: int, fmt: int) -> int:
    attr = kernel.struct("simple_attr", kernel.slab.kmalloc(kernel.image.structs["simple_attr"].size))
    attr["get"], attr["set"], attr["data"], attr["fmt"] = get, set, inode["i_private"], fmt
    INIT_LIST_HEAD(kernel.memory, attr.at("mutex.wait_list"))
    file["private_data"] = attr.address
    return nonseekable_open(kernel, inode, file)


@export("int simple_attr_release(struct inode *inode, struct file *file)")
def simple_attr_release(kernel: Kernel, inode: StructView, file: StructView) -> int:
    kernel.slab.kfree(file["private_data"])
    return 0


@contextmanager
def _attr_locked(kernel: Kernel, attr: StructView) -> Iterator[None]:
    """:raises OSError: ERESTARTSYS where a signal comes first"""
    error = mutex_lock_interruptible(kernel, attr.sub("mutex"))
    if error:
        raise err(-error)
    try:
        yield
    finally:
        mutex_unlock(kernel, attr.sub("mutex"))


def _attr_site(kernel: Kernel, function: str, operation: str) -> str:
    """From where a function of an attribute is called, if the kernel itself has called the file's operation."""
    sites, sp = kernel.image.call_sites, kernel.current.sp
    caller = kernel.memory.read_pointer(sp) if sp else 0
    through = (via for via in ("debugfs", "file") if sites[f"{via}_{operation}"][0] == caller)
    return next((f"attr_{function}.{via}" for via in through), "")


@export("ssize_t simple_attr_read(struct file *file, char *buf, size_t len, loff_t *ppos)")
def simple_attr_read(kernel: Kernel, file: StructView, buf: int, count: int, ppos: int) -> int:
    attr = kernel.struct("simple_attr", file["private_data"])
    if not attr["get"]:
        raise err(errno.EACCES)
    with _attr_locked(kernel, attr):
        if not _position(kernel, ppos) or not attr.string("get_buf"):
            val = kernel.slab.kmalloc(8)
            try:
                ret = kernel.cpu.call(attr["get"], attr["data"], val, site=_attr_site(kernel, "get", "read"))
                if ret:
                    return ret
                attr["get_buf"] = vsnprintf(kernel, attr.string("fmt"), OneArgument(kernel.memory.read_pointer(val)))
            finally:
                kernel.slab.kfree(val)
        size = len(attr.string("get_buf"))
        return simple_read_from_buffer(kernel, buf, count, ppos, attr.at("get_buf"), size)


def _attr_write(kernel: Kernel, file: StructView, buf: int, size: int, kind: str) -> int:
    """``simple_attr_write_xsigned()``."""
    attr = kernel.struct("simple_attr", file["private_data"])
    if not attr["set"]:
        raise err(errno.EACCES)
    with _attr_locked(kernel, attr):
        count = min(attr.struct.member("set_buf").size - 1, size)
        data = kernel.state(Uaccess).copy_from_user(buf, count)
        if len(data) < count:
            raise err(errno.EFAULT)
        attr["set_buf"] = data
        value = kstrto(INT_TYPES[kind], data.split(b"\0", 1)[0])
        return kernel.cpu.call(attr["set"], attr["data"], value, site=_attr_site(kernel, "set", "write")) or size


@export("ssize_t simple_attr_write(struct file *file, const void *buf, size_t len, loff_t *ppos)")
def simple_attr_write(kernel: Kernel, file: StructView, buf: int, len: int, ppos: int) -> int:
    return _attr_write(kernel, file, buf, len, "ull")


@export("ssize_t simple_attr_write_signed(struct file *file, const void *buf, size_t len, loff_t *ppos)")
def simple_attr_write_signed(kernel: Kernel, file: StructView, buf: int, len: int, ppos: int) -> int:
    return _attr_write(kernel, file, buf, len, "ll")


# Transactions: one write, whose result is then read


@export("char *simple_transaction_get(struct file *file, const void *buf, size_t size)")
def simple_transaction_get(kernel: Kernel, file: StructView, buf: int, size: int) -> int:
    if size > PAGE_SIZE - _TRANSACTION - 1:
        raise err(errno.EFBIG)
    if file["private_data"]:
        raise err(errno.EBUSY)
    file["private_data"] = page = kernel.slab.kmalloc(PAGE_SIZE)
    data = kernel.state(Uaccess).copy_from_user(buf, size)
    kernel.memory.write(page + _TRANSACTION, data)
    if len(data) < size:
        raise err(errno.EFAULT)
    return page + _TRANSACTION


@export("void simple_transaction_set(struct file *file, size_t n)")
def simple_transaction_set(kernel: Kernel, file: StructView, n: int) -> None:
    kernel.memory.write_int(file["private_data"], n, 8)


@export("ssize_t simple_transaction_read(struct file *file, char *buf, size_t size, loff_t *pos)")
def simple_transaction_read(kernel: Kernel, file: StructView, buf: int, size: int, pos: int) -> int:
    page = file["private_data"]
    if not page:
        return 0
    available = kernel.memory.read_int(page, 8)
    return simple_read_from_buffer(kernel, buf, size, pos, page + _TRANSACTION, available)


@export("int simple_transaction_release(struct inode *inode, struct file *file)")
def simple_transaction_release(kernel: Kernel, inode: StructView, file: StructView) -> int:
    kernel.slab.kfree(file["private_data"])
    return 0
