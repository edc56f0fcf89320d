"""Taking options of mount(2) and their arguments apart."""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.lib.kstrtox import INT_TYPES, kstrto
from sysfsd.linux.lib.parser import match_wildcard
from sysfsd.linux.lib.vsprintf import simple_strntoll, simple_strntoull

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/parser.c")

INT_MAX: Final = (1 << 31) - 1

_MAX_OPT_ARGS: Final = 3

#: Base and sign of the numbers in patterns.
_NUMBERS: Final = {b"d": (0, True), b"u": (0, False), b"o": (8, False), b"x": (16, False)}


def _match_one(text: bytes, pattern: bytes) -> list[tuple[int, int]] | None:
    """Where in *text* the arguments of ``size=%u`` and the like are; None if it does not match."""
    args: list[tuple[int, int]] = []
    at = 0
    literal, *parts = re.split(rb"%(\d+)?(.?)", pattern, flags=re.DOTALL)
    for i in range(0, len(parts) + 1, 3):
        if i:
            length, letter, following = parts[i - 3 : i]
        else:
            length, letter, following = None, b"", literal
        if letter == b"%" and length is None:
            if text[at : at + 1] != b"%":
                return None
            at += 1
        elif i:
            if len(args) >= _MAX_OPT_ARGS:
                return None
            end = at
            if letter == b"s":
                end = len(text) if length is None else min(at + int(length), len(text))
                if at == len(text):
                    return None
            elif letter in _NUMBERS:
                base, signed = _NUMBERS[letter]
                end = (simple_strntoll if signed else simple_strntoull)(text, base, at)[1]
                if end == at:
                    return None
            else:
                return None
            args.append((at, end))
            at = end
        last = i == len(parts)
        if not (text[at:] == following if last else text.startswith(following, at)):
            return None
        at += len(following)
    return args


@export("int match_token(char *s, const struct match_token *table, substring_t *args)")
def match_token(kernel: Kernel, s: int, table: StructView, args: StructView) -> int:
    text = kernel.memory.read_string(s, INT_MAX)
    size = table.struct.size
    at = table.address
    while True:
        entry = kernel.struct("match_token", at)
        pattern = entry["pattern"]
        found = _match_one(text, entry.string("pattern")) if pattern else []
        if found is not None:
            for i, (start, end) in enumerate(found):
                kernel.memory.write_pointer(args.address + 16 * i, s + start)
                kernel.memory.write_pointer(args.address + 16 * i + 8, s + end)
            return entry["token"]
        at += size


def _substring(kernel: Kernel, s: StructView) -> bytes:
    start, end = s["from"], s["to"]
    return kernel.memory.read(start, end - start) if end > start else b""


def _match_number(kernel: Kernel, s: StructView, result: int, base: int) -> int:
    text = _substring(kernel, s).partition(b"\0")[0]
    value, end = simple_strntoll(text, base)
    if end == 0:
        raise err(errno.EINVAL)
    if not -INT_MAX - 1 <= value <= INT_MAX:
        raise err(errno.ERANGE)
    kernel.memory.write_int(result, value)
    return 0


@export("int match_int(substring_t *s, int *result)")
def match_int(kernel: Kernel, s: StructView, result: int) -> int:
    return _match_number(kernel, s, result, 0)


@export("int match_octal(substring_t *s, int *result)")
def match_octal(kernel: Kernel, s: StructView, result: int) -> int:
    return _match_number(kernel, s, result, 8)


@export("int match_hex(substring_t *s, int *result)")
def match_hex(kernel: Kernel, s: StructView, result: int) -> int:
    return _match_number(kernel, s, result, 16)


def _match_kstrto(kernel: Kernel, s: StructView, result: int, name: str, base: int = 0) -> int:
    kind = INT_TYPES[name]
    value = kstrto(kind, _substring(kernel, s).partition(b"\0")[0], base)
    kernel.memory.write_int(result, value, kind.size)
    return 0


@export("int match_uint(substring_t *s, unsigned int *result)")
def match_uint(kernel: Kernel, s: StructView, result: int) -> int:
    return _match_kstrto(kernel, s, result, "uint", 10)


@export("int match_u64(substring_t *s, u64 *result)")
def match_u64(kernel: Kernel, s: StructView, result: int) -> int:
    return _match_kstrto(kernel, s, result, "ull")


@export("char *match_strdup(const substring_t *s)")
def match_strdup(kernel: Kernel, s: StructView) -> int:
    text = _substring(kernel, s) + b"\0"
    try:
        address = kernel.slab.kmalloc(len(text))
    except OSError:
        return 0
    kernel.memory.write(address, text)
    return address


@export("size_t match_strlcpy(char *dest, const substring_t *src, size_t size)")
def match_strlcpy(kernel: Kernel, dest: int, src: StructView, size: int) -> int:
    text = _substring(kernel, src)
    if size:
        kernel.memory.write(dest, text[: size - 1] + b"\0")
    return len(text)


@export("bool match_wildcard(const char *pattern, const char *str)")
def match_wildcard_(kernel: Kernel, pattern: bytes, str: bytes) -> bool:
    return match_wildcard(pattern, str)
