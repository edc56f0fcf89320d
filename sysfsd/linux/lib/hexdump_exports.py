"""Bytes as hexadecimal digits, and back."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.lib.ctype_exports import table_of
from sysfsd.linux.lib.hexdump import hex_dump_to_buffer, print_hex_dump

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("lib/hexdump.c")

_DIGITS = b"0123456789abcdef"


@export("int hex_to_bin(unsigned char ch)")
def hex_to_bin(kernel: Kernel, ch: int) -> int:
    return _DIGITS.find(bytes((ch,)).lower())


@export("int hex2bin(u8 *dst, char const *src, size_t count)")
def hex2bin(kernel: Kernel, dst: int, src: int, count: int) -> int:
    """What precedes a character that is no digit is stored."""
    memory = kernel.memory
    for i in range(count):
        byte = 0
        for place in (src + 2 * i, src + 2 * i + 1):
            digit = _DIGITS.find(memory.read(place, 1).lower())
            if digit < 0:
                raise err(errno.EINVAL)
            byte = byte << 4 | digit
        memory.write_int(dst + i, byte, 1)
    return 0


@export("char *bin2hex(char *dst, const void *src, size_t count)")
def bin2hex(kernel: Kernel, dst: int, src: int, count: int) -> int:
    if count:
        kernel.memory.write(dst, kernel.memory.read(src, count).hex().encode())
    return dst + 2 * count


@export(
    "int hex_dump_to_buffer(const void *buf, size_t len, int rowsize, int groupsize, char *linebuf, size_t linebuflen,"
    " bool ascii)"
)
def hex_dump_to_buffer_(
    kernel: Kernel, buf: int, len: int, rowsize: int, groupsize: int, linebuf: int, linebuflen: int, ascii: bool
) -> int:
    length = min(len, 32)
    data = kernel.memory.read(buf, length) if length else b""
    line, result = hex_dump_to_buffer(data, rowsize, groupsize, linebuflen, ascii)
    if line is not None:
        kernel.memory.write(linebuf, line)
    return result


@export(
    "void print_hex_dump(const char *level, const char *prefix_str, int prefix_type, int rowsize, int groupsize,"
    " const void *buf, size_t len, bool ascii)"
)
def print_hex_dump_(
    kernel: Kernel,
    level: bytes,
    prefix_str: bytes,
    prefix_type: int,
    rowsize: int,
    groupsize: int,
    buf: int,
    len: int,
    ascii: bool,
) -> None:
    lines = print_hex_dump(kernel.memory, level, prefix_str, prefix_type, rowsize, groupsize, buf, len, ascii)
    for line in lines:
        kernel.log.emit(line, caller=kernel.current.pid)


export.data("const char hex_asc[17]", table_of(b"0123456789abcdef\0"))

export.data("const char hex_asc_upper[17]", table_of(b"0123456789ABCDEF\0"))
