"""Printing into buffers, and reading values from strings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area, CallVaList
from sysfsd.linux.lib.vsprintf import (
    LIMIT,
    MemoryVaList,
    simple_strntoll,
    simple_strntoull,
    vsnprintf_sized,
    vsscanf,
)
from sysfsd.linux.lib.vsprintf import (
    vsnprintf as format_text,
)
from sysfsd.linux.mm.util_exports import kmemdup_bytes

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/vsprintf.c", "lib/seq_buf.c", "lib/kasprintf.c")

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


def print_stored(kernel: Kernel, buf: int, size: int, fmt: bytes, args: CallVaList | MemoryVaList) -> int:
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
    return print_stored(kernel, buf, size, fmt, args)


@export("int sprintf(char *buf, const char *fmt, ...)", "int vsprintf(char *buf, const char *fmt, va_list args)")
def vsprintf(kernel: Kernel, buf: int, fmt: bytes, args: CallVaList | MemoryVaList) -> int:
    return _print(kernel, buf, _INT_MAX, fmt, args)


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


@export("char *kasprintf(gfp_t gfp, const char *fmt, ...)", "char *kvasprintf(gfp_t gfp, const char *fmt, va_list ap)")
def kasprintf(kernel: Kernel, gfp: int, fmt: bytes, args: CallVaList | MemoryVaList) -> int:
    return kmemdup_bytes(kernel, format_text(kernel, fmt, args) + b"\0")


@export("const char *kvasprintf_const(gfp_t gfp, const char *fmt, va_list ap)")
def kvasprintf_const(kernel: Kernel, gfp: int, fmt: bytes, ap: MemoryVaList) -> int:
    return kmemdup_bytes(kernel, format_text(kernel, fmt, ap) + b"\0")
