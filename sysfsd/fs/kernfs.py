"""Nodes that synthetic file systems are made of (fs/kernfs/, fs/seq_file.c).

A tree is written as a literal: ``Directory({"refcnt": Attribute(...), "holders": Directory()})``. Each kind of node has
one way of behaving.

Locking: names, modes and links may be looked up at any moment, by any thread, without a lock: each step is one
operation on a dict. The host holds its own lock on a directory while it waits for such an answer, and a change that
somebody makes under the kernel lock waits for the host's; an answer that waited for the kernel lock would close the
circle. Only what a file contains is read and written under the kernel lock.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from types import TracebackType
from typing import Final, NamedTuple, Protocol, runtime_checkable
from weakref import WeakValueDictionary

from sysfsd.linux.err import err
from sysfsd.linux.fs.vfs import DEFAULT_POLLMASK
from sysfsd.linux.kernel.cred import Cred

__all__ = [
    "Attribute",
    "BinAttribute",
    "Directory",
    "File",
    "FileSystemType",
    "Lower",
    "Node",
    "OpenContext",
    "OpenFile",
    "Pollable",
    "Seekable",
    "SeqFile",
    "Symlink",
    "Tree",
    "kernfs_order",
    "proc_order",
]

PAGE_SIZE: Final = 4096
_S_IWUGO: Final = 0o222
_S_IRUGO: Final = 0o444
_NO_LOCK: Final = nullcontext()
#: ``EPOLLERR | EPOLLPRI``.
_NEW_VALUE: Final = 0xA


class FileSystemType(NamedTuple):
    """What the file systems that are played here differ in: what they answer to changes, and how they look."""

    #: open(2) with O_CREAT of a new name.
    create: int = errno.EPERM
    #: Any other way to make a new name: mkdir, mknod, symlink, link, and rename to it.
    make: int = errno.EPERM
    #: unlink, rmdir, and rename to a name that is there.
    remove: int = errno.EPERM
    #: chmod and chown; 0 where they work.
    setattr: int = 0
    #: ``st_blksize`` (bytes).
    blksize: int = 4096
    #: The key by which a directory lists its names.
    order: Callable[[str], tuple[int, str]] = lambda name: (0, name)


class Node:
    """A file of any kind: who may do what with it, and since when it is there.

    :param mode: permission bits
    """

    type = 0

    def __init__(self, mode: int) -> None:
        self.mode = mode
        self.uid: int | None = None
        self.gid: int | None = None
        self.atime = self.mtime = self.ctime = time.time_ns()
        self._has_iattr = False
        self.parent: Directory | None = None
        self.name = ""
        #: Its number, from when somebody outside may have a copy of its name and attributes; 0: nobody has.
        self.ino = 0
        #: What it is besides its type, where the host must not see that it is one: ``S_IFCHR``, ``S_IFBLK``.
        self.special = 0
        self.rdev = 0

    @property
    def size(self) -> int:
        return 0

    @property
    def nlink(self) -> int:
        return 1

    @property
    def root(self) -> Node:
        """The topmost node above this one."""
        node: Node = self
        while node.parent is not None:
            node = node.parent
        return node

    @property
    def active(self) -> bool:
        """``kernfs_active()``: whether the node, and all that it lies in, is still where it was put."""
        return isinstance(self.root, Tree)

    def path(self) -> str:
        """The node's path from the root of its tree, with a leading slash; that of the root is empty."""
        return "" if self.parent is None else f"{self.parent.path()}/{self.name}"

    @property
    def fstype(self) -> FileSystemType:
        """The file system that the node belongs to: the next directory above that begins one says so."""
        node: Directory | None = self if isinstance(self, Directory) else self.parent
        while node is not None:
            if node.own_fstype is not None:
                return node.own_fstype
            node = node.parent
        return FileSystemType()

    def chmod(self, mode: int) -> None:
        """:raises OSError: EPERM where the file system does not let modes change"""
        self._change_attributes()
        self.mode = stat.S_IMODE(mode)

    def chown(self, uid: int, gid: int) -> None:
        """-1 leaves the user or the group as it is."""
        self._change_attributes()
        if uid != -1:
            self.uid = uid
        if gid != -1:
            self.gid = gid

    def utimens(self, atime: int | None, mtime: int | None) -> None:
        """Set the times, in nanoseconds since the epoch; None leaves one as it is."""
        self._setattr()
        self.atime = self.atime if atime is None else atime
        self.mtime = self.mtime if mtime is None else mtime

    def truncate(self, length: int = 0) -> None:
        """There is no length to change, but it counts as a change."""
        self._setattr()
        self.mtime = self.ctime

    def _change_attributes(self) -> None:
        if self.fstype.setattr:
            raise err(self.fstype.setattr)
        self._setattr()

    def _setattr(self) -> None:
        """``__kernfs_setattr()``: the first change is also when the node gets times of its own."""
        self.ctime = time.time_ns()
        if not self._has_iattr:
            self._has_iattr = True
            self.atime = self.mtime = self.ctime


