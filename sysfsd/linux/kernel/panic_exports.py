"""Warnings, panics, taints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.arch.x86.traps import CUT_HERE
from sysfsd.linux.exports import Area, CallVaList
from sysfsd.linux.kernel.panic import Taint
from sysfsd.linux.kernel.printk.printk import Level
from sysfsd.linux.lib.vsprintf import vsnprintf

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("kernel/panic.c")


@export("void __warn_printk(const char *fmt, ...)")
def __warn_printk(kernel: Kernel, fmt: bytes, args: CallVaList) -> None:
    kernel.log.emit(CUT_HERE.encode() + b"\n", Level.WARNING)
    kernel.log.emit(vsnprintf(kernel, fmt, args), caller=kernel.current.pid)


@export("void panic(const char *fmt, ...)")
def panic(kernel: Kernel, fmt: bytes, args: CallVaList) -> None:
    kernel.traps.panic(vsnprintf(kernel, fmt, args).rstrip(b"\n").decode("latin-1"))


@export("void add_taint(unsigned int flag, enum lockdep_ok lockdep_ok)")
def add_taint(kernel: Kernel, flag: int, lockdep_ok: int) -> None:
    kernel.add_taint(Taint(flag), bool(lockdep_ok))


@export("int test_taint(unsigned int flag)")
def test_taint(kernel: Kernel, flag: int) -> int:
    return kernel.tainted >> flag & 1


export.data("struct atomic_notifier_head panic_notifier_list")


@export("void __stack_chk_fail(void)")
def __stack_chk_fail(kernel: Kernel) -> None:
    caller = kernel.memory.read_pointer(kernel.current.sp)
    symbol = kernel.kallsyms.sprint_symbol(caller, backtrace=True)
    kernel.traps.panic(f"stack-protector: Kernel stack is corrupted in: {symbol}", "stack_chk_fail")
