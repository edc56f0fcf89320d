"""Options of command lines: numbers and sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area
from sysfsd.linux.lib.parser_exports import INT_MAX
from sysfsd.linux.lib.vsprintf import simple_strntoll, simple_strntoull

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("lib/cmdline.c")

_U64: Final = (1 << 64) - 1


# Arguments


#: By how many bits the letters behind a size shift it.
_SUFFIXES: Final = {b"K": 10, b"M": 20, b"G": 30, b"T": 40, b"P": 50, b"E": 60}


@export("unsigned long long memparse(char const *ptr, char **retptr)")
def memparse(kernel: Kernel, ptr: int, retptr: int) -> int:
    text = kernel.memory.read_string(ptr, INT_MAX)
    value, end = simple_strntoull(text, 0)
    shift = _SUFFIXES.get(text[end : end + 1].upper(), 0)
    if retptr:
        kernel.memory.write_pointer(retptr, ptr + end + bool(shift))
    return value << shift & _U64


def _get_option(text: bytes, at: int) -> tuple[int, int, int]:
    """``get_option()``: what it returns, the number, and where the rest begins."""
    if at >= len(text):
        return 0, 0, at
    start = at + (text[at : at + 1] == b"-")
    value, end = simple_strntoull(text, 0, start)
    if start != at:
        value = -value
    if end == start:
        return 0, value, end
    behind = text[end : end + 1]
    return {b",": (2, value, end + 1), b"-": (3, value, end)}.get(behind, (1, value, end))


@export("int get_option(char **str, int *pint)")
def get_option(kernel: Kernel, str: int, pint: int) -> int:
    start = kernel.memory.read_pointer(str)
    if not start:
        return 0
    text = kernel.memory.read_string(start, INT_MAX)
    if not text:
        return 0
    result, value, end = _get_option(text, 0)
    if pint:
        kernel.memory.write_int(pint, value)
    kernel.memory.write_pointer(str, start + end)
    return result


@export("char *get_options(char const *str, int nints, int *ints)")
def get_options(kernel: Kernel, str: int, nints: int, ints: int) -> int:
    """``3,5-7``; nothing is stored but their number where there is no room at all."""
    text = kernel.memory.read_string(str, INT_MAX)
    at, count = 0, 1
    memory = kernel.memory
    counting = nints == 0

    def put(value: int) -> None:
        memory.write_int(ints if counting else ints + 4 * count, value)

    while counting or count < nints:
        if at >= len(text):
            break
        result, value, at = _get_option(text, at)
        put(value)
        if result == 0:
            break
        if result == 3:
            at += 1
            upper = simple_strntoll(text, 0, at)[0]
            if upper < value:
                break
            room = 0 if counting else nints - count
            for i in range(min(room, upper - value)):
                memory.write_int(ints + 4 * (count + i), value + i)
            count += upper - value - 1
        count += 1
        if result == 1:
            break
    memory.write_int(ints, count - 1)
    return str + at
