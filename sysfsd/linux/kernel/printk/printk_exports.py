"""Printing to the kernel log."""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import TYPE_CHECKING, Any

from sysfsd.linux.exports import Area, CallVaList
from sysfsd.linux.kernel.time.time_exports import msecs_to_jiffies
from sysfsd.linux.lib.ratelimit_exports import OwnRatelimits, ratelimit
from sysfsd.linux.lib.vsprintf import MemoryVaList, vsnprintf

if TYPE_CHECKING:
    from sysfsd.linux.mm.memory import Memory
    from sysfsd.linux.system import Kernel

export = Area("kernel/printk/printk.c", "kernel/printk/printk_safe.c")


class _Ints(MutableSequence[int]):
    """An array of ints in the kernel's memory."""

    def __init__(self, memory: Memory, address: int, values: list[int]) -> None:
        self._memory = memory
        self._address = address
        self._count = len(values)
        self[:] = values

    def __len__(self) -> int:
        return self._count

    def _place(self, index: int) -> int:
        if not 0 <= index < self._count:
            raise IndexError(index)
        return self._address + 4 * index

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(self._count)[index]]
        return self._memory.read_int(self._place(index), 4, signed=True)

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            for i, item in zip(range(self._count)[index], value, strict=True):
                self[i] = item
        else:
            self._memory.write_int(self._place(index), value, 4)

    def __delitem__(self, index: Any) -> None:
        raise TypeError("of fixed length")

    def insert(self, index: int, value: int) -> None:
        raise TypeError("of fixed length")


def _console_printk(kernel: Kernel, address: int) -> None:
    kernel.log.console_printk = _Ints(kernel.memory, address, list(kernel.log.console_printk))


export.data("int console_printk[4]", _console_printk)


@export("int _printk(const char *fmt, ...)", "int vprintk(const char *fmt, va_list args)")
def _printk(kernel: Kernel, fmt: bytes, args: CallVaList | MemoryVaList) -> int:
    return kernel.log.emit(vsnprintf(kernel, fmt, args), caller=kernel.current.pid)


@export("int vprintk_default(const char *fmt, va_list args)")
def vprintk_default(kernel: Kernel, fmt: bytes, args: CallVaList | MemoryVaList) -> int:
    return _printk(kernel, fmt, args)


@export("int vprintk_emit(int facility, int level, const void *dev_info, const char *fmt, va_list args)")
def vprintk_emit(kernel: Kernel, facility: int, level: int, dev_info: int, fmt: bytes, args: MemoryVaList) -> int:
    text = vsnprintf(kernel, fmt, args)
    return kernel.log.emit(text, None if level < 0 else level, facility, caller=kernel.current.pid)


@export("int __printk_ratelimit(const char *func)")
def __printk_ratelimit(kernel: Kernel, func: bytes) -> bool:
    rs = kernel.state(OwnRatelimits).printk
    rs["interval"] = kernel.tunables.printk_ratelimit
    rs["burst"] = kernel.tunables.printk_ratelimit_burst
    return ratelimit(kernel, rs, func)


@export("bool printk_timed_ratelimit(unsigned long *caller_jiffies, unsigned int interval_msecs)")
def printk_timed_ratelimit(kernel: Kernel, caller_jiffies: int, interval_msecs: int) -> bool:
    last, now = kernel.memory.read_pointer(caller_jiffies), kernel.sched.jiffies
    if last and now - last <= msecs_to_jiffies(interval_msecs):
        return False
    kernel.memory.write_pointer(caller_jiffies, now)
    return True
