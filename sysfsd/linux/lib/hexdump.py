"""Memory as hexadecimal digits (lib/hexdump.c)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from sysfsd.linux.lib.vsprintf import ptr_to_hashval

if TYPE_CHECKING:
    from sysfsd.linux.mm.memory import Memory

__all__ = ["DumpPrefix", "hex_dump_to_buffer", "print_hex_dump"]

_UNPRINTABLE: Final = re.compile(rb"[^ -~]")
#: The room that print_hex_dump() has for a line: 32 bytes as digits and as characters.
_LINEBUF: Final = 32 * 3 + 2 + 32 + 1


class DumpPrefix(IntEnum):
    """``DUMP_PREFIX_*``: what stands before each line."""

    NONE = 0
    ADDRESS = 1
    OFFSET = 2


def _rowsize(rowsize: int) -> int:
    return rowsize if rowsize in (16, 32) else 16


def hex_dump_to_buffer(
    data: bytes, rowsize: int, groupsize: int, linebuflen: int, ascii: bool
) -> tuple[bytes | None, int]:
    """``hex_dump_to_buffer()``: one line, ``40 41 42 43  @ABC``.

    :param data: the bytes; no more than a line's worth is looked at
    :param rowsize: bytes a line: 16 or 32
    :param groupsize: bytes a number: 1, 2, 4 or 8, in the machine's order
    :param linebuflen: the room there is, the NUL included
    :param ascii: whether the bytes follow as characters
    :returns: what to store, its NUL included (None where there is no room at all), and what to return: the length of
        the line, or where it was cut, the length of the whole
    """
    rowsize = _rowsize(rowsize)
    data = data[:rowsize]
    if groupsize not in (1, 2, 4, 8) or len(data) % groupsize:
        groupsize = 1
    column = rowsize * 2 + rowsize // groupsize + 1
    groups = [data[at : at + groupsize][::-1].hex().encode() for at in range(0, len(data), groupsize)]
    if not linebuflen:
        return None, column + len(data) if ascii else (groupsize * 2 + 1) * len(groups) - 1
    line = b" ".join(groups)
    if ascii and data:
        line = line.ljust(column) + _UNPRINTABLE.sub(b".", data)
    return line[: linebuflen - 1] + b"\0", len(line)


def print_hex_dump(
    memory: Memory,
    level: bytes,
    prefix: bytes,
    prefix_type: int,
    rowsize: int,
    groupsize: int,
    address: int,
    length: int,
    ascii: bool,
) -> Iterator[bytes]:
    """``print_hex_dump()``: the messages to print, one for each line.

    :param level: what they begin with: ``KERN_DEBUG``
    :param prefix: what stands before each line, and before its address or offset
    :param prefix_type: one of :class:`DumpPrefix`
    :raises OSError: EFAULT where there is no memory, after the lines before it
    """
    rowsize = _rowsize(rowsize)
    for offset in range(0, length, rowsize):
        data = memory.read(address + offset, min(rowsize, length - offset))
        line, _ = hex_dump_to_buffer(data, rowsize, groupsize, _LINEBUF, ascii)
        where = ""
        if prefix_type == DumpPrefix.ADDRESS:
            where = f"{ptr_to_hashval(address + offset)}: "
        elif prefix_type == DumpPrefix.OFFSET:
            where = f"{offset:08x}: "
        yield level + prefix + where.encode() + (line or b"").rstrip(b"\0") + b"\n"