# Directories


@lru_cache(maxsize=1 << 14)
def kernfs_order(name: str) -> tuple[int, str]:
    """Sysfs lists a directory by ``kernfs_name_hash()``."""
    mask = (1 << 64) - 1
    value = 0
    for char in name.encode("latin-1", "replace"):
        value = (value + (char << 4) + (char >> 4)) * 11 & mask
    value = (value * 0x61C8864680B583EB & mask) >> 32 & 0x7FFFFFFF
    return min(value + 2 if value < 2 else value, 0x7FFFFFFE), name


def proc_order(name: str) -> tuple[int, str]:
    """Procfs keeps its entries by length, then by name (fs/proc/generic.c, proc_match())."""
    return len(name), name


class Directory(Node):
    """A directory.

    :param children: the nodes in it by name, or a function that makes them when they are first asked for
    :param fstype: the file system that begins here; None: that of the directory above
    :param nlink: a fixed link count, for a file system that does not count subdirectories
    """

    type = stat.S_IFDIR

    def __init__(
        self,
        children: Mapping[str, Node] | Callable[[], Mapping[str, Node]] | None = None,
        mode: int = 0o755,
        fstype: FileSystemType | None = None,
        nlink: int | None = None,
    ) -> None:
        super().__init__(mode)
        self.own_fstype = fstype
        self._nlink = nlink
        self._children: dict[str, Node] = {}
        self._subdirectories = 0
        #: How often names have come or gone, and the names in order as of some such count.
        self._generation = 0
        self._sorted: tuple[int, list[str]] = (-1, [])
        self._make: Callable[[], Mapping[str, Node]] | None = None
        if callable(children):
            self._make = children
        else:
            self._adopt(children or {})

    def _adopt(self, children: Mapping[str, Node]) -> None:
        for name, node in children.items():
            node.parent, node.name = self, name
            if isinstance(node, Directory):
                self._subdirectories += 1
        self._children.update(children)

    @property
    def children(self) -> dict[str, Node]:
        make = self._make
        if make is not None:
            made = make()
            if self._make is not None:  # unless another thread was faster
                self._adopt(made)
                self._make = None
        return self._children

    @property
    def nlink(self) -> int:
        return 2 + self._subdirectories if self._nlink is None else self._nlink

    def listing(self) -> tuple[int, list[str]]:
        """A number that is another when names have come or gone, and the names in the directory's order."""
        generation, names = self._sorted
        if generation != self._generation:
            generation = self._generation  # read first: what changes from here on makes this list an old one
            names = list(self.children)  # at one stroke: other threads may be adding
            names.sort(key=self.fstype.order)
            self._sorted = (generation, names)
        return generation, names

    def names(self) -> list[str]:
        return self.listing()[1]

    def add(self, name: str, node: Node, tell: bool = True) -> None:
        """Put a node into the directory, for everyone to see.

        :param tell: the host as well; not while it carries out that very change
        """
        self._adopt({name: node})
        self.touch(name, tell)

    def remove(self, name: str, tell: bool = True) -> None:
        """Take a node out, with all below; files that are open answer ENODEV from now on."""
        node = self.children.pop(name)
        if isinstance(node, Directory):
            self._subdirectories -= 1
        node.parent = None
        self.touch(name, tell, node)

    # What users may change: nothing, unless the file system says otherwise

    def create(self, name: str, mode: int, cred: Cred) -> File:
        """open(2) with O_CREAT of a name that is not there."""
        raise err(self.fstype.create)

    def mknod(self, name: str, mode: int, rdev: int, cred: Cred) -> None:
        raise err(self.fstype.make)

    def mkdir(self, name: str, mode: int, cred: Cred) -> None:
        raise err(self.fstype.make)

    def symlink(self, name: str, target: str, cred: Cred) -> None:
        raise err(self.fstype.make)

    def unlink(self, name: str) -> None:
        raise err(self.fstype.remove)

    def rmdir(self, name: str) -> None:
        raise err(self.fstype.remove)

    def rename(self, name: str, to: Directory, new: str) -> None:
        raise err(to.fstype.remove if new in to.children else to.fstype.make)

    def touch(self, name: str, tell: bool = True, removed: Node | None = None) -> None:
        """Tell everyone that a name has come, gone, or changed its attributes.

        :param removed: what has gone
        """
        self._generation += 1
        if not tell:
            return
        root = self.root
        if isinstance(root, Tree):
            for watcher in root.watchers:
                watcher(self, name, removed)


