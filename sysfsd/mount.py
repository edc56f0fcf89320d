"""Between the tree of files and FUSE: the only place that knows fusepy.

The host may keep names and attributes as long as it likes: what changes is announced to it, so that a path that is
looked up again costs nothing, and one that is gone is gone at once. What a file contains is never kept.
"""

from __future__ import annotations

import ctypes
import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial, wraps
from itertools import count
from typing import Any, Final

# Spares fusepy a search with ldconfig and a compiler.
os.environ.setdefault("FUSE_LIBRARY_PATH", "libfuse.so.2")
try:
    import fuse
except OSError:
    del os.environ["FUSE_LIBRARY_PATH"]
    import fuse

from sysfsd.callers import CallerCred, comm, identity
from sysfsd.fs.kernfs import Directory, File, FileSystemType, OpenContext, OpenFile, Symlink, Tree
from sysfsd.kernel.cred import Cred
from sysfsd.kernel.err import ERESTARTSYS, RESTART, err
from sysfsd.kernel.sched import Scheduler
from sysfsd.kernel.traps import TaskKilled
from sysfsd.mountinfo import mounts

__all__ = ["Mount"]

#: How long the host may believe what it was told (seconds): it is told of every change.
_TIMEOUT: Final = 1_000_000_000

_UTIME_NOW: Final = (1 << 30) - 1
_UTIME_OMIT: Final = (1 << 30) - 2

_libfuse: Final = fuse._libfuse
_libfuse.fuse_get_session.restype = ctypes.c_void_p
_libfuse.fuse_get_session.argtypes = [ctypes.c_void_p]
_libfuse.fuse_session_exited.argtypes = [ctypes.c_void_p]
_libfuse.fuse_session_next_chan.restype = ctypes.c_void_p
_libfuse.fuse_session_next_chan.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
_libfuse.fuse_lowlevel_notify_inval_entry.argtypes = [
    ctypes.c_void_p,
    ctypes.c_ulong,
    ctypes.c_char_p,
    ctypes.c_size_t,
]
_libfuse.fuse_lowlevel_notify_inval_inode.argtypes = [
    ctypes.c_void_p,
    ctypes.c_ulong,
    ctypes.c_longlong,
    ctypes.c_longlong,
]


