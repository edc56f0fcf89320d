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


@export("int lockref_put_or_lock(struct lockref *lockref)")
def lockref_put_or_lock(kernel: Kernel, lockref: StructView) -> bool:
    """:returns: whether it was not the last one; otherwise the lock is held"""
    if lockref["count"] > 1:
        lockref["count"] -= 1
        return True
    kernel.cpu.call(kernel.exports.address_of("_raw_spin_lock"), lockref.at("lock"))
    return False


@export("void lockref_mark_dead(struct lockref *lockref)")
def lockref_mark_dead(kernel: Kernel, lockref: StructView) -> None:
    if not kernel.memory.read_int(lockref.at("lock")):
        kernel.traps.bug_at("lib/lockref.c", 162, "lockref_mark_dead+0x12")
    lockref["count"] = _DEAD