class Lower(Protocol):
    """What lies below a tree: names that the tree itself does not have. A path has no slash in front."""

    def node(self, path: str) -> Node | None:
        """What *path*, which ends in such a name, is to be."""

    def names(self, path: str) -> Iterable[str]:
        """The names in a directory."""

    def covers(self, path: str) -> bool:
        """Whether there may be any names in a directory, now or later."""


class Tree(Directory):
    """The root of a tree; *watchers* are told of each name that comes or goes, once it has, and of what has gone."""

    def __init__(self, children: Mapping[str, Node]) -> None:
        super().__init__(children, fstype=FileSystemType())
        self.watchers: list[Callable[[Directory, str, Node | None], None]] = []
        self.lower: Lower | None = None
        #: Nodes of what lies below that somebody has, by path: they stay the same as long as what they stand for does.
        self._lower_nodes: WeakValueDictionary[str, Node] = WeakValueDictionary()

    def child(self, directory: Directory, name: str) -> Node | None:
        """What a name in a directory of this tree leads to."""
        child = directory.children.get(name)
        if child is None and self.lower is not None:
            path = f"{directory.path()}/{name}"[1:]
            child = self.lower.node(path)
            if child is None:
                return None
            known = self._lower_nodes.get(path)
            if type(known) is type(child) and getattr(known, "target", None) == getattr(child, "target", None):
                return known
            child.parent, child.name = directory, name
            self._lower_nodes[path] = child
        return child

    def list(self, directory: Directory) -> list[str]:
        """The names in a directory, in its order, then what lies below."""
        names = directory.names()
        if self.lower is None:
            return names
        below = self.lower.names(directory.path()[1:])
        return [*names, *(name for name in below if name not in directory.children)]

    def lookup(self, path: str) -> Node:
        """The node at *path*, symbolic links not followed.

        :raises OSError: ENOENT, ENOTDIR
        """
        node: Node = self
        for name in path.split("/"):
            if not name:
                continue
            if not isinstance(node, Directory):
                raise err(errno.ENOTDIR)
            child = self.child(node, name)
            if child is None:
                raise err(errno.ENOENT)
            node = child
        return node


class Symlink(Node):
    """A symbolic link."""

    type = stat.S_IFLNK

    def __init__(self, target: str) -> None:
        super().__init__(0o777)
        self.target = target


# Files


@dataclass(slots=True)
class OpenContext:
    """Who opened a file, and how: the flags of open(2), which fcntl(2) may change later.

    ``interrupted`` tells a read that waits whether its caller has stopped waiting; ``comm`` is the caller's name.
    """

    cred: Cred
    flags: int = os.O_RDONLY
    #: Who is writing right now, where that is not who opened the file.
    writer: Cred | None = None
    interrupted: Callable[[], bool] = field(default=lambda: False)
    comm: Callable[[], str] = field(default=lambda: "swapper/0")

    @property
    def current(self) -> Cred:
        """The process on whose behalf a write() is carried out."""
        return self.writer or self.cred

    @property
    def readable(self) -> bool:
        return self.flags & os.O_ACCMODE in (os.O_RDONLY, os.O_RDWR)

    @property
    def writable(self) -> bool:
        return self.flags & os.O_ACCMODE in (os.O_WRONLY, os.O_RDWR)


