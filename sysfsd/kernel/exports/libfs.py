"""What operations of files are made of: copies from a buffer, positions, those that only look like one."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from sysfsd.kernel.err import err
from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.exports.slab import __check_object_size as check_object_size
from sysfsd.kernel.uaccess import Uaccess
from sysfsd.kernel.vfs import FMode, check, signed

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("libfs", "fs/libfs.c, fs/read_write.c, fs/open.c, fs/fcntl.c, fs/d_path.c")

_OFFSET_MAX: Final = (1 << 63) - 1
_FASYNC: Final = 0o20000
_FASYNC_MAGIC: Final = 0x4601
#: ``O_LARGEFILE``, and from how many bytes on a file is a large one.
_LARGEFILE: Final = (0o100000, (1 << 31) - 1)

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
    """The host keeps to itself who owns a file: nobody to be told."""
    kernel.memory.read_pointer(fp)


# Paths


def _path(kernel: Kernel, dentry: StructView, buf: int, buflen: int) -> int:
    """A path at the end of a buffer.

    :returns: its address
    :raises OSError: ENAMETOOLONG
    """
    names: list[bytes] = []
    while dentry["d_parent"] != dentry.address:
        names.append(kernel.memory.read(dentry["d_name.name"], dentry["d_name.len"]))
        dentry = dentry.to("d_parent")
    text = b"/" + b"/".join(reversed(names)) + b"\0"
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
