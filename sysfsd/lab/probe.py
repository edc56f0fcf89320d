"""What a filter of somebody else's does to a lab's: that of a container, above all.

Of all filters of a process, the one that refuses a call prevails: it would never be handed over.
"""

from __future__ import annotations

import ctypes
import os
import select
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from sysfsd.host.libc import syscall
from sysfsd.host.namespaces import Prctl, prctl
from sysfsd.host.seccomp import Listener, load_filter
from sysfsd.lab.supervisor import SYSCALLS, SystemCall

__all__ = ["refused"]

_ANSWER: Final = 7
_SYS_PROCESS_VM_READV: Final = 310
_SYS_PIDFD_GETFD: Final = 438


def refused(program: bytes) -> list[str]:
    """The names of the system calls that do not come through to the lab's kernel, or that it could not make.

    :param program: the lab's filter
    :raises OSError: as seccomp(2), where a filter cannot be added
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = os.fork()
    if child == 0:
        try:
            _make_calls(program, theirs)
        finally:
            os._exit(0)
    theirs.close()
    with ours:
        try:
            status, fds, _flags, _address = socket.recv_fds(ours, struct.calcsize("=i"), 1)
            [error] = struct.unpack("=i", status)
            if error:
                raise OSError(error, os.strerror(error))
            names = _answer_calls(Listener(fds[0]), ours)
        finally:
            ours.close()
            os.waitpid(child, 0)
    return sorted(names + [name for name, call in _OWN_CALLS.items() if not _possible(call)])


def _make_calls(program: bytes, parent: socket.socket) -> None:
    """In a process that ends thereafter."""
    prctl(Prctl.SET_NO_NEW_PRIVS, 1)
    try:
        listener = load_filter(program)
    except OSError as error:
        parent.send(struct.pack("=i", error.errno or 0))
        return
    socket.send_fds(parent, [struct.pack("=i", 0)], [listener])
    os.close(listener)
    parent.send(" ".join(call.name for call in SYSCALLS if not _arrives(call)).encode())


def _arrives(call: SystemCall) -> bool:
    arguments = [0] * 6
    for argument in call.arguments[0]:
        arguments[argument.number] = argument.value
    with suppress(OSError):
        return syscall(call.x86_64, *map(ctypes.c_ulong, arguments)) == _ANSWER
    return False


def _answer_calls(listener: Listener, child: socket.socket) -> list[str]:
    """:returns: what the child says in the end"""
    poll = select.poll()
    poll.register(listener.fd, select.POLLIN)
    poll.register(child, select.POLLIN)
    try:
        while True:
            for fd, _events in poll.poll():
                if fd == child.fileno():
                    return child.recv(1 << 12).decode().split()
                if (notification := listener.receive()) is not None:
                    listener.answer(notification, _ANSWER)
    finally:
        listener.close()


def _read_memory() -> None:
    syscall(_SYS_PROCESS_VM_READV, os.getpid(), None, ctypes.c_ulong(0), None, ctypes.c_ulong(0), ctypes.c_ulong(0))


def _get_file() -> None:
    pidfd = os.pidfd_open(os.getpid())
    try:
        os.close(syscall(_SYS_PIDFD_GETFD, pidfd, pidfd, ctypes.c_uint(0)))
    finally:
        os.close(pidfd)


#: What the lab's kernel must be able to do, tried on this process.
_OWN_CALLS: Final[dict[str, Callable[[], None]]] = {"process_vm_readv": _read_memory, "pidfd_getfd": _get_file}


def _possible(call: Callable[[], None]) -> bool:
    try:
        call()
    except OSError:
        return False
    return True
