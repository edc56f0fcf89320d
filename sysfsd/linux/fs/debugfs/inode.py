"""The entries of /sys/kernel/debug that modules make (fs/debugfs/inode.c).

Whoever shows them walks the tree from :attr:`DebugFs.root`.
"""

from __future__ import annotations

import errno
import stat
from typing import TYPE_CHECKING, Final, Protocol

from sysfsd.linux.err import err
from sysfsd.linux.fs.users import Users
from sysfsd.linux.fs.vfs import Inode

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

__all__ = ["DebugEntry", "DebugFs", "DebugObserver"]

_MANY: Final = 1 << 16
#: ``DEBUGFS_FSDATA_IS_REAL_FOPS_BIT``: what ``d_fsdata`` holds are the file's operations.
_IS_REAL_FOPS: Final = 1


class DebugEntry:
    """A file, directory or link, whose ``struct dentry`` lies at *dentry*.

    :param fops: the address of its file operations; 0: none
    :param proxy: whether it is opened in such a way that it can be taken away meanwhile
    :param target: where a link leads
    """

    def __init__(
        self,
        kernel: Kernel,
        name: str,
        mode: int,
        parent: DebugEntry | None,
        data: int = 0,
        fops: int = 0,
        proxy: bool = True,
        target: bytes = b"",
        size: int = 0,
    ) -> None:
        self.name = name
        self.mode = mode
        self.parent = parent
        self.fops = fops
        self.proxy = proxy
        self.target = target
        self.size = size or len(target)
        self.gone = False
        self.children: dict[str, DebugEntry] = {}
        self.users = Users(kernel)
        self.inode = Inode(kernel, name, mode, 0, 0, 0, self.size, 0, data) if parent is not None else None

    @property
    def dentry(self) -> int:
        """0 for the root, as modules say NULL."""
        return self.inode.dentry.address if self.inode is not None else 0


class DebugObserver(Protocol):
    """What shows the entries to users."""

    def added(self, entry: DebugEntry) -> None: ...

    def removed(self, entry: DebugEntry, parent: DebugEntry, name: str) -> None:
        """*entry*, with all below it, is no more where it was."""


class DebugFs:
    """The entries of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.observer: DebugObserver | None = None
        self.root = DebugEntry(kernel, "/", stat.S_IFDIR | 0o700, None)
        self._by_dentry: dict[int, DebugEntry] = {}
        self._path: list[Inode] = []
        #: Operations of the kernel's own, by what they are called.
        self.own_fops: dict[str, int] = {}

    def _mount_point(self) -> int:
        """The address of the ``struct dentry`` that the file system is mounted on."""
        above = 0
        for name in ("sys", "kernel", "debug") if not self._path else ():
            inode = Inode(self._kernel, name, stat.S_IFDIR | 0o755)
            if above:
                inode.dentry["d_parent"] = above
            self._path.append(inode)
            above = inode.dentry.address
        return self._path[-1].dentry.address

    def entry(self, dentry: int) -> DebugEntry | None:
        """The entry of the ``struct dentry`` at *dentry*; NULL is the root."""
        return self._by_dentry.get(dentry) if dentry else self.root

    def _start_creating(self, name: bytes, parent: int) -> tuple[DebugEntry, str]:
        """``start_creating()``: the directory that something is to be made in.

        :raises OSError: EEXIST after a word in the log, ENOMEM, or the error that *parent* is
        """
        if parent > (1 << 64) - 4096:
            raise err((1 << 64) - parent)
        above, text = self.entry(parent), name.decode("latin-1")
        kernel = self._kernel
        if above is None:
            kernel.struct("dentry", parent)["d_inode"]
            raise err(errno.ENOENT)
        if not text or "/" in text:
            raise err(errno.EACCES)
        found = above.children.get(text)
        if found is not None:
            if stat.S_ISDIR(found.mode):
                kernel.log.pr_err(f"debugfs: Directory '{text}' with parent '{above.name}' already present!")
            else:
                kernel.log.pr_err(f"debugfs: File '{text}' in directory '{above.name}' already present!")
            raise err(errno.EEXIST)
        if len(above.children) >= _MANY:
            raise err(errno.ENOMEM)
        return above, text

    def create(
        self,
        name: bytes,
        mode: int,
        parent: int,
        data: int = 0,
        fops: int = 0,
        proxy: bool = True,
        target: bytes = b"",
        size: int = 0,
    ) -> DebugEntry:
        """:raises OSError: EEXIST after a word in the log, ENOMEM, or the error that *parent* is"""
        above, text = self._start_creating(name, parent)
        entry = DebugEntry(self._kernel, text, mode, above, data, fops, proxy, target, size)
        assert entry.inode is not None
        dentry = entry.inode.dentry
        dentry["d_parent"] = above.dentry or self._mount_point()
        dentry["d_fsdata"] = fops | _IS_REAL_FOPS if fops else 0
        self._by_dentry[entry.dentry] = entry
        self._put(entry, above, text)
        return entry

    def _put(self, entry: DebugEntry, above: DebugEntry, name: str) -> None:
        entry.parent, entry.name = above, name
        above.children[name] = entry
        if self.observer is not None:
            self.observer.added(entry)

    def _take(self, entry: DebugEntry) -> None:
        parent = entry.parent
        if parent is not None and parent.children.get(entry.name) is entry:
            del parent.children[entry.name]
            if self.observer is not None:
                self.observer.removed(entry, parent, entry.name)

    def remove(self, entry: DebugEntry) -> None:
        """``debugfs_remove()``: take an entry away, with all below it, when nobody is in it any more."""
        if entry.parent is None:
            return
        self._take(entry)
        order = [entry]
        for gone in order:
            order.extend(reversed(gone.children.values()))
            gone.children = {}
        for gone in reversed(order):
            gone.gone = True
            gone.users.drain()
            if self._by_dentry.pop(gone.dentry, None) is not None and gone.inode is not None:
                gone.inode.put()

    def rename(self, entry: DebugEntry, parent: DebugEntry, name: bytes) -> None:
        """``debugfs_rename()``.

        :raises OSError: EEXIST
        """
        text = name.decode("latin-1")
        if entry.parent is parent and entry.name == text:
            return
        if text in parent.children or entry.inode is None:
            raise err(errno.EEXIST)
        self._take(entry)
        entry.inode.rename(name)
        self._put(entry, parent, text)
