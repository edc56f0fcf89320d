"""Opening a file of the host for whoever asked, as that process would have opened it (path_resolution(7)).

The path starts at the process's own root or working directory, symbolic links do not lead out of its root, and the
host checks its user's rights, not the daemon's.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from typing import Final

from sysfsd.host.callers import fs_credentials
from sysfsd.host.libc import syscall
from sysfsd.linux.err import err
from sysfsd.linux.kernel.cred import Cred

__all__ = ["open_as"]

_SYS_OPENAT2: Final = 437
_RESOLVE_NO_MAGICLINKS: Final = 0x02
_RESOLVE_IN_ROOT: Final = 0x10


def _openat2(root: int, path: bytes, flags: int) -> int:
    how = struct.pack("<QQQ", flags, 0, _RESOLVE_IN_ROOT | _RESOLVE_NO_MAGICLINKS)
    return syscall(_SYS_OPENAT2, ctypes.c_int(root), path, how, ctypes.c_size_t(len(how)))


def open_as(cred: Cred, path: bytes) -> int:
    """Open *path* for reading on behalf of the process ``cred.pid``.

    :returns: a descriptor
    :raises OSError: as open(2); ESRCH if the process is gone
    """
    if not path:
        raise err(errno.ENOENT)
    try:
        root = os.open(f"/proc/{cred.pid}/root", os.O_PATH | os.O_DIRECTORY)
    except FileNotFoundError:
        raise err(errno.ESRCH) from None
    try:
        if not path.startswith(b"/"):
            path = _cwd_below_root(cred.pid) + b"/" + path
        with fs_credentials(cred):
            return _openat2(root, path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    finally:
        os.close(root)


def _cwd_below_root(pid: int) -> bytes:
    """The process's working directory as a path from its own root."""
    root, cwd = (os.readlink(f"/proc/{pid}/{name}".encode()) for name in ("root", "cwd"))
    if root != b"/" and (cwd + b"/").startswith(root + b"/"):
        cwd = cwd[len(root) :]
    return cwd
