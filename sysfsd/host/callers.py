"""The processes of the host that ask something of the kernel (proc(5))."""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from typing import Final

from sysfsd.host.libc import libc, syscall
from sysfsd.linux.kernel.cred import Cred
from sysfsd.linux.kernel.fork import Process
from sysfsd.linux.kernel.sched.core import PF_KTHREAD, SIGKILL_MASK, Identity, Signals

__all__ = [
    "CallerCred",
    "ProcessMemory",
    "address_space",
    "comm",
    "exists",
    "find",
    "fs_credentials",
    "identity",
    "personality",
    "proc_status",
    "processes",
    "signal_wanted",
    "signals",
]

_SYS_SETGROUPS: Final = 116
_SYS_SETFSUID: Final = 122
_SYS_SETFSGID: Final = 123


#: A line of ``status``.
_STATUS: Final = re.compile(r"^(\w+):\t(.*)$", re.MULTILINE)
#: More bytes than any file that is read here has.
_FILE_MAX: Final = 1 << 16
#: Where the heap ends, in ``maps``.
_HEAP: Final = re.compile(r"^\w+-(\w+) .*\[heap\]$", re.MULTILINE)


def _read(path: str) -> str:
    """:raises OSError: as open(2)"""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, _FILE_MAX).decode("latin-1")
    finally:
        os.close(fd)


def proc_status(pid: int) -> dict[str, str]:
    """What proc(5) tells of a thread of the host in ``status``; nothing of one that is gone."""
    try:
        return dict(_STATUS.findall(_read(f"/proc/{pid}/status")))
    except OSError:
        return {}


#: Signals that end a process that does nothing about them, at once.
_FATAL: Final = sum(
    1 << sig - 1
    for sig in range(1, 65)
    if sig not in (3, 4, 5, 6, 7, 8, 11, 17, 18, 19, 20, 21, 22, 23, 24, 25, 28, 31)  # ignored, stop, dump core
)


def _signal_sets(status: dict[str, str]) -> tuple[int, ...]:
    """Signals that wait for a thread and for its process; that are blocked, ignored, caught."""
    return tuple(int(status.get(name, "0"), 16) for name in ("SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt"))


def signal_wanted(pid: int) -> bool:
    """Whether a thread of the host has a signal that it wants to see."""
    pending, shared, blocked, ignored, _caught = _signal_sets(proc_status(pid))
    return bool((pending | shared) & ~blocked & ~ignored)


def _signals(status: dict[str, str]) -> Signals:
    """The host makes a fatal signal one that kills (``complete_signal()``), but not of who sleeps and has another."""
    pending, shared, blocked, ignored, caught = _signal_sets(status)
    if (pending | shared) & _FATAL & ~blocked & ~ignored & ~caught:
        pending |= SIGKILL_MASK
    return Signals(pending, shared, blocked)


def signals(pid: int) -> Signals:
    """The signals that a thread of the host has not seen to."""
    return _signals(proc_status(pid))


def personality(pid: int) -> int:
    """What a process of the host has asked for with personality(2); nothing where we may not know."""
    try:
        return int(_read(f"/proc/{pid}/personality"), 16)
    except OSError:
        return 0


def _proc_stat(pid: int) -> tuple[str, list[str]]:
    """What proc(5) tells in ``stat``: the name, which may contain anything, and the fields from the third on.

    :raises OSError: it is gone
    """
    name, _, rest = _read(f"/proc/{pid}/stat").partition(" (")[2].rpartition(") ")
    return name, rest.split()


@cache
def _user_namespace(process: int) -> tuple[int, int]:
    """The user namespace of *process*, which is this one."""
    status = os.stat("/proc/self/ns/user")
    return status.st_dev, status.st_ino


class CallerCred(Cred):
    """The credentials of a process of the host, which is looked at only when it matters, and once."""

    @classmethod
    def of(cls, pid: int) -> CallerCred:
        """Those of a thread of which only the number is known."""
        status = proc_status(pid)
        uid, gid = (int(status[name].split()[1]) if status else 0 for name in ("Uid", "Gid"))
        cred = cls(uid, gid, 0, pid)
        cred.__dict__["status"] = status
        return cred

    @cached_property
    def status(self) -> dict[str, str]:
        return proc_status(self.pid)

    def real_ids(self) -> tuple[int, int]:
        if not self.status:
            return self.uid, self.gid
        return int(self.status["Uid"].split()[0]), int(self.status["Gid"].split()[0])

    def effective(self) -> int:
        """``CapEff``, unless it is that of another user namespace; who is gone can do nothing."""
        return int(self.status.get("CapEff", "0"), 16) if self._in_our_user_namespace else 0

    @cached_property
    def _in_our_user_namespace(self) -> bool:
        try:
            status = os.stat(f"/proc/{self.pid}/ns/user")
        except PermissionError:  # the daemon of an ordinary user may not look into others' processes
            return self.uid == 0
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == _user_namespace(os.getpid())


def comm(pid: int, otherwise: str = "<...>") -> str:
    """The name of a process of the host.

    :param otherwise: what it is called where it is no more
    """
    try:
        return _read(f"/proc/{pid}/comm").removesuffix("\n")
    except OSError:
        return otherwise


#: Who processes were when they were last looked at: a file may be closed for one that is no more.
_seen: Final[dict[int, Identity]] = {}
_SEEN_MAX: Final = 256


