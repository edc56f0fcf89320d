"""Formats of programs, and the name of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import Registrations

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("fs/exec.c")


# Others


@export("void __register_binfmt(struct linux_binfmt *fmt, int insert)")
def __register_binfmt(kernel: Kernel, fmt: StructView, insert: int) -> None:
    if not fmt["load_binary"]:
        kernel.traps.warn_here("fs/exec.c", 91)
        return
    kernel.state(Registrations).add("binfmt", fmt.address, fmt.address)


@export("void unregister_binfmt(struct linux_binfmt *fmt)")
def unregister_binfmt(kernel: Kernel, fmt: StructView) -> None:
    kernel.state(Registrations).remove("binfmt", fmt.address)


@export("char *__get_task_comm(char *buf, size_t buf_size, struct task_struct *tsk)")
def __get_task_comm(kernel: Kernel, buf: int, buf_size: int, tsk: StructView) -> int:
    kernel.memory.write(buf, tsk.string("comm").ljust(buf_size, b"\0")[:buf_size])
    return buf
