"""The entries of /sys/kernel/debug that modules make (fs/debugfs/inode.c).

Whoever shows them walks the tree from :attr:`DebugFs.root`.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sysfsd.kernel.err import err

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel

__all__ = ["DebugEntry", "DebugFs"]

_S_IFDIR: Final = 0o040000
_MANY: Final = 1 << 16


@dataclass(eq=False)
class DebugEntry:
    """A file or directory, whose ``struct dentry`` lies at *dentry*."""

    name: str
    mode: int
    parent: DebugEntry | None
    dentry: int = 0
    inode: int = 0
    data: int = 0
    #: The file operations, or how the kernel itself shows what is at *data*: ``u32``, ``x8``, ``bool``...
    fops: int = 0
    kind: str = ""
    target: bytes = b""
    children: dict[str, DebugEntry] = field(default_factory=dict)


class DebugFs:
    """The entries of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.root = DebugEntry("/", _S_IFDIR | 0o700, None)
        self._by_dentry: dict[int, DebugEntry] = {}

    def entry(self, dentry: int) -> DebugEntry | None:
        """The entry of the ``struct dentry`` at *dentry*; NULL is the root."""
        return self._by_dentry.get(dentry) if dentry else self.root

    def create(
        self, name: bytes, mode: int, parent: int, data: int = 0, fops: int = 0, kind: str = "", target: bytes = b""
    ) -> DebugEntry:
        """:raises OSError: EEXIST after a word in the log, ENOMEM, or the error that *parent* is"""
        if parent > (1 << 64) - 4096:
            raise err((1 << 64) - parent)
        above, text = self.entry(parent), name.decode("latin-1")
        kernel = self._kernel
        if above is None:
            kernel.struct("dentry", parent)["d_inode"]
            raise err(errno.ENOENT)
        if text in above.children:
            if above.children[text].mode & _S_IFDIR:
                kernel.log.pr_err(f"debugfs: Directory '{text}' with parent '{above.name}' already present!")
            else:
                kernel.log.pr_err(f"debugfs: File '{text}' in directory '{above.name}' already present!")
            raise err(errno.EEXIST)
        if len(above.children) >= _MANY:
            raise err(errno.ENOMEM)
        entry = DebugEntry(text, mode, above, data=data, fops=fops, kind=kind, target=target)
        entry.dentry = kernel.slab.kmalloc(kernel.image.structs["dentry"].size)
        entry.inode = kernel.slab.kmalloc(kernel.image.structs["inode"].size)
        dentry, inode = kernel.struct("dentry", entry.dentry), kernel.struct("inode", entry.inode)
        dentry["d_parent"], dentry["d_inode"] = above.dentry or entry.dentry, entry.inode
        dentry["d_name.name"], dentry["d_name.len"] = kernel.slab.string(name), len(name)
        inode["i_mode"], inode["i_private"] = mode, data
        above.children[text] = entry
        self._by_dentry[entry.dentry] = entry
        return entry

    def remove(self, entry: DebugEntry) -> None:
        """``debugfs_remove()``: take an entry away, with all below it."""
        if entry.parent is None:
            return
        entry.parent.children.pop(entry.name, None)
        slab = self._kernel.slab
        waiting = [entry]
        while waiting:
            gone = waiting.pop()
            waiting.extend(gone.children.values())
            gone.children.clear()
            if self._by_dentry.pop(gone.dentry, None) is not None:
                slab.kfree(self._kernel.struct("dentry", gone.dentry)["d_name.name"])
                slab.kfree(gone.inode)
                slab.kfree(gone.dentry)
