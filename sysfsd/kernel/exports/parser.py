"""Taking options and arguments apart."""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING, Final

from sysfsd.kernel.err import err
from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.kstrtox import INT_TYPES, kstrto
from sysfsd.kernel.parser import match_wildcard
from sysfsd.kernel.vsprintf import simple_strntoll, simple_strntoull

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("parser", "lib/parser.c, lib/cmdline.c, lib/glob.c")

_INT_MAX: Final = (1 << 31) - 1
_MAX_OPT_ARGS: Final = 3
_U64: Final = (1 << 64) - 1
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
    text = kernel.memory.read_string(s, _INT_MAX)
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
    if not -_INT_MAX - 1 <= value <= _INT_MAX:
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


def _match_kstrto(kernel: Kernel, s: StructView, result: int, name: str) -> int:
    kind = INT_TYPES[name]
    value = kstrto(kind, _substring(kernel, s).partition(b"\0")[0])
    kernel.memory.write_int(result, value, kind.size)
    return 0


@export("int match_uint(substring_t *s, unsigned int *result)")
def match_uint(kernel: Kernel, s: StructView, result: int) -> int:
    return _match_kstrto(kernel, s, result, "uint")


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


def _class(pattern: bytes, at: int) -> tuple[bytes, int] | None:
    """``[a-z]`` of a glob: as a regular expression, and where it ends; None if it does not end."""
    inverted = pattern[at : at + 1] == b"!"
    at += inverted
    chars: set[int] = set()
    first = True
    while first or pattern[at : at + 1] != b"]":
        if at >= len(pattern):
            return None
        first = False
        low = high = pattern[at]
        at += 1
        if pattern[at : at + 1] == b"-" and pattern[at + 1 : at + 2] not in (b"]", b""):
            high = pattern[at + 1]
            at += 2
        chars.update(range(low, high + 1))
    members = b"".join(b"\\x%02x" % c for c in sorted(set(range(256)) - chars if inverted else chars))
    return b"[" + members + b"]" if members else b"(?!)", at + 1


@export("bool glob_match(const char *pat, const char *str)")
def glob_match(kernel: Kernel, pat: bytes, str: bytes) -> bool:
    regex, at = b"", 0
    while at < len(pat):
        char = pat[at : at + 1]
        at += 1
        found = _class(pat, at) if char == b"[" else None
        if char == b"*":
            regex += b".*"
        elif char == b"?":
            regex += b"."
        elif found is not None:
            regex += found[0]
            at = found[1]
        else:
            if char == b"\\":
                char = pat[at : at + 1]
                at += 1
            regex += re.escape(char)
    return re.fullmatch(regex, str, re.DOTALL) is not None


# Arguments


#: By how many bits the letters behind a size shift it.
_SUFFIXES: Final = {b"K": 10, b"M": 20, b"G": 30, b"T": 40, b"P": 50, b"E": 60}


@export("unsigned long long memparse(char const *ptr, char **retptr)")
def memparse(kernel: Kernel, ptr: int, retptr: int) -> int:
    text = kernel.memory.read_string(ptr, _INT_MAX)
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
    text = kernel.memory.read_string(start, _INT_MAX)
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
    text = kernel.memory.read_string(str, _INT_MAX)
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
