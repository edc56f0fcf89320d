"""Mounting without libfuse: mount(2) of /dev/fuse, and fusermount(1) for users who may not (libfuse 2's lib/mount.c).

The options are those of mount.fuse(8) that libfuse 2 knows, sorted as it sorts them; complaints are in its words.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import select
import shutil
import socket
import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final

from sysfsd.host.namespaces import Mount, mount, umount
from sysfsd.linux.err import err

__all__ = ["MountOptions", "Mounted", "fusermount_program"]

_DEVICE: Final = "/dev/fuse"
#: Where fusermount(1) is told which of its descriptors is the socket that /dev/fuse comes back through.
_COMMFD: Final = "_FUSE_COMMFD"

#: Options that are flags of mount(2), and whether they set theirs.
_FLAGS: Final[dict[str, tuple[Mount, bool]]] = {
    "rw": (Mount.RDONLY, False),
    "ro": (Mount.RDONLY, True),
    "suid": (Mount.NOSUID, False),
    "nosuid": (Mount.NOSUID, True),
    "dev": (Mount.NODEV, False),
    "nodev": (Mount.NODEV, True),
    "exec": (Mount.NOEXEC, False),
    "noexec": (Mount.NOEXEC, True),
    "async": (Mount.SYNCHRONOUS, False),
    "sync": (Mount.SYNCHRONOUS, True),
    "atime": (Mount.NOATIME, False),
    "noatime": (Mount.NOATIME, True),
    "dirsync": (Mount.DIRSYNC, True),
}
#: Options for the file system itself: words, and names of values.
_KERNEL: Final = {"allow_other", "default_permissions", "large_read"}
_KERNEL_VALUES: Final = {"blksize", "context", "defcontext", "fscontext", "rootcontext"}
#: Options that say how to mount: words, and names of values.
_HOW: Final = {"auto_unmount", "blkdev", "nonempty"}
_HOW_VALUES: Final = {"fsname", "subtype", "user"}


class _Refused(Exception):
    """The host does not let this process mount by itself: fusermount may."""


@dataclass
class MountOptions:
    """Options of mount.fuse(8), by what they are for.

    :ivar flags: of mount(2)
    :ivar kernel: options of the file system itself
    :ivar how: the others, by name
    :ivar unknown: those that are none
    """

    flags: Mount = Mount.NOSUID | Mount.NODEV
    kernel: list[str] = field(default_factory=list)
    how: dict[str, str | bool] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, given: Mapping[str, str | bool]) -> MountOptions:
        """Sort options.

        :param given: by name; True: one without a value; False: not given
        """
        options = cls()
        for name, value in given.items():
            options._add(name, _unescape(value) if isinstance(value, str) else value)
        return options

    def _add(self, name: str, value: str | bool) -> None:
        text = name if value is True else f"{name}={value}"
        if value is False:
            pass
        elif value is True and name in _FLAGS:
            flag, on = _FLAGS[name]
            self.flags = self.flags | flag if on else self.flags & ~flag
        elif name in (_KERNEL if value is True else _KERNEL_VALUES):
            self.kernel.append(text)
        elif name in (_HOW if value is True else _HOW_VALUES):
            self.how[name] = value
        else:
            self.unknown.append(text)

    @property
    def source(self) -> str:
        """What the mount is of, as /proc/mounts shows it."""
        return str(self.how.get("fsname", self.how.get("subtype", _DEVICE)))

    @property
    def fstype(self) -> str:
        """``fuse`` and its subtype, as /proc/mounts shows them."""
        fstype = "fuseblk" if "blkdev" in self.how else "fuse"
        return f"{fstype}.{self.how['subtype']}" if "subtype" in self.how else fstype

    def for_fusermount(self, subtype: bool) -> str:
        """All of it as an argument of ``fusermount -o``.

        :param subtype: name the subtype, which a host may not know
        """
        words = [] if self.flags & Mount.RDONLY else ["rw"]
        words += [name for name, (flag, on) in _FLAGS.items() if on and self.flags & flag]
        words += self.kernel
        for name, value in self.how.items():
            if name != "subtype" or subtype:
                words.append(name if value is True else f"{name}={_escape(str(value))}")
        return ",".join(words)


def _unescape(value: str) -> str:
    r"""The value of an option as it was meant: ``\,`` is a comma, ``\054`` is one, too, and ``\\`` is a backslash."""
    return re.sub(r"\\(?:([0-3][0-7][0-7])|(.))", lambda found: chr(int(found[1], 8)) if found[1] else found[2], value)


def _escape(value: str) -> str:
    return re.sub(r"([\\,])", r"\\\1", value)


class Mounted:
    """A mount; as a context, until its end.

    :param mountpoint: where; the directory need not be empty
    :param given: options of mount.fuse(8), by name
    :raises OSError: EIO where FUSE cannot mount, EINVAL of an option that it does not know; standard error says why
    """

    def __init__(self, mountpoint: str, given: Mapping[str, str | bool]) -> None:
        self._mountpoint = mountpoint
        #: While it is open, a fusermount that was told to unmount automatically waits.
        self._waits: socket.socket | None = None
        options = MountOptions.of(given)
        if options.unknown:
            _say(f"unknown option `{','.join(options.unknown)}'")
            raise err(errno.EINVAL, mountpoint)
        try:
            fd = self._mount(options)
        except _Refused:
            fd = self._have_mounted(options)
        #: /dev/fuse, for this mount: none of the three that a daemon lets go of.
        self.fd: Final[int] = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)
        os.close(fd)

    def _mount(self, options: MountOptions) -> int:
        """Mount by mount(2).

        :raises OSError: EIO: it failed
        :raises _Refused: this process may not, or somebody else is to unmount
        """
        if "auto_unmount" in options.how:
            raise _Refused
        try:
            fd = os.open(_DEVICE, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            missing = error.errno in (errno.ENODEV, errno.ENOENT)
            _say(
                "device not found, try 'modprobe fuse' first"
                if missing
                else f"failed to open {_DEVICE}: {error.strerror}"
            )
            raise err(errno.EIO, self._mountpoint) from None
        rootmode = stat.S_IFMT(os.stat(self._mountpoint).st_mode)
        data = [*options.kernel, f"fd={fd},rootmode={rootmode:o},user_id={os.getuid()},group_id={os.getgid()}"]
        try:
            mount(options.source, self._mountpoint, options.fstype, options.flags, ",".join(data))
        except OSError as error:
            os.close(fd)
            if error.errno == errno.EPERM:
                raise _Refused from None
            _say(f"mount failed: {error.strerror}")
            raise err(errno.EIO, self._mountpoint) from None
        return fd

    def _have_mounted(self, options: MountOptions) -> int:
        """Have fusermount mount.

        :raises OSError: EIO: it has said why it does not
        """
        tries = [True, False] if "subtype" in options.how else [False]
        for subtype in tries:
            fd = self._ask_fusermount(options.for_fusermount(subtype), "auto_unmount" in options.how, subtype)
            if fd >= 0:
                return fd
        raise err(errno.EIO, self._mountpoint)

    def _ask_fusermount(self, options: str, stays: bool, quiet: bool) -> int:
        """Start fusermount and take /dev/fuse from it; -1: it did not mount.

        :param stays: it goes on until this process ends, to unmount then
        :param quiet: it is not to say anything
        """
        ours, its = socket.socketpair()
        with its:
            pid = _fusermount(["-o", options, "--", self._mountpoint], its, quiet)
        _message, fds, _flags, _address = socket.recv_fds(ours, 1, 1)
        if stays and fds:
            self._waits = ours
        else:
            ours.close()
            if pid:
                os.waitpid(pid, 0)
        return fds[0] if fds else -1

    def __enter__(self) -> Mounted:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        exc_traceback: TracebackType | None = None,
    ) -> None:
        gone = select.poll()
        gone.register(self.fd, 0)
        unmounted = any(events & select.POLLERR for _fd, events in gone.poll(0))
        os.close(self.fd)  # before: unmounting would ask who no longer answers
        if not unmounted:
            self._unmount()
        if self._waits is not None:
            self._waits.close()

    def _unmount(self) -> None:
        try:
            umount(self._mountpoint)
        except OSError as error:
            if os.geteuid() == 0:
                _say(f"failed to unmount {self._mountpoint}: {error.strerror}")
            else:
                pid = _fusermount(["-u", "-q", "-z", "--", self._mountpoint])
                if pid:
                    os.waitpid(pid, 0)


def fusermount_program() -> str | None:
    """Where fusermount3(1) or fusermount(1) is, if there is one."""
    return next(filter(None, map(shutil.which, ("fusermount3", "fusermount"))), None)


def _fusermount(arguments: Sequence[str], socket_: socket.socket | None = None, quiet: bool = False) -> int:
    """Start fusermount, with which users mount and unmount who may not do so by themselves.

    :param socket_: through which it is to send /dev/fuse
    :param quiet: whether it is not to be heard
    :returns: its process number; 0: there is none
    """
    program = fusermount_program()
    if program is None:
        if not quiet:
            _say(f"failed to exec fusermount: {os.strerror(errno.ENOENT)}")
        return 0
    environment: Mapping[str, str] = os.environ
    if socket_ is not None:
        os.set_inheritable(socket_.fileno(), True)
        environment = {**os.environ, _COMMFD: str(socket_.fileno())}
    silence = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in ((1, 2) if quiet else ())]
    return os.posix_spawn(program, [os.path.basename(program), *arguments], environment, file_actions=silence)


def _say(what: str) -> None:
    print(f"fuse: {what}", file=sys.stderr)
