"""/dev: the nodes of devices, and what users put beside them (drivers/base/devtmpfs.c, mm/shmem.c).

What a user does here happens without the kernel lock: the host holds its own on the directory meanwhile.
Follows kernel/printk/printk.c (devkmsg_*) and Documentation/ABI/testing/dev-kmsg for /dev/kmsg.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from sysfsd.fs.kernfs import Directory, File, FileSystemType, Node, OpenContext, OpenFile, Symlink
from sysfsd.linux.block.fops import blkdev_open
from sysfsd.linux.block.genhd import Disks
from sysfsd.linux.drivers.base.devtmpfs import DevNode, Devtmpfs
from sysfsd.linux.err import err
from sysfsd.linux.fs import vfs
from sysfsd.linux.kernel.cred import Capability, Cred
from sysfsd.linux.kernel.printk.printk import LOG_LINE_MAX
from sysfsd.linux.lib.ratelimit import RatelimitState
from sysfsd.linux.system import Kernel

__all__ = ["Device", "DeviceDirectory", "RamFile", "dev", "mknod"]

_LOG_USER: Final = 1
#: How often a reader that waits looks whether its caller still does (seconds).
_INTERRUPT_POLL: Final = 0.1
#: What a file may hold, and all of them together (bytes).
_FILE_MAX: Final = 1 << 20
_FILES_MAX: Final = 16 << 20
#: How many nodes there may be, those of devices not counted.
_NODES_MAX: Final = 4096
_NAME_MAX: Final = 255
#: Types that need no privilege to be made.
_HARMLESS: Final = (stat.S_IFREG, stat.S_IFIFO, stat.S_IFSOCK)


def dev(kernel: Kernel) -> DeviceDirectory:
    """The directory /dev, which from now on follows what happens to devices."""
    store = _Store(kernel)
    root = DeviceDirectory(store, {"kmsg": Kmsg(kernel)}, fstype=FileSystemType())
    devtmpfs = kernel.state(Devtmpfs)
    for node in devtmpfs.nodes.values():
        root.create_node(node)
    devtmpfs.watchers.append(lambda node, comes: (root.create_node if comes else root.delete_node)(node))
    return root


def mknod(directory: Directory, name: str, mode: int, rdev: int, cred: Cred) -> None:
    """mknod(2) that the host does not know of.

    :param mode: type and permissions, those of the caller's umask left out
    :raises OSError: EEXIST, EACCES, EPERM
    """
    if name in directory.children:
        raise err(errno.EEXIST)
    _may_write(directory, cred)
    if stat.S_IFMT(mode) not in (0, *_HARMLESS) and not cred.capable(Capability.MKNOD):
        raise err(errno.EPERM)
    directory.mknod(name, mode, rdev, cred)
    directory.touch(name)


def _may_write(directory: Directory, cred: Cred) -> None:
    """``inode_permission()``: write and search.

    :raises OSError: EACCES
    """
    shift = 6 if cred.uid == (directory.uid or 0) else 3 if cred.gid == (directory.gid or 0) else 0
    if directory.mode >> shift & 3 != 3 and not cred.capable(Capability.DAC_OVERRIDE):
        raise err(errno.EACCES)


class _Store:
    """What the file system's nodes have in common."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._lock = threading.Lock()
        self._used = self._nodes = 0
        #: Of nodes that are gone: given back when somebody has the kernel lock anyway.
        self.inodes: deque[vfs.Inode] = deque()

    def charge(self, size: int, nodes: int = 0) -> None:
        """Account for *size* bytes more or less.

        :raises OSError: ENOSPC
        """
        with self._lock:
            if (size > 0 and self._used + size > _FILES_MAX) or (nodes > 0 and self._nodes + nodes > _NODES_MAX):
                raise err(errno.ENOSPC)
            self._used += size
            self._nodes += nodes


