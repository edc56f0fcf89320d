"""Strings to numbers."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.lib.kstrtox import INT_TYPES, IntType, kstrto, kstrtobool
from sysfsd.linux.lib.usercopy_exports import uaccess_of
from sysfsd.linux.mm.memory import PageFault

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("lib/kstrtox.c")

#: The type that each function fills in, by the function's name and the type's name in C.
_FUNCTIONS = {
    "kstrtoull": ("ull", "unsigned long long"),
    "kstrtoll": ("ll", "long long"),
    "_kstrtoul": ("ul", "unsigned long"),
    "_kstrtol": ("l", "long"),
    "kstrtouint": ("uint", "unsigned int"),
    "kstrtoint": ("int", "int"),
    "kstrtou16": ("u16", "u16"),
    "kstrtos16": ("s16", "s16"),
    "kstrtou8": ("u8", "u8"),
    "kstrtos8": ("s8", "s8"),
}


def _declare(name: str, kind: IntType, c_type: str) -> None:
    @export(f"int {name}(const char *s, unsigned int base, {c_type} *res)")
    def convert(kernel: Kernel, s: bytes | None, base: int, res: int) -> int:
        if s is None:
            raise PageFault(0)
        kernel.memory.write_int(res, kstrto(kind, s, base), kind.size)
        return 0


for _name, (_kind, _c_type) in _FUNCTIONS.items():
    _declare(_name, INT_TYPES[_kind], _c_type)


def _kstrtobool(kernel: Kernel, text: bytes, res: int) -> int:
    kernel.memory.write_int(res, kstrtobool(text), 1)
    return 0


@export("int kstrtobool(const char *s, bool *res)")
def kstrtobool_(kernel: Kernel, s: bytes | None, res: int) -> int:
    return _kstrtobool(kernel, s or b"", res)


#: What is looked at of a truth value (bytes).
_BOOL_MAX: Final = 3


# Numbers


def _text(kernel: Kernel, source: int, count: int, limit: int) -> bytes:
    """:raises OSError: EFAULT"""
    count = min(count, limit)
    data = uaccess_of(kernel).copy_from_user(source, count)
    if len(data) < count:
        raise err(errno.EFAULT)
    return data.split(b"\0", 1)[0]


def _kstrto_from_user(name: str, kind: IntType, c_type: str) -> None:
    @export(f"int {name}(const void *s, size_t count, unsigned int base, {c_type} *res)")
    def convert(kernel: Kernel, s: int, count: int, base: int, res: int) -> int:
        text = _text(kernel, s, count, 8 * kind.size + 2)
        kernel.memory.write_int(res, kstrto(kind, text, base), kind.size)
        return 0


for _name, _kind, _c_type in (
    ("ull", "ull", "unsigned long long"),
    ("ll", "ll", "long long"),
    ("ul", "ul", "unsigned long"),
    ("l", "l", "long"),
    ("uint", "uint", "unsigned int"),
    ("int", "int", "int"),
    ("u16", "u16", "u16"),
    ("s16", "s16", "s16"),
    ("u8", "u8", "u8"),
    ("s8", "s8", "s8"),
):
    _kstrto_from_user(f"kstrto{_name}_from_user", INT_TYPES[_kind], _c_type)


@export("int kstrtobool_from_user(const void *s, size_t count, bool *res)")
def kstrtobool_from_user(kernel: Kernel, s: int, count: int, res: int) -> int:
    kernel.memory.write_int(res, kstrtobool(_text(kernel, s, count, _BOOL_MAX)), 1)
    return 0
