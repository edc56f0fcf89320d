"""Between the tree of files and FUSE.

The host may keep names, attributes and lists of names as long as it likes: what changes is announced to it, so that a
path that is looked up again costs nothing, and one that is gone is gone at once. What a file contains is never kept.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from itertools import count
from typing import Final, NamedTuple, Protocol

from sysfsd.fs.kernfs import Directory, File, Node, OpenContext, OpenFile, Pollable, Symlink, Tree
from sysfsd.fuse import wire
from sysfsd.fuse.kern_mount import Mounted
from sysfsd.fuse.session import NotifyCode, Opcode, OpenFlag, Operation, Request, Session
from sysfsd.host.callers import (
    CallerCred,
    ProcessMemory,
    address_space,
    comm,
    exists,
    find,
    identity,
    processes,
    signals,
)
from sysfsd.host.mountinfo import mounts
from sysfsd.linux.arch.x86.traps import TaskKilled
from sysfsd.linux.block.fops import BlockFile
from sysfsd.linux.err import ERESTARTSYS, RESTART, err
from sysfsd.linux.fs import vfs
from sysfsd.linux.fs.char_dev import MKDEV
from sysfsd.linux.kernel.cred import Capability, Cred
from sysfsd.linux.kernel.sched.core import KernelLock, Scheduler

__all__ = ["Mount"]

#: An ioctl() of the daemon's own: which open file this is.
_HANDLE: Final = 0x80087302

#: How long the host may believe what it was told (seconds): it is told of every change.
_TIMEOUT: Final = 1_000_000_000

#: What it takes to open a file that needs nothing.
_NOTHING: Final = nullcontext()
#: Where to go on in a directory: the state of the list of names that was begun with, and how many have been told.
_COOKIE_INDEX: Final = 20
_COOKIE_GENERATION: Final = 0x7FF
#: How many such lists are kept, besides those that are still true.
_LISTINGS_MAX: Final = 32
#: Parts of the number of an ioctl (include/uapi/asm-generic/ioctl.h).
_IOC_WRITE: Final = 1 << 30


class _Opened(NamedTuple):
    """What open() has made: for the host a handle."""

    node: File
    file: OpenFile
    context: OpenContext
    #: The same as *file*, where it is the file of a device.
    device: vfs.File | None


class _IoctlArgument:
    """What an ioctl points to: in its caller's memory, if the daemon may go there, and as far as the host copies it.

    :param address: of what the host copies
    :param given: what that is; none where the request only has the host bring something back
    :param size: how much of it the host brings back, if anything
    """

    def __init__(self, memory: ProcessMemory, address: int, given: bytes | None, size: int) -> None:
        self._memory = memory
        self._address = address
        if given is None:  # the host writes all of it back, whatever the module writes
            given = memory.read(address, size).ljust(size, b"\0")
        self._copy = bytearray(given)
        self._size = size

    @property
    def result(self) -> bytes:
        """What the host brings back."""
        return bytes(self._copy[: self._size])

    def read(self, address: int, size: int) -> bytes:
        data = self._memory.read(address, size)
        if len(data) < size and 0 <= (offset := address - self._address) < len(self._copy):
            return bytes(self._copy[offset : offset + size])
        return data

    def write(self, address: int, data: bytes) -> int:
        count = self._memory.write(address, data)
        offset = address - self._address
        if not 0 <= offset < len(self._copy):
            return count
        data = data[: len(self._copy) - offset]
        self._copy[offset : offset + len(data)] = data
        return max(count, len(data)) if self._size else count


class MountedFuse(AbstractContextManager["MountedFuse"], Protocol):
    """A FUSE mount; as a context, until its end."""

    @property
    def fd(self) -> int:
        """/dev/fuse, for this mount."""


#: Mounts on a directory, with options of mount.fuse(8) by name.
Mounting = Callable[[str, Mapping[str, str | bool]], MountedFuse]


class Mount:
    """A tree, mounted.

    Whoever runs the daemon is this kernel's root: files belong to that user, and that user may do all that needs
    privilege. Of the host's other users, those have privilege here who have it on the host.

    :param tree: what to mount
    :param mountpoint: where
    :param sched: whose tasks the callers are
    :param ready: called once the mount answers
    """

    def __init__(self, tree: Tree, mountpoint: str, sched: Scheduler, ready: Callable[[], None] = lambda: None) -> None:
        self._tree = tree
        self._sched = sched
        self._mountpoint = os.path.realpath(mountpoint)
        self._ready = ready
        self._uid, self._gid = os.geteuid(), os.getegid()
        #: Whether the daemon's user is this kernel's root, whatever it is on the host: so is a container's root.
        self._is_root = self._uid != 0 or not CallerCred.of(os.getpid()).capable(Capability.SYS_MODULE)
        #: What the host knows, by number, and how often it has been told of it.
        self._nodes: dict[int, Node] = {wire.ROOT_ID: tree}
        self._nlookup: dict[int, int] = {}
        self._numbers = count(wire.ROOT_ID + 1)
        tree.ino = wire.ROOT_ID
        self._files: dict[int, _Opened] = {}
        self._handles = count(1)
        #: Names in directories that somebody is going through, as they were when that began: by handle, or by the
        #: directory's number and what its state was.
        self._listings: dict[int | tuple[int, int], list[str]] = {}
        #: A file of our own, through the host; -1: not open yet.
        self._asked = -1
        self._session = Session(self._operations(), self._begun)
        self._prompt = _Prompt(sched.kernel.lock, self._session.hand_over)
        #: The device number that the files of this mount show.
        self.device: int | None = None

    def run(self, options: dict[str, str | bool], mounting: Mounting = Mounted) -> None:
        """Serve until somebody unmounts, or a signal ends the process.

        :param options: those of mount.fuse(8), by name
        :param mounting: how to mount
        :raises OSError: EIO where FUSE cannot mount; standard error says why
        """
        defaults: dict[str, str | bool] = {
            "fsname": "sysfsd",
            "subtype": "sysfsd",
            "default_permissions": True,
            "nonempty": True,
        }
        with mounting(self._mountpoint, {**defaults, **options}) as mounted:
            self._session.run(mounted.fd)
        if self._entry_changed in self._tree.watchers:
            self._tree.watchers.remove(self._entry_changed)

    def _operations(self) -> dict[int, Operation]:
        return {
            Opcode.LOOKUP: self._lookup,
            Opcode.FORGET: self._forget,
            Opcode.BATCH_FORGET: self._batch_forget,
            Opcode.GETATTR: self._getattr,
            Opcode.SETATTR: self._setattr,
            Opcode.READLINK: self._readlink,
            Opcode.SYMLINK: self._symlink,
            Opcode.MKNOD: self._mknod,
            Opcode.MKDIR: self._mkdir,
            Opcode.UNLINK: self._unlink,
            Opcode.RMDIR: self._rmdir,
            Opcode.RENAME: self._rename,
            Opcode.LINK: self._link,
            Opcode.OPEN: self._open,
            Opcode.READ: self._read,
            Opcode.WRITE: self._write,
            Opcode.STATFS: self._statfs,
            Opcode.RELEASE: self._release,
            Opcode.FSYNC: self._fsync,
            Opcode.FLUSH: self._flush,
            Opcode.OPENDIR: self._opendir,
            Opcode.READDIR: self._readdir,
            Opcode.READDIRPLUS: self._readdir,
            Opcode.RELEASEDIR: self._releasedir,
            Opcode.CREATE: self._create,
            Opcode.IOCTL: self._ioctl,
            Opcode.POLL: self._poll,
        }

    # The life of the mount

    def _begun(self) -> None:
        """The host answers for the mount now."""
        self.device = next((m.device for m in reversed(list(mounts())) if m.path == self._mountpoint), None)
        self._tree.watchers.append(self._entry_changed)
        self._sched.exists, self._sched.find, self._sched.address_space = exists, find, address_space
        self._sched.signals, self._sched.processes = signals, processes
        self._sched.ended = lambda: self._session.exited
        self._ready()

    def _entry_changed(self, directory: Directory, name: str, removed: Node | None) -> None:
        """Make the host forget a name, what lay below it, and its directory's attributes and names."""
        if directory.ino in self._nodes:
            encoded = name.encode("latin-1") + b"\0"
            # In this order: the first waits for whoever is being told the old names.
            self._session.notify(
                NotifyCode.INVAL_ENTRY, wire.INVAL_ENTRY.pack(directory.ino, len(encoded) - 1) + encoded
            )
            self._inode_changed(directory)
        if isinstance(removed, Directory):
            self._gone(removed)

    def _gone(self, directory: Directory) -> None:
        """Somebody may have a directory open, or be there, that is not in the tree any more."""
        if directory.ino in self._nodes:
            self._inode_changed(directory)
            for node in list(directory.children.values()):
                if isinstance(node, Directory):
                    self._gone(node)

    def _inode_changed(self, directory: Directory) -> None:
        self._session.notify(NotifyCode.INVAL_INODE, wire.INVAL_INODE.pack(directory.ino, 0, 0))

    # Names and attributes: without the kernel lock

    def _node(self, request: Request) -> Node:
        """:raises OSError: ESTALE: the host asks for what it has been told to forget"""
        node = self._nodes.get(request.nodeid)
        if node is None:
            raise err(errno.ESTALE)
        return node

    def _directory(self, request: Request) -> Directory:
        node = self._node(request)
        if not isinstance(node, Directory):
            raise err(errno.ENOTDIR)
        return node

    def _place(self, request: Request) -> Directory:
        """A directory in which a name is to be made.

        :raises OSError: ENOENT, ENOTDIR
        """
        directory = self._directory(request)
        if not directory.active:
            raise err(errno.ENOENT)
        return directory

    def _attr(self, node: Node, ino: int, type_: int = 0, rdev: int = 0, nlink: int = 0) -> bytes:
        """``struct fuse_attr``."""
        atime, mtime, ctime = node.atime, node.mtime, node.ctime
        return wire.ATTR.pack(
            ino,
            node.size,
            0,
            atime // 1_000_000_000,
            mtime // 1_000_000_000,
            ctime // 1_000_000_000,
            atime % 1_000_000_000,
            mtime % 1_000_000_000,
            ctime % 1_000_000_000,
            (type_ or node.type) | node.mode,
            nlink or node.nlink,
            self._uid if node.uid is None else node.uid,
            self._gid if node.gid is None else node.gid,
            rdev,
            node.fstype.blksize,
        )

    def _entry(self, node: Node) -> bytes:
        """``struct fuse_entry_out``: the host knows the node from now on."""
        ino = node.ino
        if not ino:
            ino = node.ino = next(self._numbers)
        if ino not in self._nodes:
            self._nodes[ino] = node
        self._nlookup[ino] = self._nlookup.get(ino, 0) + 1
        return wire.ENTRY.pack(ino, 0, _TIMEOUT, _TIMEOUT, 0, 0) + self._attr(node, ino)

    def _lookup(self, request: Request, body: memoryview) -> bytes:
        directory = self._directory(request)
        node = self._tree.child(directory, _name(body))
        if node is None or not directory.active:
            raise err(errno.ENOENT)
        return self._entry(node)

    def _forget(self, request: Request, body: memoryview) -> bytes:
        self._forget_one(request.nodeid, int.from_bytes(body[:8], "little"))
        return b""

    def _batch_forget(self, request: Request, body: memoryview) -> bytes:
        end = wire.BATCH_FORGET_IN.size + wire.BATCH_FORGET_IN.unpack_from(body)[0] * wire.FORGET_ONE.size
        for nodeid, nlookup in wire.FORGET_ONE.iter_unpack(body[wire.BATCH_FORGET_IN.size : end]):
            self._forget_one(nodeid, nlookup)
        return b""

    def _forget_one(self, nodeid: int, nlookup: int) -> None:
        left = self._nlookup.get(nodeid, 0) - nlookup
        if left > 0:
            self._nlookup[nodeid] = left
        elif nodeid != wire.ROOT_ID:
            self._nlookup.pop(nodeid, None)
            self._nodes.pop(nodeid, None)

    def _getattr(self, request: Request, body: memoryview) -> bytes:
        node = self._node(request)
        gone = isinstance(node, Directory) and not node.active
        return wire.ATTR_OUT.pack(_TIMEOUT, 0) + self._attr(node, request.nodeid, nlink=2 if gone else 0)

    def _setattr(self, request: Request, body: memoryview) -> bytes:
        node = self._node(request)
        valid, _fh, size, _, atime, mtime, _, atimensec, mtimensec, _, mode, uid, gid = wire.SETATTR_IN.unpack_from(
            body
        )
        if valid & wire.Fattr.MODE:
            node.chmod(stat.S_IMODE(mode))
        if valid & (wire.Fattr.UID | wire.Fattr.GID):
            node.chown(uid if valid & wire.Fattr.UID else -1, gid if valid & wire.Fattr.GID else -1)
        if valid & wire.Fattr.SIZE:
            node.truncate(size)
        if valid & (wire.Fattr.ATIME | wire.Fattr.MTIME):
            now = time.time_ns()
            node.utimens(
                (now if valid & wire.Fattr.ATIME_NOW else atime * 1_000_000_000 + atimensec)
                if valid & wire.Fattr.ATIME
                else None,
                (now if valid & wire.Fattr.MTIME_NOW else mtime * 1_000_000_000 + mtimensec)
                if valid & wire.Fattr.MTIME
                else None,
            )
        return self._getattr(request, body)

    def _readlink(self, request: Request, body: memoryview) -> bytes:
        node = self._node(request)
        if not isinstance(node, Symlink):
            raise err(errno.EINVAL)
        return node.target.encode("latin-1")

    def _statfs(self, request: Request, body: memoryview) -> bytes:
        return wire.STATFS_OUT.pack(0, 0, 0, 0, 0, 4096, 255, 4096)

    # Lists of names

    def _opendir(self, request: Request, body: memoryview) -> bytes:
        """Nothing to do, once and for all, and the host keeps the names; but where names come without notice."""
        lower = self._tree.lower
        if lower is None:
            raise err(errno.ENOSYS)
        ours = not lower.covers(self._directory(request).path().strip("/"))
        handle = next(self._handles)
        self._listings[handle] = []
        return wire.OPEN_OUT.pack(handle, OpenFlag.CACHE_DIR | OpenFlag.KEEP_CACHE if ours else 0)

    def _releasedir(self, request: Request, body: memoryview) -> bytes:
        self._listings.pop(wire.READ_IN.unpack_from(body.tobytes().ljust(wire.READ_IN.size))[0], None)
        return b""

    def _readdir(self, request: Request, body: memoryview) -> bytes:
        """``struct fuse_dirent``; or ``struct fuse_direntplus``, which tells of each name what a lookup does."""
        directory = self._directory(request)
        fh, offset, size = wire.READ_IN.unpack_from(body)[:3]
        names, told, token = self._listing(directory, fh, offset)
        plus = request.opcode == Opcode.READDIRPLUS
        children = directory.children
        parts: list[bytes] = []
        for index in range(told, len(names) + 2):
            node: Node | None
            if index < 2:
                name, node = (".", directory) if index == 0 else ("..", directory.parent or directory)
            else:
                name = names[index - 2]
                node = children.get(name)
            encoded = name.encode("latin-1")
            length = wire.DIRENT.size + len(encoded)
            padding = -length % 8
            size -= length + padding + (wire.ENTRY.size + wire.ATTR.size if plus else 0)
            if size < 0:
                if offset == 0 and not fh:
                    self._keep_listing((directory.ino, token), names)
                break
            if plus:
                parts.append(
                    self._entry(node) if index >= 2 and node is not None else bytes(wire.ENTRY.size + wire.ATTR.size)
                )
            ino, type_ = (node.ino, node.type >> 12) if node is not None else (0, 0)
            parts.append(
                wire.DIRENT.pack(ino or wire.UNKNOWN_INO, token << _COOKIE_INDEX | index + 1, len(encoded), type_)
            )
            parts.append(encoded + bytes(padding))
        return b"".join(parts)

    def _listing(self, directory: Directory, fh: int, offset: int) -> tuple[list[str], int, int]:
        """The names to go through, how many of them have been told, and what to go on with."""
        if not directory.active:
            return [], offset, 0
        if fh:
            if offset == 0:
                self._listings[fh] = self._tree.list(directory)
            return self._listings[fh], offset, 0
        generation, names = directory.listing()
        token = generation & _COOKIE_GENERATION
        if offset == 0:
            return names, 0, token
        index, begun = offset & (1 << _COOKIE_INDEX) - 1, offset >> _COOKIE_INDEX
        return self._listings.get((directory.ino, begun), names), index, begun

    def _keep_listing(self, key: tuple[int, int], names: list[str]) -> None:
        self._listings.pop(key, None)
        self._listings[key] = names
        if len(self._listings) > _LISTINGS_MAX:
            self._listings.pop(next(kept for kept in self._listings if isinstance(kept, tuple)))

    # Changes of names: without the kernel lock as well, while the host holds its own on the directory

    def _removed(self, directory: Directory, name: str) -> Directory:
        """The directory, of which a name is to go."""
        if name not in directory.children:
            if self._tree.child(directory, name) is None:
                raise err(errno.ENOENT)
            raise err(errno.EPERM)  # it belongs to what lies below the tree
        return directory

    def _made(self, directory: Directory, name: str) -> bytes:
        node = self._tree.child(directory, name)
        if node is None:
            raise err(errno.ENOENT)
        return self._entry(node)

    def _create(self, request: Request, body: memoryview) -> bytes:
        flags, mode, _umask, _open_flags = wire.CREATE_IN.unpack_from(body)
        cred = self._cred(request)
        file = self._place(request).create(_name(body[wire.CREATE_IN.size :]), stat.S_IMODE(mode), cred)
        context = self._context(cred, flags, file)
        opened = self._opened(_Opened(file, file.open(context), context, None))
        return self._entry(file) + opened

    def _mknod(self, request: Request, body: memoryview) -> bytes:
        mode, dev, _umask, _ = wire.CREATE_IN.unpack_from(body)
        directory, name = self._place(request), _name(body[wire.CREATE_IN.size :])
        if stat.S_ISREG(mode):
            directory.create(name, stat.S_IMODE(mode), self._cred(request))
            return self._made(directory, name)
        rdev = MKDEV(dev >> 8 & 0xFFF, dev & 0xFF | dev >> 12 & 0xFFF00)
        directory.mknod(name, mode, rdev, self._cred(request))
        node = directory.children.get(name)
        if node is None or not node.special:
            return self._made(directory, name)
        # The host wants to see what it has asked for, but would then take it for a device of its own: it is to look
        # once more at once, and to find something else.
        number = next(self._numbers)
        self._nodes[number], self._nlookup[number] = node, 1
        return wire.ENTRY.pack(number, 0, 0, 0, 0, 0) + self._attr(node, number, node.special, dev)

    def _mkdir(self, request: Request, body: memoryview) -> bytes:
        mode, _umask = wire.MKDIR_IN.unpack_from(body)
        directory, name = self._place(request), _name(body[wire.MKDIR_IN.size :])
        directory.mkdir(name, mode, self._cred(request))
        return self._made(directory, name)

    def _symlink(self, request: Request, body: memoryview) -> bytes:
        name, target = _names(body)[:2]
        directory = self._place(request)
        directory.symlink(name, target, self._cred(request))
        return self._made(directory, name)

    def _link(self, request: Request, body: memoryview) -> bytes:
        raise err(self._place(request).fstype.make)

    def _unlink(self, request: Request, body: memoryview) -> bytes:
        name = _name(body)
        self._removed(self._directory(request), name).unlink(name)
        return b""

    def _rmdir(self, request: Request, body: memoryview) -> bytes:
        name = _name(body)
        self._removed(self._directory(request), name).rmdir(name)
        return b""

    def _rename(self, request: Request, body: memoryview) -> bytes:
        to = self._nodes.get(int.from_bytes(body[:8], "little"))
        old, new = _names(body[8:])[:2]
        if not isinstance(to, Directory):
            raise err(errno.ENOTDIR)
        self._removed(self._directory(request), old).rename(old, to, new)
        return b""

    # Contents

    def _cred(self, request: Request) -> Cred:
        uid, gid, pid = request.uid, request.gid, request.pid
        return Cred(uid, gid, -1, pid) if uid == self._uid and self._is_root else CallerCred(uid, gid, 0, pid)

    def _is_own(self, pid: int) -> bool:
        """Whether a thread is the daemon's own, which may have a caller's file in its hands for a moment."""
        return os.path.exists(f"/proc/self/task/{pid}")

    @contextmanager
    def _task_of(self, cred: Cred, who: Cred | None = None) -> Iterator[None]:
        """Be the task of a process.

        :param who: the process, where its credentials were looked at before
        """
        self._session.hand_over()
        with self._sched.enter(cred, partial(identity, who or cred), self._interrupted):
            try:
                yield
            except TaskKilled as killed:
                if not self._session.exited:  # the end of the kernel is not that of its users
                    with suppress(OSError):  # it may be gone, or another user's
                        os.kill(cred.pid, killed.signum)
                raise err(errno.EIO) from None
            except OSError as error:
                if error.errno is not None and error.errno >= ERESTARTSYS:
                    # The host takes no such answer, and would wait for another.
                    restart = error.errno in RESTART and self._interrupted()
                    raise err(errno.EINTR if restart else errno.EINVAL) from None
                raise

    def _caller(self, request: Request, node: File) -> AbstractContextManager[None]:
        """What it takes to do what a request asks for with a file."""
        return self._prompt if node.prompt else self._task_of(self._cred(request))

    def _interrupted(self) -> bool:
        """Whether the caller of the operation that this thread carries out no longer waits for it, or must not."""
        return self._session.interrupted

    def _context(self, cred: Cred, flags: int, node: File) -> OpenContext:
        if node.prompt:
            return OpenContext(cred, flags)
        name = comm(cred.pid)  # it may be gone when the file is closed
        return OpenContext(cred, flags, interrupted=self._interrupted, comm=partial(comm, cred.pid, name))

    def _opened(self, opened: _Opened) -> bytes:
        """``struct fuse_open_out``."""
        handle = next(self._handles)
        flags = OpenFlag.DIRECT_IO
        device = opened.device
        if device is None or not device.operation("flush"):
            flags |= OpenFlag.NOFLUSH
        if device is not None and not device.seekable:
            flags |= OpenFlag.STREAM | OpenFlag.NONSEEKABLE  # the latter for a host that knows no streams
        self._files[handle] = opened
        return wire.OPEN_OUT.pack(handle, flags)

    def _open(self, request: Request, body: memoryview) -> bytes:
        node = self._node(request)
        if not isinstance(node, File):
            raise err(errno.EISDIR)
        flags: int = wire.OPEN_IN.unpack_from(body)[0]
        with _NOTHING if node.prompt else self._task_of(self._cred(request)):
            context = self._context(self._cred(request), flags, node)
            file = node.open(context)
            if flags & os.O_TRUNC and not node.special:
                node.truncate()
        return self._opened(_Opened(node, file, context, file if isinstance(file, vfs.File) else None))

    def _read(self, request: Request, body: memoryview) -> bytes:
        fh, offset, size, _, _, flags = wire.READ_IN.unpack_from(body)
        node, file, context, device = self._files[fh]
        if context.flags != flags:
            _set_flags(context, device, flags)
        with self._caller(request, node):
            return file.read(size, offset)

    def _write(self, request: Request, body: memoryview) -> bytes:
        fh, offset, size, _, _, flags = wire.READ_IN.unpack_from(body)
        data = bytes(body[wire.READ_IN.size : wire.READ_IN.size + size])
        node, file, context, device = self._files[fh]
        if context.flags != flags:
            _set_flags(context, device, flags)
        with self._caller(request, node):
            context.writer = self._cred(request)
            if not flags & os.O_APPEND:
                written = file.write(data, offset)
            elif device is not None:
                written = device.append(data, offset)
            else:
                written = file.write(data, node.size)  # the host goes by where the last write ended
        return wire.WRITE_OUT.pack(written)

    def _fsync(self, request: Request, body: memoryview) -> bytes:
        fh, datasync = wire.FSYNC_IN.unpack_from(body)
        node, file = self._files[fh][:2]
        if isinstance(file, vfs.File | BlockFile):
            with self._caller(request, node):
                file.fsync(bool(datasync & 1))
        return b""

    def _poll(self, request: Request, body: memoryview) -> bytes:
        fh, kh, flags = wire.POLL_IN.unpack_from(body)
        node, file = self._files[fh][:2]
        events = vfs.DEFAULT_POLLMASK
        if isinstance(file, Pollable):
            with self._caller(request, node):
                events = file.poll(partial(self._wake, kh) if flags & wire.SCHEDULE_NOTIFY else None)
        return wire.POLL_OUT.pack(events)

    def _wake(self, kh: int) -> None:
        """Tell those who poll an open file that there may be events."""
        self._session.notify(NotifyCode.POLL, kh.to_bytes(8, "little"))

    def _flush(self, request: Request, body: memoryview) -> bytes:
        _node, _file, context, device = self._files[int.from_bytes(body[:8], "little")]
        cred = self._cred(request)
        if device is not None and not self._is_own(cred.pid):
            context.writer = cred
            with self._task_of(cred):
                device.flush()
        return b""

    def _ioctl(self, request: Request, body: memoryview) -> bytes:
        fh, flags, cmd, arg, in_size, out_size = wire.IOCTL_IN.unpack_from(body)
        if flags & wire.IOCTL_DIR:
            raise err(errno.ENOTTY)
        if cmd == _HANDLE and self._is_own(request.pid):
            return wire.IOCTL_OUT.pack(0) + struct.pack("=Q", fh)
        node, file = self._files[fh][:2]
        if not isinstance(file, vfs.File | BlockFile):
            raise err(errno.ENOTTY)
        data = bytes(body[wire.IOCTL_IN.size : wire.IOCTL_IN.size + in_size])
        given = None if out_size and not cmd & _IOC_WRITE else data
        with self._caller(request, node):
            argument = _IoctlArgument(ProcessMemory(request.pid), arg, given, out_size)
            try:
                result = file.ioctl(cmd, arg, argument, bool(flags & wire.IOCTL_COMPAT))
            except OSError as error:  # what has been written is copied all the same
                if error.errno is None or error.errno >= ERESTARTSYS:
                    raise
                result = -error.errno
        return wire.IOCTL_OUT.pack(result) + argument.result

    def opened_by(self, descriptor: int) -> OpenFile | None:
        """The open file that a descriptor of this process is, with the flags that it has now; None: a directory."""
        handle = bytearray(8)
        try:
            fcntl.ioctl(descriptor, _HANDLE, handle)
        except OSError:
            return None
        _node, file, context, device = self._files[int.from_bytes(handle, "little")]
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
        if context.flags != flags:
            _set_flags(context, device, flags)
        return file

    def hear_of_closed_files(self) -> None:
        """Wait for the release of what has been closed so far.

        The host asks us in turn, and no release is overtaken: one question is enough, if there is anything to hear of.
        """
        if any(not opened.node.prompt for opened in list(self._files.values())):
            if self._asked < 0:
                self._asked = os.open(f"{self._mountpoint}/proc/modules", os.O_RDONLY | os.O_CLOEXEC)
            self.opened_by(self._asked)

    def _release(self, request: Request, body: memoryview) -> bytes:
        """The host does not say who has closed the file: it counts as whoever had it last."""
        fh = int.from_bytes(body[:8], "little")
        node, file, context, _device = self._files[fh]
        cred = context.current
        try:
            with self._prompt if node.prompt else self._task_of(cred, Cred(cred.uid, cred.gid, 0, cred.pid)):
                file.release()
        finally:
            del self._files[fh]
        return b""


class _Prompt:
    """As a context: the kernel lock, for something that does not take long once one has it."""

    def __init__(self, lock: KernelLock, wait: Callable[[], None]) -> None:
        self._lock = lock
        self._wait = wait

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self._wait()
            self._lock.acquire()

    def __exit__(self, *exc_info: object) -> None:
        self._lock.release()


def _names(body: memoryview) -> list[str]:
    """The names in a request: each ends in a NUL, and in Latin-1 every byte stands for itself."""
    return body.tobytes().decode("latin-1").split("\0")


def _name(body: memoryview) -> str:
    return _names(body)[0]


def _set_flags(context: OpenContext, device: vfs.File | None, flags: int) -> None:
    """Note what fcntl(F_SETFL) has changed."""
    context.flags = flags
    if device is not None:
        device.set_flags(flags)
