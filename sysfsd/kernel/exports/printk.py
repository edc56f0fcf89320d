"""Printing to the kernel log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.kernel.exports.registry import Area, CallVaList
from sysfsd.kernel.vsprintf import MemoryVaList, vsnprintf

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel

export = Area("printk", "kernel/printk/printk.c")


@export("int _printk(const char *fmt, ...)", "int vprintk(const char *fmt, va_list args)")
def _printk(kernel: Kernel, fmt: bytes, args: CallVaList | MemoryVaList) -> int:
    return kernel.log.emit(vsnprintf(kernel, fmt, args), caller=kernel.current.pid)


@export("int vprintk_default(const char *fmt, va_list args)")
def vprintk_default(kernel: Kernel, fmt: bytes, args: CallVaList | MemoryVaList) -> int:
    return _printk(kernel, fmt, args)  # type: ignore[no-any-return]


@export("int vprintk_emit(int facility, int level, const void *dev_info, const char *fmt, va_list args)")
def vprintk_emit(kernel: Kernel, facility: int, level: int, dev_info: int, fmt: bytes, args: MemoryVaList) -> int:
    text = vsnprintf(kernel, fmt, args)
    return kernel.log.emit(text, None if level < 0 else level, facility, caller=kernel.current.pid)
