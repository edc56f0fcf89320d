"""Namespaces and mounts (namespaces(7), unshare(2), setns(2), mount(2), open_tree(2))."""

from __future__ import annotations

import ctypes
import errno
import os
from enum import IntEnum, IntFlag
from pathlib import Path
from typing import Final

from sysfsd.host.libc import checked, libc, syscall

__all__ = [
    "CAP_SYS_ADMIN",
    "Clone",
    "Mount",
    "Prctl",
    "capabilities",
    "clone_tree",
    "in_initial_user_namespace",
    "mount",
    "move_mount",
    "prctl",
    "protect",
    "setns",
    "umount",
    "unshare",
    "unshare_user",
]

CAP_SETGID: Final = 6
CAP_SETUID: Final = 7
CAP_SYS_ADMIN: Final = 21

_SYS_OPEN_TREE: Final = 428
_SYS_MOVE_MOUNT: Final = 429
_OPEN_TREE_CLONE: Final = 1
_AT_NO_AUTOMOUNT: Final = 0x800
_AT_RECURSIVE: Final = 0x8000
_AT_FDCWD: Final = -100
_MOVE_MOUNT_F_EMPTY_PATH: Final = 0x4
_MNT_DETACH: Final = 2


class Clone(IntFlag):
    """Kinds of namespaces (include/uapi/linux/sched.h)."""

    FS = 0x00000200
    NEWNS = 0x00020000
    NEWUSER = 0x10000000
    NEWPID = 0x20000000


class Mount(IntFlag):
    """Flags of mount(2)."""

    RDONLY = 1
    NOSUID = 2
    NODEV = 4
    NOEXEC = 8
    SYNCHRONOUS = 16
    REMOUNT = 32
    DIRSYNC = 128
    NOATIME = 1 << 10
    NODIRATIME = 1 << 11
    BIND = 1 << 12
    REC = 1 << 14
    SLAVE = 1 << 19


class Prctl(IntEnum):
    """Operations of prctl(2)."""

    SET_PDEATHSIG = 1
    GET_SECCOMP = 21
    SET_NO_NEW_PRIVS = 38


def unshare(flags: Clone) -> None:
    """:raises OSError: as unshare(2)"""
    checked(libc.unshare(ctypes.c_int(flags)), "unshare")


def setns(fd: int, kind: Clone) -> None:
    """:raises OSError: as setns(2)"""
    checked(libc.setns(ctypes.c_int(fd), ctypes.c_int(kind)), "setns")


def prctl(option: Prctl, value: int = 0) -> int:
    """:raises OSError: as prctl(2)"""
    return checked(libc.prctl(ctypes.c_int(option), *map(ctypes.c_ulong, (value, 0, 0, 0))))


def capabilities() -> int:
    """The effective capabilities of this process (bit mask)."""
    with open("/proc/self/status", encoding="latin-1") as status:
        return next(int(line.split()[1], 16) for line in status if line.startswith("CapEff:"))


# User namespaces


def in_initial_user_namespace() -> bool:
    """Whether users here are the host's: in another one, all of them are not there, or are there twice."""
    return Path("/proc/self/uid_map").read_text().split() == ["0", "0", str((1 << 32) - 1)]


def unshare_user() -> None:
    """Go into a new user namespace, as its root.

    All users are in it if this process may say so, else only the one that it is.

    :raises OSError: as unshare(2); EPERM or ENOSPC where the host does not allow it
    """
    held = capabilities()
    if held >> CAP_SETUID & held >> CAP_SETGID & 1:
        _unshare_user_with_all()
        return
    uid, gid = os.geteuid(), os.getegid()
    unshare(Clone.NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
    Path("/proc/self/gid_map").write_text(f"0 {gid} 1")


def _unshare_user_with_all() -> None:
    """The maps must be written by somebody outside: a child that stays there."""
    parent = os.getpid()
    ranges = {name: _mapped(Path(f"/proc/self/{name}")) for name in ("uid_map", "gid_map")}
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(writer)
            if os.read(reader, 1):
                for name, text in ranges.items():
                    Path(f"/proc/{parent}/{name}").write_text(text)
                status = 0
        finally:
            os._exit(status)
    os.close(reader)
    try:
        unshare(Clone.NEWUSER)
        os.write(writer, b"1")
    finally:
        os.close(writer)
        _, status = os.waitpid(child, 0)
    if status:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)


def _mapped(path: Path) -> str:
    """A map of all numbers that there are here to themselves."""
    lines = (line.split() for line in path.read_text().splitlines())
    return "".join(f"{inside} {inside} {count}\n" for inside, _outside, count in lines)


# Mounts


def mount(source: str, target: str | Path, fstype: str = "", flags: int = 0, data: str = "") -> None:
    """:raises OSError: as mount(2)"""
    encoded = (os.fsencode(text) for text in (source, target, fstype))
    checked(libc.mount(*encoded, ctypes.c_ulong(flags), os.fsencode(data) or None), target)


def protect(path: Path) -> None:
    """Let nobody write below *path*; what is mounted further down stays as it is.

    :raises OSError: as mount(2)
    """
    if not path.is_mount():
        move_mount(clone_tree(path), path)
    kept = Mount.NOSUID | Mount.NODEV | Mount.NOEXEC | Mount.NOATIME | Mount.NODIRATIME
    mount("none", path, "", Mount.BIND | Mount.REMOUNT | Mount.RDONLY | os.statvfs(path).f_flag & kept)


def umount(target: str | Path) -> None:
    """Take a mount away; who still uses it keeps it.

    :raises OSError: as umount2(2)
    """
    checked(libc.umount2(os.fsencode(target), ctypes.c_int(_MNT_DETACH)), target)


def clone_tree(path: str | Path, recursive: bool = False) -> int:
    """``open_tree()``: what is mounted at *path*, or below it, as a mount of its own that is nowhere yet.

    :returns: a descriptor
    :raises OSError: as open_tree(2)
    """
    flags = _OPEN_TREE_CLONE | os.O_CLOEXEC | _AT_NO_AUTOMOUNT | (_AT_RECURSIVE if recursive else 0)
    return syscall(_SYS_OPEN_TREE, _AT_FDCWD, os.fsencode(path), ctypes.c_uint(flags))


def move_mount(tree: int, path: str | Path) -> None:
    """``move_mount()``: put what :func:`clone_tree` returned at *path*, and close it.

    :raises OSError: as move_mount(2)
    """
    try:
        flags = ctypes.c_uint(_MOVE_MOUNT_F_EMPTY_PATH)
        syscall(_SYS_MOVE_MOUNT, tree, b"", _AT_FDCWD, os.fsencode(path), flags)
    finally:
        os.close(tree)
