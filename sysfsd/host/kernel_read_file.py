"""Reading a file of the host for the kernel, as the kernel reads one (fs/kernel_read_file.c)."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from typing import Final

from sysfsd.linux.err import err
from sysfsd.linux.kernel.module.syscalls import MODULE_FILE_MAX

__all__ = ["kernel_read_file"]

#: The largest that finit_module(2) would read (bytes).
_INT_MAX: Final = (1 << 31) - 1


def _deny_write_access(fd: int, flags: int) -> None:
    """``deny_write_access()``: the host tells who may lease a file whether anybody has it open for writing.

    :raises OSError: ETXTBSY
    """
    writable = flags & os.O_ACCMODE == os.O_RDWR
    try:
        with open(f"/proc/self/fd/{fd}", "rb") as file:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        # Where the file is not ours to lease, what we know is whether this descriptor is one of a writer.
        if error.errno == errno.EAGAIN or writable:
            raise err(errno.ETXTBSY) from None


def kernel_read_file(fd: int) -> bytes:
    """``kernel_read_file_from_fd()``.

    :raises OSError: EBADF for a descriptor that cannot be read, EINVAL for what is no regular file or is empty, ETXTBSY
        for one that is open for writing too, EFBIG, ENOMEM, EIO where the file is shorter than it says
    """
    try:
        status, flags = os.fstat(fd), fcntl.fcntl(fd, fcntl.F_GETFL)
    except OSError:
        raise err(errno.EBADF) from None
    if flags & os.O_PATH or flags & os.O_ACCMODE == os.O_WRONLY:
        raise err(errno.EBADF)
    if not stat.S_ISREG(status.st_mode):
        raise err(errno.EINVAL)
    _deny_write_access(fd, flags)
    if status.st_size == 0:
        raise err(errno.EINVAL)
    if status.st_size > MODULE_FILE_MAX:
        raise err(errno.EFBIG if status.st_size > _INT_MAX else errno.ENOMEM)
    chunks: list[bytes] = []
    offset = 0
    while offset < status.st_size and (chunk := os.pread(fd, status.st_size - offset, offset)):
        chunks.append(chunk)
        offset += len(chunk)
    if offset != status.st_size:
        raise err(errno.EIO)
    return b"".join(chunks)
