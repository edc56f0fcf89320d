"""Binary-coded decimals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("lib/bcd.c")


@export("unsigned int _bcd2bin(unsigned char val)")
def _bcd2bin(kernel: Kernel, val: int) -> int:
    return (val & 0x0F) + (val >> 4) * 10


@export("unsigned char _bin2bcd(unsigned int val)")
def _bin2bcd(kernel: Kernel, val: int) -> int:
    return (val // 10 << 4) + val % 10 & 0xFF
