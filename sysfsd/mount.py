"""Between the tree of files and FUSE.

The host may keep names and attributes as long as it likes: what changes is announced to it, so that a path that is
looked up again costs nothing, and one that is gone is gone at once. What a file contains is never kept.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial, wraps
from itertools import count
from threading import get_ident
from typing import Any, Final, NamedTuple

from sysfsd.callers import CallerCred, ProcessMemory, address_space, comm, exists, find, identity
from sysfsd.fs.kernfs import Directory, File, Node, OpenContext, OpenFile, Pollable, Symlink, Tree
from sysfsd.fuselib import Fuse, Opcode, OpenFlag, fuse, libfuse, reply
from sysfsd.kernel import vfs
from sysfsd.kernel.block_file import BlockFile
from sysfsd.kernel.char_dev import MKDEV, major, minor
from sysfsd.kernel.cred import Capability, Cred
from sysfsd.kernel.err import ERESTARTSYS, RESTART, err
from sysfsd.kernel.sched import Scheduler
from sysfsd.kernel.traps import TaskKilled
from sysfsd.mountinfo import mounts

__all__ = ["Mount"]

#: An ioctl() of the daemon's own: which open file this is.
_HANDLE: Final = 0x80087302

#: How long the host may believe what it was told (seconds): it is told of every change.
_TIMEOUT: Final = 1_000_000_000

_UTIME_NOW: Final = (1 << 30) - 1
_UTIME_OMIT: Final = (1 << 30) - 2

#: What libfuse calls a file that is open when its name is taken away.
_HIDDEN: Final = ".fuse_hidden"
#: Parts of the number of an ioctl (include/uapi/asm-generic/ioctl.h).
_IOC_WRITE: Final = 1 << 30
_IOC_READ: Final = 1 << 31
_IOC_SIZE: Final = (16, (1 << 14) - 1)
#: ``FUSE_IOCTL_COMPAT``: the caller is a 32-bit program.
_IOCTL_COMPAT: Final = 1


def _system_call(operation: Callable[..., Any]) -> Callable[..., Any]:
    """An operation in which module code may run: as its caller's task, and maybe to its caller's end."""

    @wraps(operation)
    def call(self: Mount, *args: Any) -> Any:
        with self._task_of(self._cred()):
            return operation(self, *args)

    return call


class _Opened(NamedTuple):
    """What open() has made: for the host a handle."""

    node: File
    file: OpenFile
    context: OpenContext
    #: The same as *file*, where it is the file of a device.
    device: vfs.File | None
    path: str


class _IoctlArgument:
    """What an ioctl points to: in its caller's memory, if the daemon may go there, and as far as the host copies it.

    :param address: of what the host copies
    :param given: what that is; none where the request only has the host bring something back
    :param result: where the daemon has to leave what the host is to bring back; 0: nothing
    """

    def __init__(self, memory: ProcessMemory, address: int, size: int, given: bytes | None, result: int) -> None:
        self._memory = memory
        self._address, self._size, self._result = address, size, result
        if given is None:  # the host writes all of it back, whatever the module writes
            given = memory.read(address, size).ljust(size, b"\0")
            ctypes.memmove(result, given, size)
        self._copy = bytearray(given)

    def read(self, address: int, size: int) -> bytes:
        data = self._memory.read(address, size)
        if len(data) < size and 0 <= (offset := address - self._address) < self._size:
            return bytes(self._copy[offset : offset + size])
        return data

    def write(self, address: int, data: bytes) -> int:
        count = self._memory.write(address, data)
        offset = address - self._address
        if not 0 <= offset < self._size:
            return count
        data = data[: self._size - offset]
        self._copy[offset : offset + len(data)] = data
        if self._result:
            ctypes.memmove(self._result + offset, data, len(data))
            return max(count, len(data))
        return count


class Mount(fuse.Operations):  # type: ignore[misc]
    """A tree, mounted.

    Whoever runs the daemon is this kernel's root: files belong to that user, and that user may do all that needs
    privilege. Of the host's other users, those have privilege here who have it on the host.

    :param tree: what to mount
    :param mountpoint: where
    :param sched: whose tasks the callers are
    :param ready: called once the mount answers
    """

    use_ns = True
    flag_utime_omit_ok = 1
    # What the host need not ask: it checks modes itself.
    access = fsyncdir = None
    opendir = releasedir = None
    getxattr = listxattr = setxattr = removexattr = None
    bmap = lock = None

    def __init__(self, tree: Tree, mountpoint: str, sched: Scheduler, ready: Callable[[], None] = lambda: None) -> None:
        self._tree = tree
        self._sched = sched
        self._mountpoint = os.path.realpath(mountpoint)
        self._ready = ready
        self._uid, self._gid = os.geteuid(), os.getegid()
        #: Whether the daemon's user is this kernel's root, whatever it is on the host: so is a container's root.
        self._is_root = self._uid != 0 or not CallerCred.of(os.getpid()).capable(Capability.SYS_MODULE)
        self._files: dict[int, _Opened] = {}
        self._handles = count(1)
        #: By handle: how to tell the host that a file has events.
        self._pollers: dict[int, int] = {}
        #: By thread: the node that it has just made, and is about to tell the host of.
        self._made: dict[int, Node] = {}
        #: Files whose names are gone while they are open, by the path that libfuse has given them.
        self._hidden: dict[str, Node] = {}
        self._session: int | None = None
        self._channel: int | None = None
        #: The device number that the files of this mount show.
        self.device: int | None = None

    def run(self, options: dict[str, str | bool]) -> None:
        """Serve until somebody unmounts, or a signal ends the process.

        :param options: those of mount.fuse(8), by name
        :raises OSError: EIO where FUSE cannot mount; libfuse has said why on standard error
        """
        defaults: dict[str, str | bool] = {
            "fsname": "sysfsd",
            "subtype": "sysfsd",
            "default_permissions": True,
            "atomic_o_trunc": True,
            "big_writes": True,
            "nonempty": True,
            "entry_timeout": str(_TIMEOUT),
            "attr_timeout": str(_TIMEOUT),
        }
        try:
            Fuse(
                self,
                # fusepy encodes all names alike; in Latin-1 every byte stands for itself.
                os.fsencode(self._mountpoint).decode("latin-1"),
                raw_fi=True,
                encoding="latin-1",
                foreground=True,
                **{**defaults, **options},
            )
        except RuntimeError:
            raise err(errno.EIO, self._mountpoint) from None

    # The life of the mount

    def init(self, path: str) -> None:
        self._session = libfuse.fuse_get_session(libfuse.fuse_get_context().contents.fuse)
        self._channel = libfuse.fuse_session_next_chan(self._session, None)
        self.device = next((m.device for m in reversed(list(mounts())) if m.path == self._mountpoint), None)
        self._tree.watchers.append(self._entry_changed)
        self._sched.exists, self._sched.find, self._sched.address_space = exists, find, address_space
        self._sched.ended = lambda: bool(libfuse.fuse_session_exited(self._session))
        self._ready()

    def destroy(self, path: str) -> None:
        self._tree.watchers.remove(self._entry_changed)
        self._channel = None

    def _entry_changed(self, directory: Directory, name: str) -> None:
        """Make the host forget a name, what lay below it, and its directory's attributes."""
        if self._channel is None or not directory.seen:
            return
        inode = self._inode(directory)
        if inode is None:
            return
        encoded = name.encode("latin-1")
        libfuse.fuse_lowlevel_notify_inval_entry(self._channel, inode, encoded, len(encoded))
        libfuse.fuse_lowlevel_notify_inval_inode(self._channel, inode, -1, 0)

    def _inode(self, directory: Directory) -> int | None:
        """The host's inode number of a directory: while libfuse is not told any, it shows its own node's."""
        for _ in range(2):
            with suppress(OSError):
                status = os.lstat(self._mountpoint + directory.path())
                if status.st_dev == self.device:
                    return status.st_ino
            # A directory above the mount point has been renamed: the device tells where it is now.
            self._mountpoint = next((m.path for m in mounts() if m.device == self.device), self._mountpoint)
        return None

    # Names and attributes: without the kernel lock

    def getattr(self, path: str, fh: Any = None) -> dict[str, int]:
        node = self._node(path)
        node.seen = True
        type_, rdev = node.type, 0
        if self._made and self._made.pop(get_ident(), None) is node:
            type_, rdev = node.special, os.makedev(major(node.rdev), minor(node.rdev))
        return {
            "st_mode": type_ | node.mode,
            "st_rdev": rdev,
            "st_nlink": node.nlink,
            "st_uid": self._uid if node.uid is None else node.uid,
            "st_gid": self._gid if node.gid is None else node.gid,
            "st_size": node.size,
            "st_blksize": node.fstype.blksize,
            "st_atime": node.atime,
            "st_mtime": node.mtime,
            "st_ctime": node.ctime,
        }

    def _node(self, path: str) -> Node:
        """The node at a path; or the one that was there when it was opened, if the host does not look for a name."""
        if path in self._hidden:
            return self._hidden[path]
        try:
            return self._tree.lookup(path)
        except OSError:
            if reply.opcode in (Opcode.GETATTR, Opcode.SETATTR):
                for opened in list(self._files.values()):
                    if opened.path == path:
                        return opened.node
            raise

    def readdir(self, path: str, fh: int) -> Iterator[str]:
        names = self._tree.list(path)
        yield "."
        yield ".."
        yield from names

    def readlink(self, path: str) -> str:
        node = self._tree.lookup(path)
        if not isinstance(node, Symlink):
            raise err(errno.EINVAL)
        return node.target

    def chmod(self, path: str, mode: int) -> None:
        self._node(path).chmod(mode)

    def chown(self, path: str, uid: int, gid: int) -> None:
        self._node(path).chown(uid, gid)

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> None:
        atime, mtime = (_utime(stamp) for stamp in times or (None, None))
        self._node(path).utimens(atime, mtime)

    def truncate(self, path: str, length: int, fh: Any = None) -> None:
        self._node(path).truncate(length)

    def statfs(self, path: str) -> dict[str, int]:
        return {"f_bsize": 4096, "f_frsize": 4096, "f_namemax": 255}

    # Changes of names: without the kernel lock as well, while the host holds its own on the directory

    def _place(self, path: str) -> tuple[Directory, str]:
        """The directory that a path leads to, and the last name in it."""
        above, _, name = path.rpartition("/")
        directory = self._tree.lookup(above)
        if not isinstance(directory, Directory):
            raise err(errno.ENOTDIR)
        return directory, name

    def _removed(self, path: str) -> tuple[Directory, str]:
        """The same for a name that is to go."""
        directory, name = self._place(path)
        if name not in directory.children:
            self._tree.lookup(path)
            raise err(errno.EPERM)  # it belongs to what lies below the tree
        return directory, name

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        directory, name = self._place(path)
        cred = self._cred()
        file = directory.create(name, mode, cred)
        context = self._context(cred, fi.flags)
        self._opened(fi, _Opened(file, file.open(context), context, None, path))
        return 0

    def mknod(self, path: str, mode: int, rdev: int) -> None:
        directory, name = self._place(path)
        directory.mknod(name, mode, MKDEV(os.major(rdev), os.minor(rdev)), self._cred())
        node = directory.children.get(name)
        if node is not None and node.special:
            # The host wants to see what it has asked for, but would then take it for a device of its own.
            self._made[get_ident()] = node
            reply.forget = True

    def mkdir(self, path: str, mode: int) -> None:
        directory, name = self._place(path)
        directory.mkdir(name, mode, self._cred())

    def symlink(self, path: str, target: str) -> None:
        directory, name = self._place(path)
        directory.symlink(name, target, self._cred())

    def link(self, path: str, old: str) -> None:
        directory, _name = self._place(path)
        raise err(directory.fstype.make)

    def unlink(self, path: str) -> None:
        if self._hidden.pop(path, None) is None:
            directory, name = self._removed(path)
            directory.unlink(name)

    def rmdir(self, path: str) -> None:
        directory, name = self._removed(path)
        directory.rmdir(name)

    def rename(self, old: str, new: str) -> None:
        directory, name = self._removed(old)
        to, new_name = self._place(new)
        if new_name.startswith(_HIDDEN):  # this is unlink() of an open file
            node = directory.children[name]
            directory.unlink(name)
            self._hidden[new] = node
        else:
            directory.rename(name, to, new_name)

    # Contents

    def _cred(self) -> Cred:
        uid, gid, pid = fuse.fuse_get_context()
        return Cred(uid, gid, -1, pid) if uid == self._uid and self._is_root else CallerCred(uid, gid, 0, pid)

    def _is_own(self, pid: int) -> bool:
        """Whether a thread is the daemon's own, which may have a caller's file in its hands for a moment."""
        return os.path.exists(f"/proc/self/task/{pid}")

    @contextmanager
    def _task_of(self, cred: Cred, who: Cred | None = None) -> Iterator[None]:
        """Be the task of a process.

        :param who: the process, where its credentials were looked at before
        """
        with self._sched.enter(cred, partial(identity, who or cred), self._interrupted):
            try:
                yield
            except TaskKilled as killed:
                if not libfuse.fuse_session_exited(self._session):  # the end of the kernel is not that of its users
                    with suppress(OSError):  # it may be gone, or another user's
                        os.kill(cred.pid, killed.signum)
                raise err(errno.EIO) from None
            except OSError as error:
                if error.errno is not None and error.errno >= ERESTARTSYS:
                    # The host takes no such answer, and would wait for another.
                    restart = error.errno in RESTART and self._interrupted()
                    raise err(errno.EINTR if restart else errno.EINVAL) from None
                raise

    def _interrupted(self) -> bool:
        """Whether the caller of the operation that this thread carries out no longer waits for it, or must not."""
        return bool(libfuse.fuse_interrupted() or libfuse.fuse_session_exited(self._session))

    def _context(self, cred: Cred, flags: int) -> OpenContext:
        name = comm(cred.pid)  # it may be gone when the file is closed
        return OpenContext(cred, flags, interrupted=self._interrupted, comm=partial(comm, cred.pid, name))

    def _opened(self, fi: Any, opened: _Opened) -> None:
        fi.fh = handle = next(self._handles)
        fi.direct_io = True
        device = opened.device
        if device is None or not device.operation("flush"):
            reply.open_flags |= OpenFlag.NOFLUSH
        if device is not None and not device.seekable:
            reply.open_flags |= OpenFlag.STREAM
            fi.nonseekable = True  # for a host that knows no streams
        self._files[handle] = opened

    @_system_call
    def open(self, path: str, fi: Any) -> int:
        node = self._tree.lookup(path)
        if not isinstance(node, File):
            raise err(errno.EISDIR)
        context = self._context(self._cred(), fi.flags)
        file = node.open(context)
        if fi.flags & os.O_TRUNC and not node.special:
            node.truncate()
        self._opened(fi, _Opened(node, file, context, file if isinstance(file, vfs.File) else None, path))
        return 0

    @_system_call
    def read(self, path: str, size: int, offset: int, fi: Any) -> bytes:
        _node, file, context, device = self._files[fi.fh][:4]
        if context.flags != fi.flags:
            _set_flags(context, device, fi.flags)
        return file.read(size, offset)

    @_system_call
    def write(self, path: str, data: bytes, offset: int, fi: Any) -> int:
        node, file, context, device = self._files[fi.fh][:4]
        if context.flags != fi.flags:
            _set_flags(context, device, fi.flags)
        context.writer = self._cred()
        if fi.flags & os.O_APPEND:
            if device is not None:
                return device.append(data, offset)
            offset = node.size  # the host goes by where the last write ended
        return file.write(data, offset)

    @_system_call
    def fsync(self, path: str, datasync: int, fi: Any) -> None:
        file = self._files[fi.fh].file
        if isinstance(file, vfs.File | BlockFile):
            file.fsync(bool(datasync))

    def poll(self, path: str, fi: Any, handle: int | None, events: Any) -> None:
        file = self._files[fi.fh].file
        if isinstance(file, Pollable):
            self._poll(file, fi.fh, handle, events)
            return
        events.value = vfs.DEFAULT_POLLMASK
        if handle is not None:
            libfuse.fuse_pollhandle_destroy(handle)

    @_system_call
    def _poll(self, file: Pollable, fh: int, handle: int | None, events: Any) -> None:
        wake = None
        if handle is not None:
            # All handles of an open file are the same to the host: the first one is kept.
            kept = self._pollers.setdefault(fh, handle)
            if kept != handle:
                libfuse.fuse_pollhandle_destroy(handle)
            wake = partial(libfuse.fuse_notify_poll, kept)
        events.value = file.poll(wake)

    def flush(self, path: str, fi: Any) -> None:
        _node, _file, context, device = self._files[fi.fh][:4]
        cred = self._cred()
        if device is not None and not self._is_own(cred.pid):
            context.writer = cred
            with self._task_of(cred):
                device.flush()

    @_system_call
    def ioctl(self, path: str, cmd: int, arg: int, fi: Any, flags: int, data: int) -> int:
        file = self._files[fi.fh].file
        if cmd & 0xFFFFFFFF == _HANDLE and self._is_own(self._cred().pid):
            ctypes.memmove(data, struct.pack("=Q", fi.fh), 8)
            return 0
        if not isinstance(file, vfs.File | BlockFile):
            raise err(errno.ENOTTY)
        shift, mask = _IOC_SIZE
        size = cmd >> shift & mask if data else 0
        given = ctypes.string_at(data, size) if cmd & _IOC_WRITE and data else None
        result = data if cmd & _IOC_READ and data else 0
        argument = _IoctlArgument(ProcessMemory(self._cred().pid), arg, size, b"" if not size else given, result)
        return file.ioctl(cmd, arg, argument, bool(flags & _IOCTL_COMPAT))

    def opened_by(self, descriptor: int) -> OpenFile | None:
        """The open file that a descriptor of this process is, with the flags that it has now; None: a directory."""
        handle = bytearray(8)
        try:
            fcntl.ioctl(descriptor, _HANDLE, handle)
        except OSError:
            return None
        _node, file, context, device = self._files[int.from_bytes(handle, "little")][:4]
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
        if context.flags != flags:
            _set_flags(context, device, flags)
        return file

    def release(self, path: str, fi: Any) -> int:
        """The host does not say who has closed the file: it counts as whoever had it last."""
        _node, file, context = self._files.pop(fi.fh)[:3]
        cred = context.current
        with self._task_of(cred, Cred(cred.uid, cred.gid, 0, cred.pid)):
            file.release()
        handle = self._pollers.pop(fi.fh, None)
        if handle is not None:
            libfuse.fuse_pollhandle_destroy(handle)
        return 0


def _set_flags(context: OpenContext, device: vfs.File | None, flags: int) -> None:
    """Note what fcntl(F_SETFL) has changed."""
    context.flags = flags
    if device is not None:
        device.set_flags(flags)


def _utime(stamp: int | None) -> int | None:
    """A time from utimensat(2), whose nanoseconds may say "now" (also: None) or "leave it"."""
    if stamp is None or stamp == _UTIME_NOW:
        return time.time_ns()
    return None if stamp == _UTIME_OMIT else stamp
