"""Warnings, panics, taints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.kernel.exports.registry import Area, CallVaList
from sysfsd.kernel.panic import Taint
from sysfsd.kernel.printk import Level
from sysfsd.kernel.traps import CUT_HERE
from sysfsd.kernel.vsprintf import vsnprintf

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel

export = Area("bug", "kernel/panic.c, lib/dump_stack.c")


@export("void __warn_printk(const char *fmt, ...)")
def __warn_printk(kernel: Kernel, fmt: bytes, args: CallVaList) -> None:
    kernel.log.emit(CUT_HERE.encode() + b"\n", Level.WARNING)
    kernel.log.emit(vsnprintf(kernel, fmt, args), caller=kernel.current.pid)


@export("void panic(const char *fmt, ...)")
def panic(kernel: Kernel, fmt: bytes, args: CallVaList) -> None:
    kernel.traps.panic(vsnprintf(kernel, fmt, args).rstrip(b"\n").decode("latin-1"))


@export("void dump_stack(void)")
def dump_stack(kernel: Kernel) -> None:
    kernel.traps.dump_stack()


@export("void dump_stack_lvl(const char *log_lvl)")
def dump_stack_lvl(kernel: Kernel, log_lvl: bytes) -> None:
    kernel.traps.dump_stack()


@export("void add_taint(unsigned int flag, enum lockdep_ok lockdep_ok)")
def add_taint(kernel: Kernel, flag: int, lockdep_ok: int) -> None:
    kernel.add_taint(Taint(flag), bool(lockdep_ok))


@export("int test_taint(unsigned int flag)")
def test_taint(kernel: Kernel, flag: int) -> int:
    return kernel.tainted >> flag & 1
