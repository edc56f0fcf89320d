"""The first process of a lab: its kernel, and what the host's would do for it.

It mounts the kernel's files where only it and the lab's mount namespace see them, answers system calls, and buries
orphans. When it ends, the host ends all that is in the lab.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import struct
from collections.abc import Callable
from itertools import count
from pathlib import Path
from threading import Lock, Thread
from typing import Final, NoReturn

from sysfsd.fs.tree import tree
from sysfsd.fuse.mount import Mount
from sysfsd.host.libc import syscall
from sysfsd.lab.hostfs import HostTree
from sysfsd.lab.launcher import MESSAGE_MAX
from sysfsd.lab.mknod import Link, Links
from sysfsd.lab.rootfs import FUSE, LAB
from sysfsd.lab.supervisor import Supervisor
from sysfsd.linux.system import Kernel

__all__ = ["serve"]

_SYS_RT_SIGQUEUEINFO: Final = 129
#: ``sizeof(siginfo_t)``, and where ``si_code`` is in it (bytes).
_SIGINFO: Final = 128
_SI_CODE: Final = 8
_UCRED: Final = struct.Struct("=3i")


def serve(
    boot: Callable[[], Kernel], launcher: socket.socket, door: socket.socket, host_root: bool, program: bytes
) -> None:
    """Be a lab's kernel until the launcher is gone.

    :param boot: makes the kernel
    :param launcher: the process that started the lab
    :param door: where others who may join it knock
    :param host_root: root here is the host's root
    :param program: the filter for the launcher to put its command under
    :raises OSError: where something cannot be mounted
    """
    kernel = boot()
    kernel.tunables.hostname = os.uname().nodename
    helpers = Helpers(launcher)
    kernel.usermodehelper = helpers.run
    kernel.send_signal = _send_signal
    files = tree(kernel)
    files.lower = HostTree({f"dev/{LAB}"})
    links = Links()

    def made(link: Link) -> None:
        links.add(link)
        socket.send_fds(launcher, [json.dumps({"name": link.name, "target": link.target}).encode()], [link.directory])

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # orphans leave nothing behind
    signal.signal(signal.SIGIO, signal.SIG_IGN)  # somebody wants to write to a file that is leased
    Path("/proc/self/comm").write_text("init")

    def ready() -> None:
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        os.close(null)
        Thread(target=_hear_launcher, args=(launcher, supervisor, helpers, links), daemon=True).start()
        Thread(target=_keep_door, args=(door, supervisor), daemon=True).start()
        gc.freeze()
        gc.enable()
        launcher.send(program)

    mounted = Mount(files, str(FUSE), kernel.sched, ready)
    supervisor = Supervisor(kernel, files, mounted, host_root, made)
    mounted.run({"allow_other": True})


def _send_signal(pid: int, sig: int, info: bytes) -> None:
    """``send_sig_info()``: to a process in the lab. The host lets nobody say that a signal is the kernel's.

    :raises OSError: as kill(2)
    """
    if info and struct.unpack_from("=i", info, _SI_CODE)[0] < 0:
        syscall(_SYS_RT_SIGQUEUEINFO, pid, sig, info.ljust(_SIGINFO, b"\0"))
    else:
        os.kill(pid, sig)


class Helpers:
    """Programs that the kernel starts. The launcher does it: this process has threads, and is in the wrong place.

    :param launcher: the process that starts them
    """

    def __init__(self, launcher: socket.socket) -> None:
        self._launcher = launcher
        self._numbers = count()
        self._lock = Lock()
        self._waiting: dict[int, tuple[Lock, list[int]]] = {}

    def run(self, argv: list[str], wait: bool) -> int:
        """``call_usermodehelper()``.

        :returns: as :attr:`Kernel.usermodehelper`
        """
        done, status = Lock(), list[int]()
        done.acquire()
        with self._lock:
            number = next(self._numbers)
            self._waiting[number] = done, status
        self._launcher.send(json.dumps({"run": argv, "wait": wait, "number": number}).encode())
        with done:
            return status[0]

    def ended(self, number: int, status: int) -> None:
        done, result = self._waiting.pop(number)
        result.append(status)
        done.release()


def _hear_launcher(launcher: socket.socket, supervisor: Supervisor, helpers: Helpers, links: Links) -> NoReturn:
    """Take listeners and the ends of programs from the launcher, and end with it."""
    try:
        while True:
            message, fds, _flags, _address = socket.recv_fds(launcher, MESSAGE_MAX, 1)
            if not message:
                break
            for fd in fds:
                supervisor.listen(fd)
            said = json.loads(message)
            if "number" in said:
                helpers.ended(said["number"], said["status"])
    finally:
        links.remove()
        os._exit(0)


def _keep_door(door: socket.socket, supervisor: Supervisor) -> NoReturn:
    """Take listeners from whoever joins the lab: its owner."""
    while True:
        visitor, _address = door.accept()
        with visitor:
            _pid, uid, _gid = _UCRED.unpack(visitor.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
            if uid == os.geteuid():
                Thread(target=_welcome, args=(visitor.dup(), supervisor), daemon=True).start()


def _welcome(visitor: socket.socket, supervisor: Supervisor) -> None:
    with visitor:
        _message, fds, _flags, _address = socket.recv_fds(visitor, MESSAGE_MAX, 1)
        for fd in fds:
            supervisor.listen(fd)
