"""What operations of files are made of: copies from a buffer, positions, those that only look like one."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from sysfsd.kernel.err import err
from sysfsd.kernel.exports.locking import mutex_lock_interruptible, mutex_unlock
from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.exports.slab import __check_object_size as check_object_size
from sysfsd.kernel.kstrtox import INT_TYPES, kstrto
from sysfsd.kernel.list import INIT_LIST_HEAD
from sysfsd.kernel.memory import PAGE_SIZE
from sysfsd.kernel.uaccess import Uaccess
from sysfsd.kernel.vfs import FileOwners, FMode, check, signed
from sysfsd.kernel.vsprintf import vsnprintf

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("libfs", "fs/libfs.c, fs/read_write.c, fs/open.c, fs/fcntl.c, fs/d_path.c")

_OFFSET_MAX: Final = (1 << 63) - 1
_FASYNC: Final = 0o20000
_FASYNC_MAGIC: Final = 0x4601
#: The bytes of a transaction that stand before its data (``struct simple_transaction_argresp``).
_TRANSACTION: Final = 8
#: ``O_LARGEFILE``, and from how many bytes on a file is a large one.
_LARGEFILE: Final = (0o100000, (1 << 31) - 1)


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


@export("int generic_file_open(struct inode *inode, struct file *filp)")
def generic_file_open(kernel: Kernel, inode: StructView, filp: StructView) -> int:
    flag, limit = _LARGEFILE
    if not filp["f_flags"] & flag and inode["i_size"] > limit:
        raise err(errno.EOVERFLOW)
    return 0


@export("int nonseekable_open(struct inode *inode, struct file *filp)")
def nonseekable_open(kernel: Kernel, inode: StructView, filp: StructView) -> int:
    filp["f_mode"] &= ~(FMode.LSEEK | FMode.PREAD | FMode.PWRITE)
    return 0


@export("int stream_open(struct inode *inode, struct file *filp)")
def stream_open(kernel: Kernel, inode: StructView, filp: StructView) -> int:
    filp["f_mode"] &= ~(FMode.LSEEK | FMode.PREAD | FMode.PWRITE | FMode.ATOMIC_POS)
    filp["f_mode"] |= FMode.STREAM
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
    return nonseekable_open(kernel, inode, file)  # type: ignore[no-any-return]


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
        return simple_read_from_buffer(kernel, buf, count, ppos, attr.at("get_buf"), size)  # type: ignore[no-any-return]


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
    return simple_read_from_buffer(kernel, buf, size, pos, page + _TRANSACTION, available)  # type: ignore[no-any-return]


@export("int simple_transaction_release(struct inode *inode, struct file *file)")
def simple_transaction_release(kernel: Kernel, inode: StructView, file: StructView) -> int:
    kernel.slab.kfree(file["private_data"])
    return 0


# Positions


def _setpos(file: StructView, offset: int, limit: int) -> int:
    """``vfs_setpos()``.

    :raises OSError: EINVAL
    """
    if (offset < 0 and not file["f_mode"] & FMode.UNSIGNED_OFFSET) or offset > limit:
        raise err(errno.EINVAL)
    if offset != file["f_pos"]:
        file["f_pos"], file["f_version"] = offset, 0
    return offset


def _llseek(file: StructView, offset: int, whence: int, limit: int, eof: int) -> int:
    """``generic_file_llseek_size()``."""
    match whence:
        case os.SEEK_END:
            offset += eof
        case os.SEEK_CUR if not offset:
            return file["f_pos"]
        case os.SEEK_CUR:
            offset += file["f_pos"]
        case os.SEEK_DATA | os.SEEK_HOLE:
            if not 0 <= offset < eof:
                raise err(errno.ENXIO)
            offset = eof if whence == os.SEEK_HOLE else offset
    return _setpos(file, offset, limit)


@export("loff_t noop_llseek(struct file *file, loff_t offset, int whence)")
def noop_llseek(kernel: Kernel, file: StructView, offset: int, whence: int) -> int:
    return file["f_pos"]


@export("loff_t default_llseek(struct file *file, loff_t offset, int whence)")
def default_llseek(kernel: Kernel, file: StructView, offset: int, whence: int) -> int:
    return _llseek(file, offset, whence, _OFFSET_MAX, file.to("f_inode")["i_size"])


@export("loff_t generic_file_llseek(struct file *file, loff_t offset, int whence)")
def generic_file_llseek(kernel: Kernel, file: StructView, offset: int, whence: int) -> int:
    inode = file.to("f_inode")
    return _llseek(file, offset, whence, inode.to("i_sb")["s_maxbytes"], inode["i_size"])


@export("loff_t generic_file_llseek_size(struct file *file, loff_t offset, int whence, loff_t maxsize, loff_t eof)")
def generic_file_llseek_size(kernel: Kernel, file: StructView, offset: int, whence: int, maxsize: int, eof: int) -> int:
    return _llseek(file, offset, whence, maxsize, eof)


@export("loff_t fixed_size_llseek(struct file *file, loff_t offset, int whence, loff_t size)")
def fixed_size_llseek(kernel: Kernel, file: StructView, offset: int, whence: int, size: int) -> int:
    if whence not in (os.SEEK_SET, os.SEEK_CUR, os.SEEK_END):
        raise err(errno.EINVAL)
    return _llseek(file, offset, whence, size, size)


@export("loff_t no_seek_end_llseek_size(struct file *file, loff_t offset, int whence, loff_t size)")
def no_seek_end_llseek_size(kernel: Kernel, file: StructView, offset: int, whence: int, size: int) -> int:
    if whence not in (os.SEEK_SET, os.SEEK_CUR):
        raise err(errno.EINVAL)
    return _llseek(file, offset, whence, size, 0)


@export("loff_t no_seek_end_llseek(struct file *file, loff_t offset, int whence)")
def no_seek_end_llseek(kernel: Kernel, file: StructView, offset: int, whence: int) -> int:
    return no_seek_end_llseek_size(kernel, file, offset, whence, _OFFSET_MAX)  # type: ignore[no-any-return]


@export("loff_t vfs_llseek(struct file *file, loff_t offset, int whence)")
def vfs_llseek(kernel: Kernel, file: StructView, offset: int, whence: int) -> int:
    if not file["f_mode"] & FMode.LSEEK:
        raise err(errno.ESPIPE)
    return check(signed(kernel.cpu.call_long(file.to("f_op")["llseek"], file.address, offset, whence)))


# Signals for those who want to be told


@export("int fasync_helper(int fd, struct file *filp, int on, struct fasync_struct **fapp)")
def fasync_helper(kernel: Kernel, fd: int, filp: StructView, on: int, fapp: int) -> int:
    """:returns: whether the list has changed"""
    memory, place = kernel.memory, fapp
    while (address := memory.read_pointer(place)) != 0:
        entry = kernel.struct("fasync_struct", address)
        if entry["fa_file"] == filp.address:
            break
        place = entry.at("fa_next")
    if not on:
        if address:
            memory.write_pointer(place, kernel.struct("fasync_struct", address)["fa_next"])
            kernel.slab.kfree(address)
        filp["f_flags"] &= ~_FASYNC
        return int(address != 0)
    if address:
        kernel.struct("fasync_struct", address)["fa_fd"] = fd
        return 0
    new = kernel.struct("fasync_struct", kernel.slab.kmalloc(kernel.image.structs["fasync_struct"].size))
    new["magic"], new["fa_file"], new["fa_fd"] = _FASYNC_MAGIC, filp.address, fd
    new["fa_next"] = memory.read_pointer(fapp)
    memory.write_pointer(fapp, new.address)
    filp["f_flags"] |= _FASYNC
    return 1


@export("void kill_fasync(struct fasync_struct **fp, int sig, int band)")
def kill_fasync(kernel: Kernel, fp: int, sig: int, band: int) -> None:
    """``kill_fasync_rcu()``: whoever owns one of the files is sent SIGIO."""
    address = kernel.memory.read_pointer(fp)
    while address:
        entry = kernel.struct("fasync_struct", address)
        owner, signum = kernel.state(FileOwners).pids.get(entry["fa_file"], 0), entry.to("fa_file")["f_owner.signum"]
        if owner and (sig != signal.SIGURG or signum):
            with suppress(OSError):  # it is gone, or another user's
                kernel.send_signal(owner, signum or signal.SIGIO, b"")
        address = entry["fa_next"]


# Paths


@export("void dput(struct dentry *dentry)")
def dput(kernel: Kernel, dentry: StructView) -> None:
    """Whoever has made an entry of a directory keeps it."""
    if dentry.address:
        dentry["d_lockref.count"] -= 1


def dentry_path(kernel: Kernel, dentry: StructView) -> bytes:
    """The path of a directory entry."""
    names: list[bytes] = []
    while dentry["d_parent"] != dentry.address:
        names.append(kernel.memory.read(dentry["d_name.name"], dentry["d_name.len"]))
        dentry = dentry.to("d_parent")
    return b"/" + b"/".join(reversed(names))


def _path(kernel: Kernel, dentry: StructView, buf: int, buflen: int) -> int:
    """A path at the end of a buffer.

    :returns: its address
    :raises OSError: ENAMETOOLONG
    """
    text = dentry_path(kernel, dentry) + b"\0"
    if len(text) > buflen:
        raise err(errno.ENAMETOOLONG)
    kernel.memory.write(buf + buflen - len(text), text)
    return buf + buflen - len(text)


@export("char *d_path(const struct path *path, char *buf, int buflen)")
def d_path(kernel: Kernel, path: StructView, buf: int, buflen: int) -> int:
    return _path(kernel, path.to("dentry"), buf, buflen)


@export("char *file_path(struct file *filp, char *buf, int buflen)")
def file_path(kernel: Kernel, filp: StructView, buf: int, buflen: int) -> int:
    return _path(kernel, filp.to("f_path.dentry"), buf, buflen)


@export("char *dentry_path_raw(const struct dentry *dentry, char *buf, int buflen)")
def dentry_path_raw(kernel: Kernel, dentry: StructView, buf: int, buflen: int) -> int:
    return _path(kernel, dentry, buf, buflen)
