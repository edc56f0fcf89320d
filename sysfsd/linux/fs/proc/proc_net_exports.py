"""Entries of /proc/net."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.fs.proc.generic_exports import create_proc_entry

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("fs/proc/proc_net.c")


@export(
    "struct proc_dir_entry *proc_create_net_data(const char *name, umode_t mode, struct proc_dir_entry *parent,"
    " const struct seq_operations *ops, unsigned int state_size, void *data)"
)
def proc_create_net_data(
    kernel: Kernel, name: bytes, mode: int, parent: StructView, ops: StructView, state_size: int, data: int
) -> int:
    fields = {"seq_ops": ops.address, "state_size": state_size}
    return create_proc_entry(kernel, "proc_net_seq", name, mode, parent.address, data, fields)


@export(
    "struct proc_dir_entry *proc_create_net_data_write(const char *name, umode_t mode, struct proc_dir_entry *parent,"
    " const struct seq_operations *ops, int (*write)(struct file *, char *, size_t), unsigned int state_size,"
    " void *data)"
)
def proc_create_net_data_write(
    kernel: Kernel, name: bytes, mode: int, parent: StructView, ops: StructView, write: int, state_size: int, data: int
) -> int:
    fields = {"seq_ops": ops.address, "state_size": state_size, "write": write}
    return create_proc_entry(kernel, "proc_net_seq", name, mode, parent.address, data, fields, writes=True)


@export(
    "struct proc_dir_entry *proc_create_net_single(const char *name, umode_t mode, struct proc_dir_entry *parent,"
    " int (*show)(struct seq_file *, void *), void *data)"
)
def proc_create_net_single(kernel: Kernel, name: bytes, mode: int, parent: StructView, show: int, data: int) -> int:
    return create_proc_entry(kernel, "proc_net_single", name, mode, parent.address, data, {"single_show": show})


@export(
    "struct proc_dir_entry *proc_create_net_single_write(const char *name, umode_t mode, struct proc_dir_entry *parent,"
    " int (*show)(struct seq_file *, void *), int (*write)(struct file *, char *, size_t), void *data)"
)
def proc_create_net_single_write(
    kernel: Kernel, name: bytes, mode: int, parent: StructView, show: int, write: int, data: int
) -> int:
    fields = {"single_show": show, "write": write}
    return create_proc_entry(kernel, "proc_net_single", name, mode, parent.address, data, fields, writes=True)
