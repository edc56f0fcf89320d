"""Taints: what has happened to this kernel that its developers would want to know (kernel/panic.c)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

__all__ = ["MODULE_TAINTS", "Taint", "print_tainted", "taint_letters"]


class Taint(IntEnum):
    """The bits of /proc/sys/kernel/tainted (Documentation/admin-guide/tainted-kernels.rst)."""

    PROPRIETARY_MODULE = 0
    FORCED_MODULE = 1
    CPU_OUT_OF_SPEC = 2
    FORCED_RMMOD = 3
    MACHINE_CHECK = 4
    BAD_PAGE = 5
    USER = 6
    DIE = 7
    OVERRIDDEN_ACPI_TABLE = 8
    WARN = 9
    CRAP = 10
    FIRMWARE_WORKAROUND = 11
    OOT_MODULE = 12
    UNSIGNED_MODULE = 13
    SOFTLOCKUP = 14
    LIVEPATCH = 15
    AUX = 16
    RANDSTRUCT = 17
    TEST = 18


#: The letters of the taints that a module can have, in the order in which they are shown.
MODULE_TAINTS: Final = {
    Taint.PROPRIETARY_MODULE: "P",
    Taint.FORCED_MODULE: "F",
    Taint.CRAP: "C",
    Taint.OOT_MODULE: "O",
    Taint.UNSIGNED_MODULE: "E",
    Taint.LIVEPATCH: "K",
    Taint.AUX: "X",
    Taint.RANDSTRUCT: "T",
    Taint.TEST: "N",
}


def taint_letters(taints: int) -> str:
    """``module_flags_taint()``: a module's *taints* (bit mask) as letters."""
    return "".join(letter for taint, letter in MODULE_TAINTS.items() if taints >> taint & 1)


#: The letter of each taint in turn, and what stands in its place without it.
_TAINT_FLAGS: Final = "PFSRMBUDAWCIOELKXTN"


def print_tainted(taints: int) -> str:
    """``print_tainted()``: ``Not tainted``, or a letter or blank for each taint."""
    if not taints:
        return "Not tainted"
    letters = (letter if taints >> bit & 1 else " " for bit, letter in enumerate(_TAINT_FLAGS))
    return "Tainted: " + "".join(letters).replace(" ", "G", not taints & 1)
