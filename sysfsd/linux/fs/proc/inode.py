"""Open entries of /proc, which may be taken away while they are open (fs/proc/inode.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final, NamedTuple

from sysfsd.linux.err import err
from sysfsd.linux.fs.vfs import DEFAULT_POLLMASK, File, FMode, check

if TYPE_CHECKING:
    from sysfsd.linux.fs.proc.generic import ProcEntry
    from sysfsd.linux.system import Kernel

__all__ = ["ProcFile"]

#: Stands for the address of a function of the kernel's own.
_OWN: Final = 1


class _Operation(NamedTuple):
    """One of ``proc_reg_file_ops``: the member of ``struct proc_ops`` that it calls.

    *missing* is what it answers where there is none, and *gone* where the entry is.
    """

    member: str
    missing: int
    gone: int


_OPERATIONS: Final = {
    "llseek": _Operation("proc_lseek", -errno.EINVAL, -errno.EINVAL),
    "read": _Operation("proc_read", -errno.EIO, -errno.EIO),
    "read_iter": _Operation("proc_read_iter", -errno.EIO, -errno.EIO),
    "write": _Operation("proc_write", -errno.EIO, -errno.EIO),
    "poll": _Operation("proc_poll", DEFAULT_POLLMASK, DEFAULT_POLLMASK),
    "unlocked_ioctl": _Operation("proc_ioctl", -errno.ENOTTY, -errno.ENOTTY),
    "mmap": _Operation("proc_mmap", -errno.EIO, -errno.EIO),
}


class ProcFile(File):
    """An open entry."""

    def __init__(self, kernel: Kernel, entry: ProcEntry, flags: int) -> None:
        super().__init__(kernel, entry.get_inode(), flags)
        self._entry = entry
        self._ops = kernel.struct("proc_ops", entry.operations)
        self._closing = False

    def operation(self, name: str) -> int:
        if name in ("read", "read_iter"):
            return _OWN if self._entry.read_iter == (name == "read_iter") else 0
        return _OWN if name in _OPERATIONS or name == "release" else 0

    def call(self, name: str, *args: int, site: str = "") -> int:
        entry = self._entry
        if name == "release":
            if self in entry.openers:
                self.close()
            return 0
        operation = _OPERATIONS[name]
        if entry.gone:
            return operation.gone
        with entry.users.using():
            function = self._ops[operation.member]
            return self.run(function, *args, site=f"proc_{name}") if function else operation.missing

    def open_entry(self) -> File:
        """``proc_reg_open()``.

        :raises OSError: ENOENT where the entry is gone, and what its own ``proc_open`` says
        """
        return self.open(lambda file: self._open())

    def _open(self) -> None:
        entry = self._entry
        if not entry.seekable:
            self.view["f_mode"] &= ~FMode.LSEEK
        if entry.gone:
            raise err(errno.ENOENT)
        with entry.users.using():
            releases, function = self._ops["proc_release"], self._ops["proc_open"]
            if function:
                ret = self.run(function, self.inode.address, self.address, site="proc_open") & 0xFFFFFFFF
                check(ret - (1 << 32) if ret >> 31 else ret)
            if releases:
                entry.openers.insert(0, self)

    def close(self) -> None:
        """``close_pdeo()``: either the last descriptor is closed, or the entry is taken away."""
        entry = self._entry
        if self._closing:
            while self in entry.openers and not self.kernel.sched.ended():
                entry.users.changed.wait(1)
            return
        self._closing = True
        try:
            self.run(self._ops["proc_release"], self.inode.address, self.address, site="proc_release")
        finally:
            entry.openers.remove(self)
            entry.users.changed.notify_all()
