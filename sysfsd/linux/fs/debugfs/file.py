"""Open files of debugfs, which may be taken away while they are open (fs/debugfs/file.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.fs.vfs import File, check, fops_get, replace_fops

if TYPE_CHECKING:
    from sysfsd.linux.fs.debugfs.inode import DebugEntry
    from sysfsd.linux.system import Kernel

__all__ = ["DebugFile"]

_EPOLLHUP: Final = 0x10
#: What a file's operations can be reached for through a proxy, and what that answers when the file is gone.
_PROXY: Final = {
    "llseek": -errno.EIO,
    "read": -errno.EIO,
    "write": -errno.EIO,
    "poll": _EPOLLHUP,
    "unlocked_ioctl": -errno.EIO,
}


class DebugFile(File):
    """An open file."""

    def __init__(self, kernel: Kernel, entry: DebugEntry, flags: int) -> None:
        assert entry.inode is not None
        super().__init__(kernel, entry.inode, flags)
        self._entry = entry

    def operation(self, name: str) -> int:
        if self._entry.proxy and name not in _PROXY and name != "release":
            return 0
        return super().operation(name)

    def call(self, name: str, *args: int, site: str = "") -> int:
        entry = self._entry
        if not entry.proxy or name == "release":
            return super().call(name, *args, site=site or f"debugfs_{name}" if entry.proxy else site)
        if entry.gone:
            return _PROXY[name]
        with entry.users.using():
            return super().call(name, *args, site=site or f"debugfs_{name}")

    def open_entry(self) -> File:
        """``full_proxy_open()``, ``open_proxy_open()``.

        :raises OSError: ENOENT where the file is gone, ENXIO where its module is going, and what its own ``open`` says
        """
        return self.open(lambda file: self._open())

    def _open(self) -> None:
        entry, kernel = self._entry, self.kernel
        if entry.gone:
            raise err(errno.ENOENT)
        with entry.users.using():
            if not fops_get(kernel, entry.fops):
                raise err(errno.ENXIO)
            replace_fops(self, entry.fops)
            function = File.operation(self, "open")
            if function:
                ret = (
                    self.run(
                        function,
                        self.inode.address,
                        self.address,
                        site="debugfs_open" if entry.proxy else "debugfs_open_unsafe",
                    )
                    & 0xFFFFFFFF
                )
                check(ret - (1 << 32) if ret >> 31 else ret)
