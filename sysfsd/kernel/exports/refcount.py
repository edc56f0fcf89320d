"""Reference counts that saturate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.kernel.exports.registry import Area

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("refcount", "lib/refcount.c")

_SATURATED: Final = -0x40000000
#: By ``enum refcount_saturation_type``: the line and the place of the warning, and what it says.
_WARNINGS: Final = {
    0: (19, 0x74, "saturated; leaking memory"),
    1: (22, 0x51, "saturated; leaking memory"),
    2: (25, 0x97, "addition on 0; use-after-free"),
    3: (28, 0xBA, "underflow; use-after-free"),
    4: (31, 0xFB, "decrement hit 0; leaking memory"),
}


def _warn_once(kernel: Kernel, line: int, text: str, site: str) -> None:
    kernel.traps.warn_at("lib/refcount.c", line, f"refcount_t: {text}.", site, once=True)


@export("void refcount_warn_saturate(refcount_t *r, enum refcount_saturation_type t)")
def refcount_warn_saturate(kernel: Kernel, r: StructView, t: int) -> None:
    r["refs.counter"] = _SATURATED
    line, offset, text = _WARNINGS.get(t, (34, 0xE1, "unknown saturation event!?"))
    _warn_once(kernel, line, text, f"refcount_warn_saturate+{offset:#x}")


@export("bool refcount_dec_if_one(refcount_t *r)")
def refcount_dec_if_one(kernel: Kernel, r: StructView) -> bool:
    if r["refs.counter"] != 1:
        return False
    r["refs.counter"] = 0
    return True


@export("bool refcount_dec_not_one(refcount_t *r)")
def refcount_dec_not_one(kernel: Kernel, r: StructView) -> bool:
    value = r["refs.counter"]
    if value == _SATURATED:
        return True
    if value == 1:
        return False
    if value == 0:
        _warn_once(kernel, 87, "underflow; use-after-free", "refcount_dec_not_one+0x48")
        return True
    r["refs.counter"] = value - 1
    return True
