"""Counts of references with their lock beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/lockref.c")


# struct lockref, of which the count alone matters here

_DEAD: Final = -128


@export("void lockref_get(struct lockref *lockref)")
def lockref_get(kernel: Kernel, lockref: StructView) -> None:
    lockref["count"] += 1


@export("int lockref_get_not_zero(struct lockref *lockref)")
def lockref_get_not_zero(kernel: Kernel, lockref: StructView) -> bool:
    if lockref["count"] <= 0:
        return False
    lockref["count"] += 1
    return True


@export("int lockref_get_not_dead(struct lockref *lockref)")
def lockref_get_not_dead(kernel: Kernel, lockref: StructView) -> bool:
    if lockref["count"] < 0:
        return False
    lockref["count"] += 1
    return True


@export("int lockref_put_not_zero(struct lockref *lockref)")
def lockref_put_not_zero(kernel: Kernel, lockref: StructView) -> bool:
    if lockref["count"] <= 1:
        return False
    lockref["count"] -= 1
    return True


@export("int lockref_put_return(struct lockref *lockref)")
def lockref_put_return(kernel: Kernel, lockref: StructView) -> int:
    if kernel.memory.read_int(lockref.address) or lockref["count"] <= 0:
        return -1
    lockref["count"] -= 1
    return lockref["count"]


@export("void lockref_mark_dead(struct lockref *lockref)")
def lockref_mark_dead(kernel: Kernel, lockref: StructView) -> None:
    lockref["count"] = _DEAD
