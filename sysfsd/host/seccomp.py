"""System calls handed to another process (seccomp(2), seccomp_unotify(2)).

The filter is libseccomp's work. Loading it is not: a call whose notification has been taken up must not be given up
for a signal, or it would be made twice, and the version of libseccomp that most have cannot ask for that.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import errno
import fcntl
import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from sysfsd.host.libc import syscall
from sysfsd.host.namespaces import Prctl, prctl

__all__ = ["Argument", "Listener", "Notification", "Rule", "filter_program", "filtered", "load_filter"]

#: What pyseccomp would search for with ldconfig.
_SONAMES: Final = {"c": "libc.so.6", "seccomp": "libseccomp.so.2"}

_SYS_SECCOMP: Final = 317
_SET_MODE_FILTER: Final = 1
#: What prctl(2) says of a process that is under one.
_MODE_FILTER: Final = 2
_FLAG_NEW_LISTENER: Final = 1 << 3
_FLAG_WAIT_KILLABLE_RECV: Final = 1 << 5

_NOTIF_RECV: Final = 0xC0502100
_NOTIF_SEND: Final = 0xC0182101
_NOTIF_ID_VALID: Final = 0x40082102
_RESP_FLAG_CONTINUE: Final = 1

#: ``struct seccomp_notif``: id, pid, flags, then ``struct seccomp_data``: nr, arch, instruction pointer, arguments.
_NOTIF: Final = struct.Struct("=QIIiIQ6Q")
#: ``struct seccomp_notif_resp``: id, value, error, flags.
_RESP: Final = struct.Struct("=QqiI")


class Argument(NamedTuple):
    """What an argument of a system call must be: *value* in the bits of *mask*."""

    number: int
    value: int
    mask: int = (1 << 64) - 1


class Rule(NamedTuple):
    """A system call that is handed over, where its arguments are such."""

    name: str
    arguments: tuple[Argument, ...] = ()


def filtered() -> bool:
    """Whether this process is under a filter."""
    return prctl(Prctl.GET_SECCOMP) == _MODE_FILTER


def filter_program(rules: Iterable[Rule]) -> bytes:
    """A BPF program that hands over what *rules* name, of this machine's every way to make system calls."""
    search = ctypes.util.find_library
    ctypes.util.find_library = lambda name: _SONAMES.get(name)
    try:
        import pyseccomp
    finally:
        ctypes.util.find_library = search

    program = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    program.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.ALLOW)
    for arch in (pyseccomp.Arch.X86, pyseccomp.Arch.X32):
        program.add_arch(arch)
    for rule in rules:
        compared = [pyseccomp.Arg(arg.number, pyseccomp.MASKED_EQ, arg.mask, arg.value) for arg in rule.arguments]
        program.add_rule(pyseccomp.NOTIFY, rule.name, *compared)
    with open(os.memfd_create("filter"), "rb") as file:
        program.export_bpf(file)
        return os.pread(file.fileno(), 1 << 16, 0)


def load_filter(program: bytes) -> int:
    """Put this process, and all that come from it, under a filter.

    :returns: the descriptor that notifications come from
    :raises OSError: as seccomp(2); EBUSY where somebody listens already
    """
    instructions = ctypes.create_string_buffer(program, len(program))
    fprog = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    for flags in (_FLAG_NEW_LISTENER | _FLAG_WAIT_KILLABLE_RECV, _FLAG_NEW_LISTENER):
        try:
            return syscall(_SYS_SECCOMP, ctypes.c_uint(_SET_MODE_FILTER), ctypes.c_uint(flags), fprog)
        except OSError as error:
            if error.errno != errno.EINVAL or not flags & _FLAG_WAIT_KILLABLE_RECV:
                raise  # else a kernel before 5.19
    raise AssertionError


@dataclass(frozen=True, slots=True)
class Notification:
    """A system call that waits for its answer.

    :param pid: the thread that made it
    :param arch: AUDIT_ARCH_*, by which *nr* counts
    """

    id: int
    pid: int
    nr: int
    arch: int
    args: tuple[int, ...]


class Listener:
    """Where notifications come from, and answers go to."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def receive(self) -> Notification | None:
        """The next call; None where its caller is gone already.

        :raises OSError: as the ioctl
        """
        buffer = bytearray(_NOTIF.size)
        try:
            fcntl.ioctl(self.fd, _NOTIF_RECV, buffer)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINTR):
                return None
            raise
        ident, pid, _flags, nr, arch, _ip, *args = _NOTIF.unpack(buffer)
        return Notification(ident, pid, nr, arch, tuple(args))

    def valid(self, notification: Notification) -> bool:
        """Whether the caller is still there, and waiting: so that its pid is still its own."""
        try:
            fcntl.ioctl(self.fd, _NOTIF_ID_VALID, struct.pack("=Q", notification.id))
        except OSError:
            return False
        return True

    def answer(self, notification: Notification, value: int = 0, error: int = 0) -> None:
        """Let the call return *value*, or -*error*."""
        self._send(_RESP.pack(notification.id, value, -error, 0))

    def proceed(self, notification: Notification) -> None:
        """Let the host carry the call out."""
        self._send(_RESP.pack(notification.id, 0, 0, _RESP_FLAG_CONTINUE))

    def _send(self, response: bytes) -> None:
        try:
            fcntl.ioctl(self.fd, _NOTIF_SEND, response)
        except OSError as error:
            if error.errno != errno.ENOENT:  # the caller is gone
                raise

    def close(self) -> None:
        os.close(self.fd)