class OpenFile(Protocol):
    """``struct file``: what open() returns."""

    def read(self, size: int, offset: int) -> bytes: ...

    def write(self, data: bytes, offset: int) -> int: ...

    def release(self) -> None:
        """Called when the last descriptor is closed."""


@runtime_checkable
class Seekable(Protocol):
    """A file that has been opened, and has its own idea of lseek(2)."""

    def llseek(self, offset: int, whence: int) -> int:
        """Go somewhere; returns the new position."""


@runtime_checkable
class Pollable(Protocol):
    """A file that has been opened, and does not always have events."""

    def poll(self, wake: Callable[[], None] | None) -> int:
        """The events that there are (``POLL*``); *wake* is called once when there may be others."""


class File(Node):
    """A regular file."""

    type = stat.S_IFREG
    #: To open, read or write it runs no module code, waits for nothing but the kernel lock, and changes no names.
    prompt = False

    def open(self, context: OpenContext) -> OpenFile:
        raise err(errno.ENXIO)


class _SeqBuffer:
    """``struct seq_file``: text that is made when reading begins, and handed out from there on."""

    def __init__(self, show: Callable[[], bytes]) -> None:
        self._show = show
        self._text: bytes | None = None
        self._position = 0

    def read(self, size: int, offset: int) -> bytes:
        if self._text is None or offset == 0 or offset != self._position:
            self._text = self._show()
        data = self._text[offset : offset + size]
        self._position = offset + len(data)
        return data

    def release(self) -> None:
        self._text = None


class _KernfsFile(File):
    """A file whose contents can be taken away.

    :param lock: held by whoever takes the node out of its tree. A node is a context for those who read and write: it
        stays as long as they are there
    """

    def __init__(self, mode: int, lock: AbstractContextManager[object], prompt: bool = False) -> None:
        super().__init__(mode)
        self._lock = lock
        self.prompt = prompt

    def __enter__(self) -> None:
        """``kernfs_get_active()``.

        :raises OSError: ENODEV where the node is gone
        """
        self._lock.__enter__()
        if not self.active:
            self._lock.__exit__(None, None, None)
            raise err(errno.ENODEV)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        exc_traceback: TracebackType | None,
    ) -> None:
        """``kernfs_put_active()``."""
        self._lock.__exit__(exc_type, exc_value, exc_traceback)

    def check_open(self, context: OpenContext, readable: bool, writable: bool) -> None:
        """``kernfs_fop_open()``: not even root gets past the mode, or what the file can do.

        :raises OSError: EACCES
        """
        if context.writable and not (self.mode & _S_IWUGO and writable):
            raise err(errno.EACCES)
        if context.readable and not (self.mode & _S_IRUGO and readable):
            raise err(errno.EACCES)


class Attribute(_KernfsFile):
    """A sysfs attribute: one value as text.

    :param show: the value's text
    :param store: takes what one write() brings, and returns how much of it that was (None: all), or raises what that
        write answers
    :param readable: whether it can be opened for reading at all, whatever its mode becomes
    :param writable: likewise
    """

    def __init__(
        self,
        mode: int,
        show: Callable[[], bytes] | None = None,
        store: Callable[[bytes], int | None] | None = None,
        lock: AbstractContextManager[object] = _NO_LOCK,
        readable: bool = True,
        writable: bool = True,
        prompt: bool = False,
    ) -> None:
        super().__init__(mode, lock, prompt)
        self.show = show
        self.store = store
        self.readable = readable
        self.writable = writable
        #: How often it has been said that the value is another, and whom to tell the next time.
        self.event = 1
        self.pollers: dict[OpenFile, Callable[[], None]] = {}

    @property
    def size(self) -> int:
        return PAGE_SIZE

    def open(self, context: OpenContext) -> OpenFile:
        """:raises OSError: EACCES, ENODEV"""
        if not self.active:
            raise err(errno.ENODEV)
        self.check_open(context, self.readable, self.writable)
        return _OpenAttribute(self)

    def notify(self) -> None:
        """``kernfs_notify()``."""
        self.event += 1
        while self.pollers:
            self.pollers.popitem()[1]()