def _system_call(operation: Callable[..., Any]) -> Callable[..., Any]:
    """An operation in which module code may run: as its caller's task, and maybe to its caller's end."""

    @wraps(operation)
    def call(self: Mount, *args: Any) -> Any:
        cred = self._cred()
        with self._sched.enter(cred, partial(identity, cred), self._interrupted):
            try:
                return operation(self, *args)
            except TaskKilled as killed:
                with suppress(OSError):  # it may be gone, or another user's
                    os.kill(cred.pid, killed.signum)
                raise err(errno.EIO) from None
            except OSError as error:
                if error.errno is not None and error.errno >= ERESTARTSYS:
                    # The host takes no such answer, and would wait for another.
                    restart = error.errno in RESTART and self._interrupted()
                    raise err(errno.EINTR if restart else errno.EINVAL) from None
                raise

    return call


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
    # What the host need not ask: it checks modes itself, and there is nothing to flush.
    access = flush = fsync = fsyncdir = None
    opendir = releasedir = None
    getxattr = listxattr = setxattr = removexattr = None
    bmap = ioctl = lock = None

    def __init__(self, tree: Tree, mountpoint: str, sched: Scheduler, ready: Callable[[], None] = lambda: None) -> None:
        self._tree = tree
        self._sched = sched
        self._mountpoint = os.path.realpath(mountpoint)
        self._ready = ready
        self._uid, self._gid = os.geteuid(), os.getegid()
        self._files: dict[int, tuple[File, OpenFile, OpenContext]] = {}
        self._handles = count(1)
        self._session: int | None = None
        self._channel: int | None = None
        self._device: int | None = None

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
            fuse.FUSE(
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
        self._session = _libfuse.fuse_get_session(_libfuse.fuse_get_context().contents.fuse)
        self._channel = _libfuse.fuse_session_next_chan(self._session, None)
        self._device = next((m.device for m in reversed(list(mounts())) if m.path == self._mountpoint), None)
        self._tree.watchers.append(self._entry_changed)
        self._sched.ended = lambda: bool(_libfuse.fuse_session_exited(self._session))
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
        _libfuse.fuse_lowlevel_notify_inval_entry(self._channel, inode, encoded, len(encoded))
        _libfuse.fuse_lowlevel_notify_inval_inode(self._channel, inode, -1, 0)

    def _inode(self, directory: Directory) -> int | None:
        """The host's inode number of a directory: while libfuse is not told any, it shows its own node's."""
        for _ in range(2):
            with suppress(OSError):
                status = os.lstat(self._mountpoint + directory.path())
                if status.st_dev == self._device:
                    return status.st_ino
            # A directory above the mount point has been renamed: the device tells where it is now.
            self._mountpoint = next((m.path for m in mounts() if m.device == self._device), self._mountpoint)
        return None

    # Names and attributes: without the kernel lock

    def getattr(self, path: str, fh: Any = None) -> dict[str, int]:
        node = self._tree.lookup(path)
        node.seen = True
        return {
            "st_mode": node.type | node.mode,
            "st_nlink": node.nlink,
            "st_uid": self._uid if node.uid is None else node.uid,
            "st_gid": self._gid if node.gid is None else node.gid,
            "st_size": node.size,
            "st_blksize": node.fstype.blksize,
            "st_atime": node.atime,
            "st_mtime": node.mtime,
            "st_ctime": node.ctime,
        }

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
        self._tree.lookup(path).chmod(mode)

    def chown(self, path: str, uid: int, gid: int) -> None:
        self._tree.lookup(path).chown(uid, gid)

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> None:
        atime, mtime = (_utime(stamp) for stamp in times or (None, None))
        self._tree.lookup(path).utimens(atime, mtime)

    def truncate(self, path: str, length: int, fh: Any = None) -> None:
        self._tree.lookup(path).truncate()

    def statfs(self, path: str) -> dict[str, int]:
        return {"f_bsize": 4096, "f_frsize": 4096, "f_namemax": 255}

    # Changes of names, which the file systems refuse

    def _fstype(self, path: str) -> FileSystemType:
        return self._tree.lookup(path.rpartition("/")[0]).fstype

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        raise err(self._fstype(path).create)

    def _make(self, path: str, *args: Any) -> None:
        raise err(self._fstype(path).make)

    def _remove(self, path: str) -> None:
        raise err(self._fstype(path).remove)

    mkdir = mknod = symlink = link = _make
    unlink = rmdir = _remove

    def rename(self, old: str, new: str) -> None:
        name = new.rpartition("/")[2]
        parent = self._tree.lookup(new.removesuffix(name))
        exists = isinstance(parent, Directory) and name in parent.children
        raise err(parent.fstype.remove if exists else parent.fstype.make)

    # Contents

    def _cred(self) -> Cred:
        uid, gid, pid = fuse.fuse_get_context()
        return Cred(uid, gid, -1, pid) if uid == self._uid != 0 else CallerCred(uid, gid, 0, pid)

    def _interrupted(self) -> bool:
        """Whether the caller of the operation that this thread carries out no longer waits for it, or must not."""
        return bool(_libfuse.fuse_interrupted() or _libfuse.fuse_session_exited(self._session))

    @_system_call
    def open(self, path: str, fi: Any) -> int:
        node = self._tree.lookup(path)
        if not isinstance(node, File):
            raise err(errno.EISDIR)
        cred = self._cred()
        context = OpenContext(cred, fi.flags, interrupted=self._interrupted, comm=partial(comm, cred.pid))
        file = node.open(context)
        if fi.flags & os.O_TRUNC:
            node.truncate()
        fi.fh = handle = next(self._handles)
        fi.direct_io = True
        self._files[handle] = node, file, context
        return 0

    @_system_call
    def read(self, path: str, size: int, offset: int, fi: Any) -> bytes:
        _node, file, context = self._files[fi.fh]
        context.flags = fi.flags
        return file.read(size, offset)

    @_system_call
    def write(self, path: str, data: bytes, offset: int, fi: Any) -> int:
        node, file, context = self._files[fi.fh]
        context.writer = self._cred()
        if fi.flags & os.O_APPEND:
            offset = node.size  # the host goes by where the last write ended
        return file.write(data, offset)

    @_system_call
    def release(self, path: str, fi: Any) -> int:
        _node, file, _context = self._files.pop(fi.fh)
        file.release()
        return 0


def _utime(stamp: int | None) -> int | None:
    """A time from utimensat(2), whose nanoseconds may say "now" (also: None) or "leave it"."""
    if stamp is None or stamp == _UTIME_NOW:
        return time.time_ns()
    return None if stamp == _UTIME_OMIT else stamp