class Device(File):
    """The node of a device: who opens it reaches whoever serves its number. The host sees a regular file."""

    def __init__(self, store: _Store, mode: int, rdev: int) -> None:
        super().__init__(stat.S_IMODE(mode))
        self.special, self.rdev = stat.S_IFMT(mode), rdev
        #: The kernel has made it, and takes it away.
        self.own = False
        self._store = store
        self._inode: vfs.Inode | None = None

    def open(self, context: OpenContext) -> OpenFile:
        """:raises OSError: ENXIO where nobody serves the device, and what its own ``open`` says"""
        kernel = self._store.kernel
        with kernel.lock:
            if self.special != stat.S_IFCHR:
                return self._open_block(context)
            while self._store.inodes:
                self._store.inodes.popleft().put()
            inode = self._inode
            if inode is None:
                inode = self._inode = vfs.Inode(
                    kernel, self.name, self.special | self.mode, self.rdev, self.uid or 0, self.gid or 0
                )
            return vfs.File(kernel, inode, context.flags).open(vfs.chrdev_open)

    def _open_block(self, context: OpenContext) -> OpenFile:
        file = blkdev_open(self._store.kernel, self.rdev, context.flags)
        if context.writable:
            file.released = self._written
        return file

    def _written(self) -> None:
        """The host takes the node for a regular file, which writing to changes."""
        if isinstance(self.parent, Directory):
            self.parent.touch(self.name)

    @property
    def size(self) -> int:
        """That of a disk, without which programs would not go anywhere in it."""
        part = self._store.kernel.state(Disks).bdev.by_devt.get(self.rdev) if self.special == stat.S_IFBLK else None
        return part.size if part is not None else 0

    def truncate(self, length: int = 0) -> None:
        """:raises OSError: EINVAL; open(2) with O_TRUNC does nothing"""
        raise err(errno.EINVAL)

    def drop(self) -> None:
        """The node is gone; what is open stays so."""
        inode, self._inode = self._inode, None
        if inode is not None:
            self._store.inodes.append(inode)


class RamFile(File):
    """A regular file in memory."""

    def __init__(self, store: _Store, mode: int) -> None:
        super().__init__(mode)
        self._store = store
        self._data = bytearray()
        self._lock = threading.Lock()
        self._opened = 0
        self._gone = False

    @property
    def size(self) -> int:
        return len(self._data)

    def open(self, context: OpenContext) -> OpenFile:
        with self._lock:
            self._opened += 1
        return self

    def read(self, size: int, offset: int) -> bytes:
        with self._lock:
            return bytes(self._data[offset : offset + size])

    def write(self, data: bytes, offset: int) -> int:
        """:raises OSError: EFBIG, ENOSPC"""
        with self._lock:
            end = offset + len(data)
            if offset >= _FILE_MAX and data:
                raise err(errno.EFBIG)
            data = data[: max(0, _FILE_MAX - offset)]
            end = offset + len(data)
            self._resize(max(end, len(self._data)))
            self._data[offset:end] = data
        self.mtime = self.ctime = time.time_ns()
        return len(data)

    def truncate(self, length: int = 0) -> None:
        """:raises OSError: EFBIG, ENOSPC"""
        if length > _FILE_MAX:
            raise err(errno.EFBIG)
        with self._lock:
            self._resize(length)
        self.mtime = self.ctime = time.time_ns()

    def _resize(self, length: int) -> None:
        more = length - len(self._data)
        self._store.charge(more)
        if more > 0:
            self._data.extend(bytes(more))
        else:
            del self._data[length:]

    def release(self) -> None:
        with self._lock:
            self._opened -= 1
            self._forget()

    def drop(self) -> None:
        """The last name is gone."""
        with self._lock:
            self._gone = True
            self._forget()

    def _forget(self) -> None:
        if self._gone and not self._opened:
            self._resize(0)


class Special(Node):
    """What only the host knows what to do with: a FIFO, a socket."""

    def __init__(self, mode: int) -> None:
        super().__init__(stat.S_IMODE(mode))
        self.type = stat.S_IFMT(mode)


