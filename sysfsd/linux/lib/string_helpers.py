"""Sizes and escaped strings for people to read (lib/string_helpers.c)."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import IntEnum, IntFlag
from functools import lru_cache
from typing import Final

__all__ = ["Escape", "StringUnits", "Unescape", "string_escape_mem", "string_get_size", "string_unescape"]

_U64: Final = (1 << 64) - 1


class StringUnits(IntEnum):
    """``enum string_size_units``: powers of 1000 or of 1024."""

    UNITS_10 = 0
    UNITS_2 = 1


#: What to divide by, and the names of the powers.
_UNITS: Final = {
    StringUnits.UNITS_10: (1000, ("B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")),
    StringUnits.UNITS_2: (1024, ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")),
}
#: Half of the last digit shown (thousandths), by the number of digits behind the point.
_ROUNDING: Final = (500, 50, 5)


def string_get_size(size: int, blk_size: int, units: StringUnits) -> str:
    """``string_get_size()``: *size* blocks of *blk_size* bytes with three significant digits: ``1.46 GiB``."""
    divisor, names = _UNITS[units]
    if not size or not blk_size:
        return f"0 {names[0]}"
    power = remainder = 0
    # Both are brought below 32 bits first, so that their product fits in 64; what that loses shows in the last digit.
    while blk_size >> 32:
        blk_size //= divisor
        power += 1
    while size >> 32:
        size //= divisor
        power += 1
    size *= blk_size
    while size >= divisor:
        size, remainder = divmod(size, divisor)
        power += 1
    decimals = 0
    while size * 10 ** (decimals + 1) < 1000 and decimals < 2:
        decimals += 1
    if units == StringUnits.UNITS_2:
        remainder = remainder * 1000 >> 10
    remainder += _ROUNDING[decimals]
    if remainder >= 1000:
        remainder -= 1000
        size += 1
    fraction = f".{remainder:03}"[: decimals + 1] if decimals else ""
    return f"{size}{fraction} {names[power] if power < len(names) else 'UNK'}"


class Escape(IntFlag):
    """``ESCAPE_*``: which characters to escape, and which to leave alone."""

    SPACE = 1 << 0
    SPECIAL = 1 << 1
    NULL = 1 << 2
    OCTAL = 1 << 3
    ANY = SPACE | SPECIAL | NULL | OCTAL
    #: Only what is not printable.
    NP = 1 << 4
    ANY_NP = ANY | NP
    HEX = 1 << 5
    #: Only what is not ASCII.
    NA = 1 << 6
    #: Only what is not printable ASCII.
    NAP = 1 << 7
    #: The characters given besides are escaped although the three above would leave them.
    APPEND = 1 << 8


_ASCII: Final = frozenset(range(0x80))
#: Kernel strings are Latin-1: so is what the kernel takes for printable.
_PRINTABLE: Final = frozenset((*range(0x20, 0x7F), *range(0xA0, 0x100)))

#: What is left alone, by the flag that says so.
_PASSES: Final = {Escape.NAP: _ASCII & _PRINTABLE, Escape.NP: _PRINTABLE, Escape.NA: _ASCII}

#: What is written for a character, by the flag that asks for it, in the order in which they are tried.
_ESCAPES: Final[dict[Escape, dict[int, bytes]]] = {
    Escape.SPACE: {ord(c): b"\\" + e for c, e in zip("\n\r\t\v\f", (b"n", b"r", b"t", b"v", b"f"), strict=True)},
    Escape.SPECIAL: {ord(c): b"\\" + e for c, e in zip('\\\a\x1b"', (b"\\", b"a", b"e", b'"'), strict=True)},
    Escape.NULL: {0: b"\\0"},
    Escape.OCTAL: {c: b"\\%03o" % c for c in range(256)},
    Escape.HEX: {c: b"\\x%02x" % c for c in range(256)},
}


@lru_cache(maxsize=64)
def _escapes(flags: Escape, only: frozenset[int]) -> tuple[bytes, ...]:
    """What each of the 256 characters becomes."""

    def escape(c: int) -> bytes:
        appended = bool(flags & Escape.APPEND) and c in only
        if only and not flags & Escape.APPEND and c not in only:
            return bytes([c])
        if not appended and any(flags & flag and c in passes for flag, passes in _PASSES.items()):
            return bytes([c])
        return next((table[c] for flag, table in _ESCAPES.items() if flags & flag and c in table), bytes([c]))

    return tuple(escape(c) for c in range(256))


def string_escape_mem(source: bytes, flags: Escape, only: bytes = b"") -> bytes:
    """``string_escape_mem()``: *source* with backslashes before what *flags* name.

    :param only: the characters that may be escaped at all; with APPEND, those that are escaped besides
    """
    # strchr() finds the NUL at the end of the string, too.
    table = _escapes(Escape(flags), frozenset(only + b"\0") if only else frozenset())
    return b"".join([table[c] for c in source])


class Unescape(IntFlag):
    """``UNESCAPE_*``: what may follow a backslash."""

    SPACE = 1
    OCTAL = 2
    HEX = 4
    SPECIAL = 8


_SPACES: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v", b"f": b"\f"}
_SPECIALS: Final = {b'"': b'"', b"\\": b"\\", b"a": b"\a", b"e": b"\x1b"}
#: What that looks like, and means, in the order in which it is tried.
_UNESCAPES: Final[tuple[tuple[Unescape, bytes, Callable[[bytes], bytes]], ...]] = (
    (Unescape.SPACE, b"[nrtvf]", lambda found: _SPACES[found]),
    (Unescape.OCTAL, b"[0-3][0-7]{0,2}|[4-7][0-7]?", lambda found: bytes((int(found, 8),))),
    (Unescape.HEX, b"x[0-9a-fA-F]{1,2}", lambda found: bytes((int(found[1:], 16),))),
    (Unescape.SPECIAL, rb'["\\ae]', lambda found: _SPECIALS[found]),
)


def _unescape(text: bytes, at: int, flags: Unescape) -> tuple[bytes, int] | None:
    """What is meant by what follows a backslash, and where it ends; None if it means nothing."""
    for flag, pattern, convert in _UNESCAPES:
        found = re.compile(pattern).match(text, at) if flags & flag else None
        if found is not None:
            return convert(found[0]), found.end()
    return None


def string_unescape(text: bytes, size: int, flags: Unescape) -> bytes:
    """``string_unescape()``.

    :param size: room for the result and a NUL (bytes); 0: as much as it takes
    """
    out = b""
    at = 0
    size = size or len(text) + 2
    while at < len(text) and (size := size - 1):
        if text[at] == ord("\\") and at + 1 < len(text) and size > 1:
            at += 1
            size -= 1
            unescaped = _unescape(text, at, flags)
            if unescaped is not None:
                char, at = unescaped
                out += char
                continue
            out += b"\\"
        out += text[at : at + 1]
        at += 1
    return out