class _OpenAttribute:
    def __init__(self, node: Attribute) -> None:
        self._node = node
        self._buffer = _SeqBuffer(node.show or _no_show)
        #: What was the count when the value was read.
        self._event = 0

    def poll(self, wake: Callable[[], None] | None) -> int:
        """``kernfs_fop_poll()``: there is always something to read; a new value is an exception."""
        if not self._node.active:
            return DEFAULT_POLLMASK | _NEW_VALUE
        if wake is not None:
            self._node.pollers[self] = wake
        return DEFAULT_POLLMASK | (_NEW_VALUE if self._event != self._node.event else 0)

    def read(self, size: int, offset: int) -> bytes:
        with self._node:
            self._event = self._node.event
            return self._buffer.read(size, offset)

    def write(self, data: bytes, offset: int) -> int:
        """One write() is one value, wherever in the file it is said to go."""
        data = data[:PAGE_SIZE]
        taken: int | None = None
        with self._node:
            if data:
                taken = (self._node.store or _no_store)(data)
        return len(data) if taken is None else min(taken, len(data))

    def release(self) -> None:
        self._node.pollers.pop(self, None)
        self._buffer.release()


def _no_show() -> bytes:
    """Stands for a show that an attribute does not have, where its mode has been changed to allow it."""
    raise err(errno.EIO)


def _no_store(data: bytes) -> int:
    """The same for store."""
    raise err(errno.EIO)


class BinAttribute(_KernfsFile):
    """A sysfs binary attribute.

    :param size: bytes in it; 0: as many as there are
    :param read: returns the bytes at an offset, at most so many, for whoever opened the file
    :param write: takes bytes for an offset, and returns how many
    """

    def __init__(
        self,
        mode: int,
        size: int,
        read: Callable[[Cred, int, int], bytes] | None,
        lock: AbstractContextManager[object] = _NO_LOCK,
        write: Callable[[int, bytes], int] | None = None,
        prompt: bool = False,
    ) -> None:
        super().__init__(mode, lock, prompt)
        self._size = size
        self.read = read
        self.write = write

    @property
    def size(self) -> int:
        return self._size

    def open(self, context: OpenContext) -> OpenFile:
        """:raises OSError: EACCES, ENODEV"""
        if not self.active:
            raise err(errno.ENODEV)
        self.check_open(context, self.read is not None, self.write is not None)
        return _OpenBinAttribute(self, context.cred)


class _OpenBinAttribute:
    def __init__(self, node: BinAttribute, cred: Cred) -> None:
        self._node = node
        self._cred = cred

    def read(self, size: int, offset: int) -> bytes:
        size = min(size, PAGE_SIZE)
        if self._node.size:
            size = min(size, self._node.size - offset)
        with self._node:
            if self._node.read is None:
                raise err(errno.EIO)
            return self._node.read(self._cred, offset, size) if size > 0 else b""

    def write(self, data: bytes, offset: int) -> int:
        """:raises OSError: EFBIG behind the end"""
        data = data[:PAGE_SIZE]
        with self._node:
            if self._node.size:
                if self._node.size <= offset:
                    raise err(errno.EFBIG)
                data = data[: self._node.size - offset]
            if self._node.write is None:
                raise err(errno.EIO)
            return min(self._node.write(offset, data), len(data)) if data else 0

    def release(self) -> None:
        pass


class SeqFile(File):
    """A procfs file that is made anew each time it is read from its beginning.

    :param open_: called for whoever opens the file; returns the function that makes the text
    :param write: takes what one write() brings, and returns how much of it that was
    """

    def __init__(
        self,
        open_: Callable[[Cred], Callable[[], bytes]],
        mode: int = 0o444,
        write: Callable[[bytes], int] | None = None,
    ) -> None:
        super().__init__(mode)
        self.prompt = write is None
        self._open = open_
        self._write = write or _no_store

    def open(self, context: OpenContext) -> OpenFile:
        return _OpenSeqFile(self._open(context.cred), self._write)


class _OpenSeqFile(_SeqBuffer):
    def __init__(self, show: Callable[[], bytes], write: Callable[[bytes], int]) -> None:
        super().__init__(show)
        self._write = write

    def write(self, data: bytes, offset: int) -> int:
        return self._write(data)