class DeviceDirectory(Directory):
    """A directory of the file system, in which users may make what they like."""

    def __init__(
        self,
        store: _Store,
        children: dict[str, Node] | None = None,
        mode: int = 0o755,
        fstype: FileSystemType | None = None,
    ) -> None:
        super().__init__(children, mode, fstype)
        self._store = store
        #: The kernel has made it, and takes it away when it is empty.
        self.own = False

    # The kernel's own

    def create_node(self, device: DevNode) -> None:
        """``devtmpfs_create_node()``: with the directories in its name."""
        *above, name = device.name.split("/")
        directory = self
        for part in above:
            following = directory.children.get(part)
            if following is None:
                following = DeviceDirectory(self._store)
                following.own = True
                directory.add(part, following)
            if not isinstance(following, DeviceDirectory):
                return
            directory = following
        if name not in directory.children:
            type_ = stat.S_IFBLK if device.block else stat.S_IFCHR
            node = Device(self._store, type_ | device.mode, device.devt)
            node.own = True
            directory.add(name, node)

    def delete_node(self, device: DevNode) -> None:
        """``devtmpfs_delete_node()``: unless a user has put something else there."""
        *above, name = device.name.split("/")
        directories: list[DeviceDirectory] = [self]
        for part in above:
            following = directories[-1].children.get(part)
            if not isinstance(following, DeviceDirectory):
                return
            directories.append(following)
        node = directories[-1].children.get(name)
        type_ = stat.S_IFBLK if device.block else stat.S_IFCHR
        if not isinstance(node, Device) or not node.own or (node.special, node.rdev) != (type_, device.devt):
            return
        directories[-1].remove(name)
        node.drop()
        for directory, part in zip(reversed(directories[:-1]), reversed(above), strict=True):
            child = directory.children[part]
            if not isinstance(child, DeviceDirectory) or not child.own or child.children:
                break
            directory.remove(part)

    # Users'

    def _put(self, name: str, node: Node, cred: Cred) -> None:
        if name in self.children:
            raise err(errno.EEXIST)
        if len(name) > _NAME_MAX:
            raise err(errno.ENAMETOOLONG)
        self._store.charge(0, 1)
        node.uid, node.gid = cred.uid, cred.gid
        self.add(name, node, tell=False)
        self.mtime = self.ctime = time.time_ns()

    def create(self, name: str, mode: int, cred: Cred) -> File:
        file = RamFile(self._store, stat.S_IMODE(mode))
        self._put(name, file, cred)
        return file

    def mknod(self, name: str, mode: int, rdev: int, cred: Cred) -> None:
        """:raises OSError: EINVAL for what is no type of a node"""
        match stat.S_IFMT(mode):
            case 0 | stat.S_IFREG:
                self.create(name, mode, cred)
            case stat.S_IFCHR | stat.S_IFBLK:
                self._put(name, Device(self._store, mode, rdev), cred)
            case stat.S_IFIFO | stat.S_IFSOCK:
                self._put(name, Special(mode), cred)
            case _:
                raise err(errno.EINVAL)

    def mkdir(self, name: str, mode: int, cred: Cred) -> None:
        self._put(name, DeviceDirectory(self._store, mode=stat.S_IMODE(mode)), cred)

    def symlink(self, name: str, target: str, cred: Cred) -> None:
        self._put(name, Symlink(target), cred)

    def _child(self, name: str) -> Node:
        """:raises OSError: ENOENT; EPERM for what is not ours to take away"""
        node = self.children.get(name)
        if node is None:
            raise err(errno.ENOENT)
        return node

    def unlink(self, name: str) -> None:
        node = self._child(name)
        if isinstance(node, Directory):
            raise err(errno.EISDIR)
        self._take(name, node)

    def rmdir(self, name: str) -> None:
        node = self._child(name)
        if not isinstance(node, Directory):
            raise err(errno.ENOTDIR)
        if node.children:
            raise err(errno.ENOTEMPTY)
        self._take(name, node)

    def _take(self, name: str, node: Node) -> None:
        self.remove(name, tell=False)
        self.mtime = self.ctime = time.time_ns()
        if isinstance(node, Device | RamFile):
            node.drop()
        if node.uid is not None:
            self._store.charge(0, -1)

    def rename(self, name: str, to: Directory, new: str) -> None:
        node = self._child(name)
        if not isinstance(to, DeviceDirectory) or to._store is not self._store:
            raise err(errno.EXDEV)
        if len(new) > _NAME_MAX:
            raise err(errno.ENAMETOOLONG)
        there = to.children.get(new)
        if there is node:
            return
        if there is not None:
            (to.rmdir if isinstance(node, Directory) else to.unlink)(new)
        self.remove(name, tell=False)
        to.add(new, node, tell=False)
        self.mtime = self.ctime = to.mtime = to.ctime = node.ctime = time.time_ns()


