"""Errors as the kernel returns them (include/linux/err.h, asm-generic/errno.h)."""

from __future__ import annotations

import os
from typing import Final

__all__ = ["ERESTARTSYS", "RESTART", "err"]

#: A system call that a signal has interrupted, and that may be made again (include/linux/errno.h).
ERESTARTSYS: Final = 512
#: All of that kind: ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK.
RESTART: Final = {ERESTARTSYS, 513, 514, 516}


def err(code: int, detail: str | None = None) -> OSError:
    """An ``OSError`` with the kernel's errno, to be raised.

    :param code: one of the constants of :mod:`errno`
    :param detail: what it was about, shown behind the errno's own text
    """
    return OSError(code, os.strerror(code)) if detail is None else OSError(code, os.strerror(code), detail)
