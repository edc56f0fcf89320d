"""Shrinkers: memory never runs short here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area, CallVaList
from sysfsd.linux.registrations import registered

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("mm/vmscan.c")


@export("int register_shrinker(struct shrinker *shrinker, const char *fmt, ...)")
def register_shrinker(kernel: Kernel, shrinker: StructView, fmt: bytes | None, args: CallVaList) -> int:
    """Memory never runs short."""
    shrinker["nr_deferred"] = kernel.slab.kmalloc(8)
    registered(kernel).add("shrinker", shrinker.address, shrinker.address)
    return 0


@export("void unregister_shrinker(struct shrinker *shrinker)")
def unregister_shrinker(kernel: Kernel, shrinker: StructView) -> None:
    if registered(kernel).remove("shrinker", shrinker.address):
        kernel.slab.kfree(shrinker["nr_deferred"])
        shrinker["nr_deferred"] = 0