class Kmsg(File):
    """The log: each read() is one record, each write() one message."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(0o644)
        self._kernel = kernel

    def open(self, context: OpenContext) -> OpenFile:
        """:raises OSError: EPERM where users' messages are off, or the log is not for everyone to read"""
        tunables = self._kernel.tunables
        if tunables.printk_devkmsg.startswith("off"):
            raise err(errno.EPERM)
        if context.readable and tunables.dmesg_restrict and not _may_read_log(context.cred):
            raise err(errno.EPERM)
        return _OpenKmsg(self._kernel, context)


def _may_read_log(cred: Cred) -> bool:
    return cred.capable(Capability.SYSLOG) or cred.capable(Capability.SYS_ADMIN)


class _OpenKmsg:
    def __init__(self, kernel: Kernel, context: OpenContext) -> None:
        self._kernel = kernel
        self._log = kernel.log
        self._context = context
        self._seq = kernel.log.first_seq
        #: Where the host believes this to be: back at the beginning, if somebody went there.
        self._position = 0
        self._ratelimit = RatelimitState()

    def poll(self, wake: Callable[[], None] | None) -> int:
        return self._log.poll(self._seq, self, wake)

    def llseek(self, offset: int, whence: int) -> int:
        """``devkmsg_llseek()``.

        :raises OSError: ESPIPE, EINVAL
        """
        if offset:
            raise err(errno.ESPIPE)
        where = {
            os.SEEK_SET: self._log.first_seq,
            os.SEEK_DATA: self._log.clear_seq,
            os.SEEK_END: self._log.next_seq,
        }
        if whence not in where:
            raise err(errno.EINVAL)
        self._seq = where[whence]
        return 0

    def read(self, size: int, offset: int) -> bytes:
        """The next record.

        :raises OSError: EAGAIN where there is none and the caller will not wait, EPIPE once after records were lost,
            EINVAL where the record does not fit (it is skipped), EINTR
        """
        if offset == 0 and self._position:
            self.llseek(0, os.SEEK_SET)
        self._position = offset
        while (record := self._log.read_valid(self._seq)) is None:
            if self._context.flags & os.O_NONBLOCK:
                raise err(errno.EAGAIN)
            if self._context.interrupted():
                raise err(errno.EINTR)
            with self._log.log_wait:
                self._log.log_wait.wait(_INTERRUPT_POLL)
        if record.seq != self._seq:
            self._seq = record.seq
            raise err(errno.EPIPE)
        self._seq += 1
        text = record.kmsg_text()
        if len(text) > size:
            raise err(errno.EINVAL)
        self._position += len(text)
        return text

    def write(self, data: bytes, offset: int) -> int:
        """Log one message; ``<N>`` before it gives facility and level.

        :raises OSError: EINVAL where it is too long
        """
        if len(data) > LOG_LINE_MAX:
            raise err(errno.EINVAL)
        setting = self._kernel.tunables.printk_devkmsg
        if setting.startswith("off") or not (setting.startswith("on") or self._ratelimit.ratelimit()):
            return len(data)
        line = data.split(b"\0", 1)[0]
        level, facility = None, _LOG_USER
        prefix = re.match(rb"<(\d*)>", line)
        if prefix is not None:
            number = int(prefix[1] or b"0") & 0xFFFFFFFF
            level, facility = number & 7, (number >> 3) & 0xFF or _LOG_USER
            line = line[prefix.end() :]
        self._log.emit(line, level, facility, caller=self._context.current.pid)
        return len(data)

    def release(self) -> None:
        """Own up to the messages that were dropped."""
        self._log.pollers.pop(self, None)
        if self._ratelimit.missed:
            self._log.pr_warn(
                f"printk: {self._context.comm()}: {self._ratelimit.missed} output lines suppressed due to ratelimiting"
            )
