"""The system calls that a lab's kernel answers in the host's stead.

``SYSCALLS`` is the table of them. What a call points to is copied from and to its caller's memory as the kernel would,
when the kernel would.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import select
import stat
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property, partial
from itertools import chain, count
from typing import Final, NamedTuple

from sysfsd.fs import devfs
from sysfsd.fs.kernfs import Directory, Seekable, Tree
from sysfsd.fuse.leader_followers import LeaderFollowers
from sysfsd.fuse.mount import Mount
from sysfsd.host.callers import CallerCred, ProcessMemory, identity, personality, signal_wanted
from sysfsd.host.kernel_read_file import kernel_read_file
from sysfsd.host.libc import syscall
from sysfsd.host.namespaces import clone_tree, move_mount
from sysfsd.host.seccomp import Argument, Listener, Notification, Rule
from sysfsd.lab.fs_struct import in_place_of
from sysfsd.lab.mknod import NODES, Link, decode_dev, hosts_node
from sysfsd.linux.arch.x86.traps import TaskKilled
from sysfsd.linux.block.fops import BlockFile
from sysfsd.linux.err import err
from sysfsd.linux.fs import vfs
from sysfsd.linux.fs.char_dev import MISC_MAJOR, MKDEV, DeviceNumbers
from sysfsd.linux.kernel.cred import INIT_CRED, Capability
from sysfsd.linux.kernel.module.module import MODULE_NAME_LEN
from sysfsd.linux.mm.slab import KMALLOC_MAX_SIZE
from sysfsd.linux.system import Kernel

__all__ = ["RULES", "SYSCALLS", "Call", "Supervisor", "SystemCall"]

AUDIT_ARCH_I386: Final = 0x40000003
_X32_SYSCALL_BIT: Final = 0x40000000
_SYS_PIDFD_GETFD: Final = 438
_PAGE_SIZE: Final = 4096
_NEW_UTS_LEN: Final = 64
_PATH_MAX: Final = 4096
_AT_FDCWD: Final = -100
_S_IFMT: Final = 0o170000
_DEBUGFS: Final = "/sys/kernel/debug"
_F_SETOWN_EX: Final = 15
_F_OWNER_PGRP: Final = 2
#: What makes an ioctl one that points to something, in the bits of its number: it is written, or read.
_IOC_DIRECTIONS: Final = (1 << 30, 1 << 31)
#: What the host would answer of a regular file, without asking us: FIBMAP, FIONREAD.
_REGULAR_FILES_IOCTLS: Final = (0x1, 0x541B)
#: What no device sees of its own, for Linux takes it for itself: FS_IOC_FIEMAP, FICLONE, FICLONERANGE,
#: FIDEDUPERANGE, FIFREEZE, FITHAW.
_FILE_SYSTEMS_IOCTLS: Final = {0xC020660B, 0x40049409, 0x4020940D, 0xC0189436, 0xC0045877, 0xC0045878}
#: Devices of the kernel proper that are not the host's, and their nodes.
_BUILTIN: Final = {(stat.S_IFCHR, 1, 11): "/dev/kmsg"}


class Call:
    """One system call, and the process that made it."""

    def __init__(self, listener: Listener, notification: Notification) -> None:
        self._listener = listener
        self._notification = notification
        self.args = notification.args
        self.pid = notification.pid
        #: By a 32-bit program.
        self.compat = notification.arch == AUDIT_ARCH_I386
        self.memory = ProcessMemory(self.pid)

    @cached_property
    def cred(self) -> CallerCred:
        return CallerCred.of(self.pid)

    @property
    def tgid(self) -> int:
        return int(self.cred.status.get("Tgid", self.pid))

    def waiting(self) -> bool:
        return self._listener.valid(self._notification)

    def interrupted(self) -> bool:
        """Whether the caller is gone, or has a signal that it wants to see."""
        return not self.waiting() or signal_wanted(self.pid)

    # The caller's memory and files

    def read(self, address: int, size: int) -> bytes:
        """``copy_from_user()``.

        :raises OSError: EFAULT
        """
        data = self._read(address, size)
        if len(data) < size:
            raise err(errno.EFAULT)
        return data

    def _read(self, address: int, size: int) -> bytes:
        """As much of it as there is."""
        data = self.memory.read(address, size)
        if not self.waiting():
            raise err(errno.EFAULT)
        return data

    def read_string(self, address: int, limit: int) -> bytes:
        """``strncpy_from_user()``: up to a NUL, which is left off, or *limit* bytes.

        :raises OSError: EFAULT
        """
        text = b""
        while len(text) < limit:
            wanted = min(_PAGE_SIZE - (address + len(text)) % _PAGE_SIZE, limit - len(text))
            chunk = self._read(address + len(text), wanted)
            before, nul, _ = chunk.partition(b"\0")
            text += before
            if nul:
                return text
            if len(chunk) < wanted:
                raise err(errno.EFAULT)
        return text

    def write(self, address: int, data: bytes) -> None:
        """``copy_to_user()``.

        :raises OSError: EFAULT
        """
        if not data:
            return
        if not self.waiting() or self.memory.write(address, data) < len(data):
            raise err(errno.EFAULT)

    def file(self, fd: int) -> int:
        """``fdget()``: the caller's open file, as a descriptor of this process.

        :raises OSError: EBADF
        """
        try:
            pidfd = os.pidfd_open(self.tgid)
        except OSError:
            raise err(errno.EBADF) from None
        try:
            return syscall(_SYS_PIDFD_GETFD, pidfd, fd, ctypes.c_uint(0))
        except OSError:
            raise err(errno.EBADF) from None
        finally:
            os.close(pidfd)


class Proceed(Exception):
    """The host is to carry the call out."""


def _int(value: int) -> int:
    """An argument as a C int."""
    return ctypes.c_int(value & 0xFFFFFFFF).value


class SystemCall(NamedTuple):
    """A system call, its numbers on x86-64 and i386, and what answers it.

    :param sleeps: it may take its time
    :param arguments: with which it is handed over, if not with all; one set of them is enough
    :param ours: whether a call is not the host's to carry out; None: none is, or the answer finds out
    :param x32: its number among the x32 calls, where they have one of their own
    """

    name: str
    x86_64: int
    i386: int
    answer: Callable[[Supervisor, Call], int]
    sleeps: bool = False
    arguments: tuple[tuple[Argument, ...], ...] = ((),)
    ours: Callable[[Supervisor, Call], bool] | None = None
    x32: int | None = None


def _after_close(answer: Callable[[Supervisor, Call], int]) -> Callable[[Supervisor, Call], int]:
    """A call whose outcome may depend on a file that its caller has closed: close(2) returns before we hear of it."""

    def answer_after_close(supervisor: Supervisor, call: Call) -> int:
        supervisor._mount.hear_of_closed_files()
        return answer(supervisor, call)

    return answer_after_close


class Supervisor:
    """Answers the calls of all processes in a lab.

    :param kernel: the lab's kernel
    :param files: its files
    :param mount: where they are mounted
    :param host_root: root here is the host's root
    :param made: told of each link that stands for a node
    """

    def __init__(
        self, kernel: Kernel, files: Tree, mount: Mount, host_root: bool, made: Callable[[Link], None]
    ) -> None:
        self.kernel = kernel
        self._files = files
        self._mount = mount
        self._host_root = host_root
        self._made = made
        self._by_number = {AUDIT_ARCH_I386: {call.i386: call for call in SYSCALLS}}
        self._native = {number: call for call in SYSCALLS for number in (call.x86_64, call.x32) if number is not None}

    def listen(self, fd: int) -> None:
        """Answer the calls that come from a filter, in threads of its own, until nobody is under it any more."""
        listener = Listener(fd)
        threads = LeaderFollowers(lambda: self._lead(threads, listener))
        threads.start()

    def _lead(self, threads: LeaderFollowers, listener: Listener) -> bool:
        """Answer calls until another thread leads."""
        poll = select.poll()
        poll.register(listener.fd, select.POLLIN)
        while True:
            [(_, events)] = poll.poll()
            if not events & select.POLLIN:
                threads.end()
                listener.close()
                return False
            notification = listener.receive()
            if notification is None:
                continue
            table = self._by_number.get(notification.arch, self._native)
            syscall = table[notification.nr & ~_X32_SYSCALL_BIT]
            if syscall.ours is not None and not syscall.ours(self, Call(listener, notification)):
                listener.proceed(notification)
            elif syscall.sleeps:
                threads.hand_over()
                self._answer(listener, notification, syscall)
                return True
            else:
                self._answer(listener, notification, syscall)

    def _answer(self, listener: Listener, notification: Notification, syscall: SystemCall) -> None:
        call = Call(listener, notification)
        try:
            if syscall.sleeps:
                with self.kernel.sched.enter(call.cred, partial(identity, call.cred), call.interrupted):
                    value = syscall.answer(self, call)
            else:
                value = syscall.answer(self, call)
        except Proceed:
            listener.proceed(notification)
        except TaskKilled as killed:
            with suppress(OSError):
                os.kill(call.tgid, killed.signum)
            listener.answer(notification, error=errno.EINTR)
        except OSError as error:
            listener.answer(notification, error=error.errno or errno.EIO)
        except Exception:
            listener.answer(notification, error=errno.EIO)  # an error of ours is no reason for others to wait for ever
            raise
        else:
            listener.answer(notification, value)

    # Modules

    @_after_close
    def init_module(self, call: Call) -> int:
        umod, size, uargs = call.args[:3]
        self.kernel.init_module(lambda: call.read(umod, size), self._arguments(call, uargs), call.cred, size)
        return 0

    @_after_close
    def finit_module(self, call: Call) -> int:
        fd, uargs, flags = call.args[:3]
        opened: list[int] = []

        def file() -> bytes:
            opened.append(call.file(_int(fd)))
            return kernel_read_file(opened[0])

        try:
            self.kernel.finit_module(file, self._arguments(call, uargs), _int(flags), call.cred)
        finally:
            for descriptor in opened:
                os.close(descriptor)
        return 0

    def _arguments(self, call: Call, address: int) -> Callable[[], bytes]:
        return lambda: call.read_string(address, KMALLOC_MAX_SIZE)

    @_after_close
    def delete_module(self, call: Call) -> int:
        name, flags = call.args[:2]
        self.kernel.delete_module(
            lambda: call.read_string(name, MODULE_NAME_LEN).decode("latin-1"), _int(flags), call.cred
        )
        return 0

    # Files

    def _own_file(self, call: Call) -> bool:
        """Whether the first argument is an open file of this kernel's."""
        try:
            return os.stat(f"/proc/{call.pid}/fd/{_int(call.args[0])}").st_dev == self._mount.device
        except OSError:
            return False

    def _own_ioctl(self, call: Call) -> bool:
        return call.args[1] & 0xFFFFFFFF not in _FILE_SYSTEMS_IOCTLS and self._own_file(call)

    def ioctl(self, call: Call) -> int:
        """Of a device: the host goes by the number, whatever the module takes the argument for.

        :raises Proceed: of another file
        """
        fd, cmd, arg = call.args[:3]
        descriptor = call.file(_int(fd))
        try:
            file = self._mount.opened_by(descriptor)
            if not isinstance(file, vfs.File | BlockFile):
                raise Proceed
            if cmd in _REGULAR_FILES_IOCTLS and isinstance(file, vfs.File) and stat.S_ISREG(file.mode):
                raise Proceed  # it is one here, too
            return file.ioctl(cmd & 0xFFFFFFFF, arg, call.memory, call.compat)
        finally:
            os.close(descriptor)

    def fcntl(self, call: Call) -> int:
        """As far as it is about signals that tell of events: a device has to know who wants any.

        :raises Proceed: the rest is the host's
        """
        fd, cmd, arg = call.args[:3]
        descriptor = call.file(_int(fd))
        try:
            device = self._mount.opened_by(descriptor)
            if isinstance(device, vfs.File):
                if _int(cmd) == fcntl.F_SETFL:
                    device.fasync(_int(fd), bool(arg & os.O_ASYNC))
                elif _int(cmd) == fcntl.F_SETSIG:
                    device.set_signal(_int(arg))
                elif _int(cmd) == fcntl.F_SETOWN:
                    device.set_owner(_int(arg))
                else:
                    kind, pid = struct.unpack("=ii", call.read(arg, 8))
                    device.set_owner(-pid if kind == _F_OWNER_PGRP else pid)
        finally:
            os.close(descriptor)
        raise Proceed

    def lseek(self, call: Call) -> int:
        """In a file of this kernel's: the host does not ask us where that leads.

        :raises Proceed: where it does not matter
        """
        fd, offset, whence = call.args[:3]
        offset = ctypes.c_int64(offset).value
        descriptor = call.file(_int(fd))
        try:
            file = self._mount.opened_by(descriptor)
            if not isinstance(file, Seekable):
                raise Proceed
            return file.llseek(offset, _int(whence))
        except OSError:
            if offset <= 0 and whence == os.SEEK_CUR:
                return 0  # of a device, head(1) would not mind; but this one looks like a regular file to it
            raise
        finally:
            os.close(descriptor)

    def mount(self, call: Call) -> int:
        """Of debugfs: the host's is another.

        :raises OSError: as mount(2)
        :raises Proceed: of anything else
        """
        _source, target, fstype = call.args[:3]
        if (
            not fstype
            or call.read_string(fstype, _PATH_MAX) != b"debugfs"
            or not call.cred.capable(Capability.SYS_ADMIN)
        ):
            raise Proceed
        path = os.fsdecode(call.read_string(target, _PATH_MAX))
        in_place_of(call.cred, "cwd", lambda: self._mount_debugfs(path))
        return 0

    def _mount_debugfs(self, path: str) -> None:
        """In the caller's place."""
        if not os.path.samefile(path, _DEBUGFS):
            move_mount(clone_tree(_DEBUGFS), path)

    def mknod(self, call: Call) -> int:
        path, mode, dev = call.args[:3]
        return self._mknod(call, _AT_FDCWD, path, mode, dev)

    def mknodat(self, call: Call) -> int:
        dirfd, path, mode, dev = call.args[:4]
        return self._mknod(call, _int(dirfd), path, mode, dev)

    def _mknod(self, call: Call, dirfd: int, pathname: int, mode: int, dev: int) -> int:
        """``do_mknodat()`` of a device.

        :raises OSError: as mknod(2)
        :raises Proceed: where the host can do it
        """
        mode &= 0xFFFF
        major, minor = decode_dev(dev & 0xFFFFFFFF)
        if not major and not minor:
            raise Proceed  # no device, and nobody needs a privilege for it
        path = os.fsdecode(call.read_string(pathname, _PATH_MAX))
        if not path:
            raise err(errno.ENOENT)
        if len(path) >= _PATH_MAX:
            raise err(errno.ENAMETOOLONG)
        start = "cwd" if dirfd == _AT_FDCWD or path.startswith("/") else f"fd/{dirfd}"
        if not os.path.lexists(f"/proc/{call.pid}/{start}"):
            raise err(errno.EBADF)
        in_place_of(call.cred, start, lambda: self._create_node(call, path, mode, major, minor))
        return 0

    def _create_node(self, call: Call, path: str, mode: int, major: int, minor: int) -> None:
        """In the caller's place."""
        above, name = os.path.split(path.rstrip("/"))
        directory = os.open(above or ("/" if path.startswith("/") else "."), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _may_create(directory, name, slash=path.endswith("/"))
            if not call.cred.capable(Capability.MKNOD):
                raise err(errno.EPERM)
            mode &= ~int(call.cred.status.get("Umask", "0"), 8)
            target = _BUILTIN.get((stat.S_IFMT(mode), major, minor))
            rdev = MKDEV(major, minor)
            if target is None and not self._serves(major, minor) and (known := hosts_node(mode, major, minor)):
                if self._host_root:
                    raise Proceed
                target = f"/dev/.host/{known}"
            if target is None and os.fstat(directory).st_dev == self._mount.device:
                self._mknod_here(os.readlink(f"/proc/thread-self/fd/{directory}"), name, mode, rdev, call)
                return
            target = target or self._hidden_node(mode, rdev, f"{major}:{minor}", call)
            os.symlink(target, name, dir_fd=directory)
            self._made(Link(os.dup(directory), name, target))
        finally:
            os.close(directory)

    def _serves(self, major: int, minor: int) -> bool:
        """Whether a module has taken a device number."""
        numbers = self.kernel.state(DeviceNumbers)
        with self.kernel.lock:
            return bool(numbers.cdevs(MKDEV(major, minor))) or (major == MISC_MAJOR and minor in numbers.misc.values())

    def _mknod_here(self, path: str, name: str, mode: int, rdev: int, call: Call) -> None:
        directory = self._files.lookup(path)
        if not isinstance(directory, Directory):
            raise err(errno.ENOTDIR)
        devfs.mknod(directory, name, mode, rdev, call.cred)

    def _hidden_node(self, mode: int, rdev: int, stem: str, call: Call) -> str:
        """A node that a link can lead to.

        :param stem: what its name begins with
        :returns: its path
        """
        dev = self._files.lookup("/dev")
        assert isinstance(dev, Directory)
        if NODES not in dev.children:
            dev.mkdir(NODES, 0o1777, INIT_CRED)
            dev.touch(NODES)
        nodes = dev.children[NODES]
        assert isinstance(nodes, Directory)
        name = next(n for n in chain([stem], (f"{stem}.{i}" for i in count(1))) if n not in nodes.children)
        devfs.mknod(nodes, name, mode, rdev, call.cred)
        return f"/dev/{NODES}/{name}"

    # The kernel's name and log

    def uname(self, call: Call) -> int:
        call.write(call.args[0], self.kernel.newuname(personality(call.pid)))
        return 0

    def sethostname(self, call: Call) -> int:
        self.kernel.tunables.hostname = self._name(call)
        return 0

    def setdomainname(self, call: Call) -> int:
        self.kernel.tunables.domainname = self._name(call)
        return 0

    def _name(self, call: Call) -> str:
        """:raises OSError: EPERM, EINVAL, EFAULT"""
        address, size = call.args[0], _int(call.args[1])
        if not call.cred.capable(Capability.SYS_ADMIN):
            raise err(errno.EPERM)
        if not 0 <= size <= _NEW_UTS_LEN:
            raise err(errno.EINVAL)
        return call.read(address, size).split(b"\0", 1)[0].decode("latin-1")

    @_after_close
    def syslog(self, call: Call) -> int:
        action, buf, size = call.args[:3]
        return self.kernel.syslog(_int(action), buf, _int(size), call.cred, call.write, call.interrupted)


def _may_create(directory: int, name: str, slash: bool) -> None:
    """``filename_create()`` and ``may_create()``: whether a name can be added to a directory.

    :param slash: one follows the name
    :raises OSError: EEXIST, ENOENT, EACCES, EROFS, ENAMETOOLONG
    """
    if name in ("", ".", ".."):
        raise err(errno.EEXIST)
    with suppress(FileNotFoundError):
        os.lstat(name, dir_fd=directory)
        raise err(errno.EEXIST)
    if slash:
        raise err(errno.ENOENT)
    if not os.access(".", os.W_OK | os.X_OK, dir_fd=directory, effective_ids=True):
        raise err(errno.EROFS if os.fstatvfs(directory).f_flag & os.ST_RDONLY else errno.EACCES)


def _telling(number: int) -> tuple[tuple[Argument, ...], ...]:
    """Argument *number* is one of fcntl() that has to do with signals."""
    commands = (fcntl.F_SETFL, fcntl.F_SETOWN, fcntl.F_SETSIG, _F_SETOWN_EX)
    return tuple((Argument(number, command, 0xFFFFFFFF),) for command in commands)


def _pointing(number: int) -> tuple[tuple[Argument, ...], ...]:
    """Argument *number* is that of an ioctl that the host would take for something."""
    return (
        *((Argument(number, direction, direction),) for direction in _IOC_DIRECTIONS),
        *((Argument(number, command, 0xFFFFFFFF),) for command in _REGULAR_FILES_IOCTLS),
    )


def _devices(mode: int) -> tuple[tuple[Argument, ...], ...]:
    """Argument *mode* says that it is a device."""
    return tuple((Argument(mode, kind, _S_IFMT),) for kind in (stat.S_IFCHR, stat.S_IFBLK))


SYSCALLS: Final = (
    SystemCall("lseek", 8, 19, Supervisor.lseek, sleeps=True, ours=Supervisor._own_file),
    SystemCall(
        "ioctl", 16, 54, Supervisor.ioctl, sleeps=True, arguments=_pointing(1), ours=Supervisor._own_ioctl, x32=514
    ),
    SystemCall("fcntl", 72, 55, Supervisor.fcntl, sleeps=True, arguments=_telling(1), ours=Supervisor._own_file),
    SystemCall("uname", 63, 122, Supervisor.uname),
    SystemCall("syslog", 103, 103, Supervisor.syslog, sleeps=True),
    SystemCall("mknod", 133, 14, Supervisor.mknod, arguments=_devices(1)),
    SystemCall("mount", 165, 21, Supervisor.mount),
    SystemCall("sethostname", 170, 74, Supervisor.sethostname),
    SystemCall("setdomainname", 171, 121, Supervisor.setdomainname),
    SystemCall("init_module", 175, 128, Supervisor.init_module, sleeps=True),
    SystemCall("delete_module", 176, 129, Supervisor.delete_module, sleeps=True),
    SystemCall("mknodat", 259, 297, Supervisor.mknodat, arguments=_devices(2)),
    SystemCall("finit_module", 313, 350, Supervisor.finit_module, sleeps=True),
)

#: What is handed over to a supervisor.
RULES: Final = tuple(Rule(call.name, arguments) for call in SYSCALLS for arguments in call.arguments)
