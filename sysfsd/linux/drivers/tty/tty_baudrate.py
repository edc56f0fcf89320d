"""Speeds of terminals (drivers/tty/tty_baudrate.c, include/uapi/asm-generic/termbits.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView

__all__ = ["baud_rate", "encode_baud_rate", "input_baud_rate"]

CBAUD, CBAUDEX, BOTHER, IBSHIFT = 0o10017, 0o10000, 0o10000, 16
_BAUD: Final = (
    0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400,
    460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000,
)  # fmt: skip
_EXTENDED: Final = 15


def _rate(code: int, other: int) -> int:
    if code == BOTHER:
        return other
    if code & CBAUDEX:
        code = (code & ~CBAUDEX) + _EXTENDED
    return _BAUD[code] if code < len(_BAUD) else 0


def baud_rate(termios: StructView) -> int:
    """``tty_termios_baud_rate()``."""
    return _rate(termios["c_cflag"] & CBAUD, termios["c_ospeed"])


def input_baud_rate(termios: StructView) -> int:
    """``tty_termios_input_baud_rate()``."""
    code = termios["c_cflag"] >> IBSHIFT & CBAUD
    return _rate(code, termios["c_ispeed"]) if code else baud_rate(termios)


def encode_baud_rate(termios: StructView, ibaud: int, obaud: int) -> None:
    """``tty_termios_encode_baud_rate()``."""
    if obaud == 0:
        ibaud = 0
    iclose, oclose = ibaud // 50, obaud // 50
    termios["c_ispeed"], termios["c_ospeed"] = ibaud, obaud
    cflag = termios["c_cflag"]
    given = bool(cflag >> IBSHIFT & CBAUD)
    if cflag & CBAUD == BOTHER:
        oclose, iclose = 0, iclose if given else 0
    if cflag >> IBSHIFT & CBAUD == BOTHER:
        iclose = 0
    cflag &= ~(CBAUD | CBAUD << IBSHIFT)
    found_in = found_out = None
    for number, rate in enumerate(_BAUD):
        bits = number if number <= _EXTENDED else number - _EXTENDED | CBAUDEX
        if obaud - oclose <= rate <= obaud + oclose:
            cflag |= bits
            found_out = number
        if ibaud - iclose <= rate <= ibaud + iclose:
            found_in = number
            if found_out != number or given:
                cflag |= bits << IBSHIFT
    if found_out is None:
        cflag |= BOTHER
    if found_in is None and (ibaud != obaud or given):
        cflag |= BOTHER << IBSHIFT
    termios["c_cflag"] = cflag
