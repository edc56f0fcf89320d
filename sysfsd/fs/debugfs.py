"""/sys/kernel/debug: what modules make there (fs/debugfs/)."""

from __future__ import annotations

import errno
import stat
from typing import Final

from sysfsd.fs.dynamic_debug import control
from sysfsd.fs.kernfs import Directory, File, FileSystemType, Node, OpenContext, OpenFile, SeqFile, Symlink
from sysfsd.linux.err import err
from sysfsd.linux.fs.debugfs.file import DebugFile
from sysfsd.linux.fs.debugfs.inode import DebugEntry, DebugFs
from sysfsd.linux.kernel.cred import Cred
from sysfsd.linux.kernel.kprobes import Kprobes
from sysfsd.linux.system import Kernel

__all__ = ["debugfs"]

DEBUGFS: Final = FileSystemType(create=errno.EACCES)


def debugfs(kernel: Kernel) -> Directory:
    """The root of the file system."""
    return _Entries(kernel).root


def _kprobes(kernel: Kernel, cred: Cred) -> bytes:
    with kernel.lock:
        return kernel.state(Kprobes).listing(kernel.kallsyms_show_value(cred))


class _DebugDirectory(Directory):
    """A directory, which lists what is newest first (fs/libfs.c, dcache_readdir())."""

    def listing(self) -> tuple[int, list[str]]:
        return super().listing()[0], list(self.children)[::-1]


class _DebugFile(File):
    """A file that a module has made."""

    def __init__(self, kernel: Kernel, entry: DebugEntry) -> None:
        super().__init__(stat.S_IMODE(entry.mode))
        self._kernel = kernel
        self._entry = entry

    @property
    def size(self) -> int:
        return self._entry.size

    def open(self, context: OpenContext) -> OpenFile:
        """:raises OSError: ENOENT where it is gone, and what the module says"""
        with self._kernel.lock:
            if self._entry.gone:
                raise err(errno.ENOENT)
            return DebugFile(self._kernel, self._entry, context.flags).open_entry()


class _Entries:
    """Shows what there is, and follows the kernel as entries come and go."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        fs = kernel.state(DebugFs)
        own: dict[str, Node] = {
            "kprobes": _DebugDirectory({"list": SeqFile(lambda cred: lambda: _kprobes(kernel, cred), 0o400)}),
            "dynamic_debug": _DebugDirectory({"control": control(kernel)}),
        }
        self.root = _DebugDirectory(own, 0o700, DEBUGFS)
        self._nodes: dict[DebugEntry, Node] = {fs.root: self.root}
        for entry in fs.root.children.values():
            self.root.add(entry.name, self._node(entry))
        fs.observer = self

    def _node(self, entry: DebugEntry) -> Node:
        node: Node
        match stat.S_IFMT(entry.mode):
            case stat.S_IFDIR:
                node = _DebugDirectory(
                    {child.name: self._node(child) for child in entry.children.values()}, stat.S_IMODE(entry.mode)
                )
            case stat.S_IFLNK:
                node = Symlink(entry.target.decode("latin-1"))
            case _:
                node = _DebugFile(self._kernel, entry)
        self._nodes[entry] = node
        return node

    # The kernel says

    def added(self, entry: DebugEntry) -> None:
        assert entry.parent is not None
        parent = self._nodes[entry.parent]
        assert isinstance(parent, Directory)
        parent.add(entry.name, self._node(entry))

    def removed(self, entry: DebugEntry, parent: DebugEntry, name: str) -> None:
        directory = self._nodes.get(parent)
        if isinstance(directory, Directory) and name in directory.children:
            directory.remove(name)
        self._forget(entry)

    def _forget(self, entry: DebugEntry) -> None:
        self._nodes.pop(entry, None)
        for child in entry.children.values():
            self._forget(child)
