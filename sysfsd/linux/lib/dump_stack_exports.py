"""Backtraces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("lib/dump_stack.c")


@export("void dump_stack(void)")
def dump_stack(kernel: Kernel) -> None:
    kernel.traps.dump_stack()


@export("void dump_stack_lvl(const char *log_lvl)")
def dump_stack_lvl(kernel: Kernel, log_lvl: bytes | None) -> None:
    kernel.traps.dump_stack()
