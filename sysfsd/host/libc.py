"""System calls that Python has no function for."""

from __future__ import annotations

import ctypes
from typing import Final

from sysfsd.linux.err import err

__all__ = ["checked", "libc", "syscall"]

libc: Final = ctypes.CDLL(None, use_errno=True)


def checked(result: int, about: object = None) -> int:
    """What a function of the C library returned.

    :param about: what the error is to name
    :raises OSError: with its errno, if it failed
    """
    if result < 0:
        raise err(ctypes.get_errno(), None if about is None else str(about))
    return result


def syscall(number: int, *args: object) -> int:
    """System call *number*.

    :param args: as ctypes takes them; a plain int is a C int
    :raises OSError: with its errno
    """
    return checked(int(libc.syscall(ctypes.c_long(number), *args)))
