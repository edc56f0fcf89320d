"""Strings to numbers, as strict as the kernel (lib/kstrtox.c)."""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from sysfsd.linux.err import err

__all__ = ["INT_TYPES", "IntType", "kstrto", "kstrtobool"]


@dataclass(frozen=True, slots=True)
class IntType:
    """A C integer type: its size in bytes and whether it is signed."""

    size: int
    signed: bool

    @property
    def min(self) -> int:
        return -(1 << (8 * self.size - 1)) if self.signed else 0

    @property
    def max(self) -> int:
        return (1 << (8 * self.size - self.signed)) - 1


#: The suffix of the kernel's ``kstrto*`` functions and the type that each fills in.
INT_TYPES: Final = {
    "u8": IntType(1, False),
    "s8": IntType(1, True),
    "u16": IntType(2, False),
    "s16": IntType(2, True),
    "uint": IntType(4, False),
    "int": IntType(4, True),
    "ul": IntType(8, False),
    "l": IntType(8, True),
    "ull": IntType(8, False),
    "ll": IntType(8, True),
}

_U64_MAX: Final = (1 << 64) - 1
_MOST_DIGITS: Final = 64  # of 2**64 - 1 in any base: in binary


@cache
def _digits(base: int) -> re.Pattern[bytes]:
    """Those that a base has; there are no letters behind f."""
    known = "0123456789abcdefABCDEF"
    return re.compile(f"[{known if base >= 16 else ''.join(c for c in known if int(c, 16) < base)}]+".encode())


def _radix(text: bytes, base: int) -> tuple[int, bytes]:
    """Base 0 means "as C writes it"; a 0x prefix is taken off where the base is 16."""
    hexadecimal = re.match(rb"0[xX](?=[0-9a-fA-F])", text) is not None
    if base == 0:
        base = 16 if hexadecimal else 8 if text.startswith(b"0") else 10
    if base == 16 and text[:2].lower() == b"0x":
        text = text[2:]
    return base, text


def _magnitude(text: bytes, base: int) -> int:
    base, text = _radix(text, base)
    digits = _digits(base).match(text)
    if digits is None:
        raise err(errno.EINVAL)
    significant = digits[0].lstrip(b"0")
    value = int(significant[: _MOST_DIGITS + 1] or b"0", base)
    if len(significant) > _MOST_DIGITS or value > _U64_MAX:
        raise err(errno.ERANGE)
    if text[digits.end() :] not in (b"", b"\n"):
        raise err(errno.EINVAL)
    return value


def kstrto(kind: IntType, text: bytes, base: int = 0) -> int:
    """``kstrtoint()`` and its kin: one number, and nothing behind it but one newline.

    :param text: the string, without its NUL
    :param base: 2 to 16, or 0 for the prefix to decide
    :raises OSError: EINVAL if it is no number, ERANGE if the type cannot hold it
    """
    if kind.signed and text.startswith(b"-"):
        value = -_magnitude(text[1:], base)
    else:
        value = _magnitude(text.removeprefix(b"+"), base)
    if not kind.min <= value <= kind.max:
        raise err(errno.ERANGE)
    return value


def kstrtobool(text: bytes) -> bool:
    """A boolean in one of the kernel's spellings; what follows its first letters is not looked at.

    :raises OSError: EINVAL if it is none of [yYtT1nNfF0], [oO][nNfF]
    """
    match text[:1].lower():
        case b"y" | b"t" | b"1":
            return True
        case b"n" | b"f" | b"0":
            return False
        case b"o":
            match text[1:2].lower():
                case b"n":
                    return True
                case b"f":
                    return False
    raise err(errno.EINVAL)