def exists(pid: int) -> bool:
    """Whether there is a process or thread of that number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def find(pid: int) -> tuple[Cred, Identity] | None:
    """Who a process of the host is, if it is there."""
    if pid <= 0 or not exists(pid):
        return None
    cred = CallerCred.of(pid)
    return cred, identity(cred)


_CLOCK_TICK: Final = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def processes() -> list[Process]:
    """All processes there are, by number."""
    found: list[Process] = []
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdecimal()):
        try:
            name, fields = _proc_stat(pid)
            uid = os.stat(f"/proc/{pid}").st_uid
            # The daemon's own threads are nobody else's.
            others = os.listdir(f"/proc/{pid}/task") if fields[17] != "1" and pid != os.getpid() else []
        except OSError:
            continue
        threads = tuple(sorted(int(number) for number in others if number != str(pid)))
        kthread = bool(int(fields[6]) & PF_KTHREAD)
        start = int(fields[19]) * _CLOCK_TICK
        found.append(Process(pid, name, fields[0], int(fields[1]), kthread, start, uid, threads))
    return found


#: Members of ``struct mm_struct``, and which fields of proc(5)'s ``stat`` they are, counted from 1.
_STAT_FIELDS: Final = {
    "start_code": 26,
    "end_code": 27,
    "start_stack": 28,
    "start_data": 45,
    "end_data": 46,
    "start_brk": 47,
    "arg_start": 48,
    "arg_end": 49,
    "env_start": 50,
    "env_end": 51,
}
#: The same of those in ``status``, in pages.
_STATUS_SIZES: Final = {
    "total_vm": "VmSize",
    "hiwater_vm": "VmPeak",
    "hiwater_rss": "VmHWM",
    "locked_vm": "VmLck",
    "data_vm": "VmData",
    "stack_vm": "VmStk",
    "exec_vm": "VmExe",
}


def address_space(pid: int) -> dict[str, int]:
    """What the ``struct mm_struct`` of a process of the host holds, as far as the host says."""
    try:
        _name, fields = _proc_stat(pid)
        maps = _read(f"/proc/{pid}/maps")
    except OSError:
        return {}
    found = {member: int(fields[number - 3]) for member, number in _STAT_FIELDS.items()}
    heap = _HEAP.search(maps)
    found["brk"] = int(heap[1], 16) if heap is not None else found["start_brk"]
    found["map_count"] = maps.count("\n") - maps.count("[vsyscall]")
    status = proc_status(pid)
    sizes = {member: status[name] for member, name in _STATUS_SIZES.items() if name in status}
    return {**found, **{member: int(size.split()[0]) // 4 for member, size in sizes.items()}}


def identity(cred: Cred) -> Identity:
    """Who the process is that has these credentials."""
    status = cred.status if isinstance(cred, CallerCred) else proc_status(cred.pid)
    if not status:
        return _seen.get(cred.pid, Identity(cred.pid, cred.pid, "<...>"))
    ppid = int(status.get("PPid", "0"))
    if not ppid and cred.pid != 1:
        ppid = 1  # the parent is outside of our process namespace
    parent = (ppid, comm(ppid)) if ppid else None
    if len(_seen) >= _SEEN_MAX:
        _seen.clear()
    found = _seen[cred.pid] = Identity(
        cred.pid, int(status.get("Tgid", cred.pid)), status.get("Name", "<...>"), parent, _signals(status)
    )
    return found


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("len", ctypes.c_size_t))


class ProcessMemory:
    """The memory of a process of the host, if that allows it: as :class:`sysfsd.linux.mm.uaccess.UserSpace`."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def read(self, address: int, size: int) -> bytes:
        buffer = (ctypes.c_char * size)()
        count = self._transfer(libc.process_vm_readv, ctypes.addressof(buffer), address, size)
        return ctypes.string_at(buffer, count)

    def write(self, address: int, data: bytes) -> int:
        here = ctypes.create_string_buffer(data, len(data))
        return self._transfer(libc.process_vm_writev, ctypes.addressof(here), address, len(data))

    def _transfer(self, function: Callable[..., int], here: int, there: int, size: int) -> int:
        """:returns: the bytes copied, up to the first that could not be"""
        if not size:
            return 0
        local, remote = _Iovec(here, size), _Iovec(there, size)
        one, none = ctypes.c_ulong(1), ctypes.c_ulong(0)
        return max(0, function(ctypes.c_int(self._pid), ctypes.byref(local), one, ctypes.byref(remote), one, none))


def _setgroups(groups: list[int]) -> None:
    """For this thread only, unlike :func:`os.setgroups`."""
    syscall(_SYS_SETGROUPS, ctypes.c_long(len(groups)), (ctypes.c_uint * len(groups))(*groups))


@contextmanager
def fs_credentials(cred: Cred) -> Iterator[None]:
    """Within, the thread has the rights to files that *cred* has, if it may choose whose."""
    if os.geteuid() != 0 or (cred.uid == 0 and cred.gid == 0):
        yield
        return
    own_groups = os.getgroups()
    _setgroups([int(group) for group in proc_status(cred.pid).get("Groups", "").split()])
    syscall(_SYS_SETFSGID, ctypes.c_uint(cred.gid))
    syscall(_SYS_SETFSUID, ctypes.c_uint(cred.uid))
    try:
        yield
    finally:
        syscall(_SYS_SETFSUID, ctypes.c_uint(os.geteuid()))
        syscall(_SYS_SETFSGID, ctypes.c_uint(os.getegid()))
        _setgroups(own_groups)
