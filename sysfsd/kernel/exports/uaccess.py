"""Copies between the kernel and its users (what the inlined parts call)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.kernel.exports.registry import Area

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel

export = Area("uaccess", "mm/maccess.c, lib/usercopy.c")


@export("void __copy_overflow(int size, unsigned long count)")
def __copy_overflow(kernel: Kernel, size: int, count: int) -> None:
    kernel.traps.warn_at("mm/maccess.c", 228, f"Buffer overflow detected ({size} < {count})!", "__copy_overflow+0x16")
