"""Tables of /proc/sys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.fs.proc.generic import ProcSysctl

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("fs/proc/proc_sysctl.c", "net/sysctl_net.c")


# /proc/sys


def register_table(kernel: Kernel, path: bytes, table: StructView) -> int:
    return kernel.state(ProcSysctl).register(path.decode("latin-1"), table.address)


@export("struct ctl_table_header *register_sysctl(const char *path, struct ctl_table *table)")
def register_sysctl(kernel: Kernel, path: bytes, table: StructView) -> int:
    return register_table(kernel, path, table)


@export("struct ctl_table_header *register_sysctl_table(struct ctl_table *table)")
def register_sysctl_table(kernel: Kernel, table: StructView) -> int:
    return register_table(kernel, b"", table)


@export("struct ctl_table_header *register_sysctl_paths(const struct ctl_path *path, struct ctl_table *table)")
def register_sysctl_paths(kernel: Kernel, path: StructView, table: StructView) -> int:
    parts: list[bytes] = []
    while path["procname"] and len(parts) < 10:
        parts.append(path.string("procname"))
        path = kernel.struct("ctl_path", path.address + path.struct.size)
    return register_table(kernel, b"/".join(parts), table)


@export("void unregister_sysctl_table(struct ctl_table_header *header)")
def unregister_sysctl_table(kernel: Kernel, header: StructView) -> None:
    kernel.state(ProcSysctl).unregister(header.address)
