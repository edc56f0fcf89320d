"""Strings to numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.kstrtox import INT_TYPES, IntType, kstrto, kstrtobool
from sysfsd.kernel.memory import PageFault

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel

export = Area("kstrtox", "lib/kstrtox.c")

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
