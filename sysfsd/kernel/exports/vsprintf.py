"""Printing into buffers, and reading values from strings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.kernel.exports.registry import Area, CallVaList
from sysfsd.kernel.memory import PAGE_SIZE
from sysfsd.kernel.vsprintf import (
    LIMIT,
    MemoryVaList,
    ptr_to_hashval,
    simple_strntoll,
    simple_strntoull,
    vsnprintf_sized,
    vsscanf,
)

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("vsprintf", "lib/vsprintf.c, fs/sysfs/file.c, lib/seq_buf.c")

_INT_MAX: Final = (1 << 31) - 1


def _print(kernel: Kernel, buf: int, size: int, fmt: bytes, args: CallVaList | MemoryVaList) -> int:
    """``vsnprintf()`` into memory."""
    if size > _INT_MAX:
        kernel.traps.warn_at("lib/vsprintf.c", 2743, site="vsnprintf+0x4ad", once=True)
        return 0
    text, length = vsnprintf_sized(kernel, fmt, args, min(size, LIMIT))
    if size:
        kernel.memory.write(buf, text[: size - 1] + b"\0")
    return length


def _print_stored(kernel: Kernel, buf: int, size: int, fmt: bytes, args: CallVaList | MemoryVaList) -> int:
    """``vscnprintf()``: what has been stored counts, not what would have been."""
    return min(_print(kernel, buf, size, fmt, args), size - 1) if size else 0


@export(
    "int snprintf(char *buf, size_t size, const char *fmt, ...)",
    "int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)",
)
def vsnprintf(kernel: Kernel, buf: int, size: int, fmt: bytes, args: CallVaList | MemoryVaList) -> int:
    return _print(kernel, buf, size, fmt, args)


@export(
    "int scnprintf(char *buf, size_t size, const char *fmt, ...)",
    "int vscnprintf(char *buf, size_t size, const char *fmt, va_list args)",
)
def vscnprintf(kernel: Kernel, buf: int, size: int, fmt: bytes, args: CallVaList | MemoryVaList) -> int:
    return _print_stored(kernel, buf, size, fmt, args)


@export("int sprintf(char *buf, const char *fmt, ...)", "int vsprintf(char *buf, const char *fmt, va_list args)")
def vsprintf(kernel: Kernel, buf: int, fmt: bytes, args: CallVaList | MemoryVaList) -> int:
    return _print(kernel, buf, _INT_MAX, fmt, args)


@export("int sysfs_emit(char *buf, const char *fmt, ...)")
def sysfs_emit(kernel: Kernel, buf: int, fmt: bytes, args: CallVaList) -> int:
    if not buf or buf % PAGE_SIZE:
        message = f"invalid sysfs_emit: buf:{ptr_to_hashval(buf)}"
        kernel.traps.warn_at("fs/sysfs/file.c", 740, message, "sysfs_emit+0xa7")
        return 0
    return _print_stored(kernel, buf, PAGE_SIZE, fmt, args)


@export("int sysfs_emit_at(char *buf, int at, const char *fmt, ...)")
def sysfs_emit_at(kernel: Kernel, buf: int, at: int, fmt: bytes, args: CallVaList) -> int:
    if not buf or buf % PAGE_SIZE or not 0 <= at < PAGE_SIZE:
        message = f"invalid sysfs_emit_at: buf:{ptr_to_hashval(buf)} at:{at}"
        kernel.traps.warn_at("fs/sysfs/file.c", 768, message, "sysfs_emit_at+0x64")
        return 0
    return _print_stored(kernel, buf + at, PAGE_SIZE - at, fmt, args)


@export(
    "int sscanf(const char *buf, const char *fmt, ...)", "int vsscanf(const char *buf, const char *fmt, va_list args)"
)
def vsscanf_(kernel: Kernel, buf: bytes, fmt: bytes, args: CallVaList | MemoryVaList) -> int:
    result = vsscanf(buf, fmt)
    for scanned in result.stores:
        kernel.memory.write(args.arg(), scanned.data)
    return result.num


@export(
    "unsigned long simple_strtoul(char const *cp, char **endp, unsigned int base)",
    "unsigned long long simple_strtoull(char const *cp, char **endp, unsigned int base)",
)
def simple_strtoull(kernel: Kernel, cp: int, endp: int, base: int) -> int:
    value, end = simple_strntoull(kernel.memory.read_string(cp, _INT_MAX), base)
    if endp:
        kernel.memory.write_pointer(endp, cp + end)
    return value


@export(
    "long simple_strtol(char const *cp, char **endp, unsigned int base)",
    "long long simple_strtoll(char const *cp, char **endp, unsigned int base)",
)
def simple_strtoll(kernel: Kernel, cp: int, endp: int, base: int) -> int:
    value, end = simple_strntoll(kernel.memory.read_string(cp, _INT_MAX), base)
    if endp:
        kernel.memory.write_pointer(endp, cp + end)
    return value


@export("int seq_buf_printf(struct seq_buf *s, const char *fmt, ...)")
def seq_buf_printf(kernel: Kernel, s: StructView, fmt: bytes, args: CallVaList) -> int:
    size, length = s["size"], s["len"]
    if length < size:
        written = _print(kernel, s["buffer"] + length, size - length, fmt, args)
        if length + written < size:
            s["len"] = length + written
            return 0
    s["len"] = size + 1
    return -1
