"""Seek operations that drivers use as they are."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.fs.vfs import FMode, check, signed

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("fs/read_write.c")

_OFFSET_MAX: Final = (1 << 63) - 1


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
    return no_seek_end_llseek_size(kernel, file, offset, whence, _OFFSET_MAX)


@export("loff_t vfs_llseek(struct file *file, loff_t offset, int whence)")
def vfs_llseek(kernel: Kernel, file: StructView, offset: int, whence: int) -> int:
    if not file["f_mode"] & FMode.LSEEK:
        raise err(errno.ESPIPE)
    return check(signed(kernel.cpu.call_long(file.to("f_op")["llseek"], file.address, offset, whence)))
