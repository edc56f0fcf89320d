"""Tables of /proc/sys/net."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.fs.proc.proc_sysctl_exports import register_table, unregister_sysctl_table

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("net/sysctl_net.c")


@export("struct ctl_table_header *register_net_sysctl(struct net *net, const char *path, struct ctl_table *table)")
def register_net_sysctl(kernel: Kernel, net: StructView, path: bytes, table: StructView) -> int:
    return register_table(kernel, path, table)


@export("void unregister_net_sysctl_table(struct ctl_table_header *header)")
def unregister_net_sysctl_table(kernel: Kernel, header: StructView) -> None:
    unregister_sysctl_table(kernel, header)
