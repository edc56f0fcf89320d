"""Open operations that drivers use as they are."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.fs.d_path_exports import path_text
from sysfsd.linux.fs.vfs import FMode

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("fs/open.c")

#: ``O_LARGEFILE``, and from how many bytes on a file is a large one.
_LARGEFILE: Final = (0o100000, (1 << 31) - 1)


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


@export("char *file_path(struct file *filp, char *buf, int buflen)")
def file_path(kernel: Kernel, filp: StructView, buf: int, buflen: int) -> int:
    return path_text(kernel, filp.to("f_path.dentry"), buf, buflen)
