"""Reference counts that saturate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.kernel.exports.registry import Area

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel

export = Area("refcount", "lib/refcount.c")

_SATURATED: Final = 0xC0000000
#: By ``enum refcount_saturation_type``: where the warning stands, and what it says.
_WARNINGS: Final = {
    0: (19, "saturated; leaking memory"),
    1: (22, "saturated; leaking memory"),
    2: (25, "addition on 0; use-after-free"),
    3: (28, "underflow; use-after-free"),
    4: (31, "decrement hit 0; leaking memory"),
}


def _warn_once(kernel: Kernel, line: int, text: str) -> None:
    kernel.traps.warn_once_message(f"refcount:{line}", f"refcount_t: {text}.", "lib/refcount.c", line)


@export("void refcount_warn_saturate(refcount_t *r, enum refcount_saturation_type t)")
def refcount_warn_saturate(kernel: Kernel, r: int, t: int) -> None:
    kernel.memory.write_int(r, _SATURATED)
    _warn_once(kernel, *_WARNINGS.get(t, (34, "unknown saturation event!?")))


@export("bool refcount_dec_if_one(refcount_t *r)")
def refcount_dec_if_one(kernel: Kernel, r: int) -> bool:
    if kernel.memory.read_int(r) != 1:
        return False
    kernel.memory.write_int(r, 0)
    return True


@export("bool refcount_dec_not_one(refcount_t *r)")
def refcount_dec_not_one(kernel: Kernel, r: int) -> bool:
    value = kernel.memory.read_int(r)
    if value == _SATURATED:
        return True
    if value == 1:
        return False
    if value == 0:
        _warn_once(kernel, 87, "underflow; use-after-free")
        return True
    kernel.memory.write_int(r, value - 1)
    return True
