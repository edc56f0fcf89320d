"""The processes of the host that ask something of the kernel (proc(5))."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from sysfsd.kernel.cred import Cred
from sysfsd.kernel.sched import Identity

__all__ = ["CallerCred", "comm", "identity", "proc_status"]


def proc_status(pid: int) -> dict[str, str]:
    """What proc(5) tells of a thread of the host in ``status``; nothing of one that is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="latin-1") as status:
            return dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
    except OSError:
        return {}


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

    def effective(self) -> int:
        """``CapEff``, unless it is that of another user namespace; who is gone can do nothing."""
        return int(self.status.get("CapEff", "0"), 16) if self._in_our_user_namespace else 0

    @cached_property
    def _in_our_user_namespace(self) -> bool:
        try:
            return Path(f"/proc/{self.pid}/ns/user").samefile("/proc/self/ns/user")
        except PermissionError:  # the daemon of an ordinary user may not look into others' processes
            return self.uid == 0
        except OSError:
            return False


def comm(pid: int) -> str:
    """The name of a process of the host."""
    try:
        with open(f"/proc/{pid}/comm", encoding="latin-1") as comm:
            return comm.read().removesuffix("\n")
    except OSError:
        return "<...>"


def identity(cred: Cred) -> Identity:
    """Who the process is that has these credentials."""
    status = cred.status if isinstance(cred, CallerCred) else proc_status(cred.pid)
    ppid = int(status.get("PPid", "0"))
    parent = (ppid, comm(ppid)) if ppid else None
    return Identity(cred.pid, int(status.get("Tgid", cred.pid)), status.get("Name", "<...>"), parent)
