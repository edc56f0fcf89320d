"""File systems, character sets, binary formats, quota formats, types of keys."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import Registrations

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("fs/filesystems.c")

#: Those of the kernel proper (/proc/filesystems before any module is loaded).
BUILTIN_FILESYSTEMS = (
    "sysfs", "tmpfs", "bdev", "proc", "cgroup", "cgroup2", "cpuset", "devtmpfs", "debugfs", "tracefs", "securityfs",
    "sockfs", "bpf", "pipefs", "ramfs", "hugetlbfs", "devpts", "mqueue", "pstore",
)  # fmt: skip


@export("int register_filesystem(struct file_system_type *fs)")
def register_filesystem(kernel: Kernel, fs: StructView) -> int:
    name = fs.string("name").decode("latin-1")
    if "." in name:
        kernel.traps.bug_here("fs/filesystems.c", 74)
    if fs["next"] or name in BUILTIN_FILESYSTEMS:
        raise err(errno.EBUSY)
    registered = kernel.state(Registrations)
    last = list(registered.items("filesystem").values())[-1:]
    registered.add("filesystem", name, fs.address, errno.EBUSY)
    for before in last:
        kernel.struct("file_system_type", before)["next"] = fs.address
    return 0


@export("int unregister_filesystem(struct file_system_type *fs)")
def unregister_filesystem(kernel: Kernel, fs: StructView) -> int:
    registered = kernel.state(Registrations)
    following = fs["next"]
    if not registered.remove("filesystem", fs.address):
        raise err(errno.EINVAL)
    for address in registered.items("filesystem").values():
        other = kernel.struct("file_system_type", address)
        if other["next"] == fs.address:
            other["next"] = following
    fs["next"] = 0
    return 0
