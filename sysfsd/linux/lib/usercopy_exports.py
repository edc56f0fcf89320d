"""Copies between kernel and user, whole and of strings (lib/usercopy.c, strncpy_from_user.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.mm.memory import PAGE_SIZE
from sysfsd.linux.mm.slab_exports import __check_object_size as check_object_size
from sysfsd.linux.mm.uaccess import TASK_SIZE_MAX, Uaccess, access_ok

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("lib/usercopy.c", "lib/strncpy_from_user.c", "lib/strnlen_user.c")

MINUS_EFAULT: Final = -errno.EFAULT


def uaccess_of(kernel: Kernel) -> Uaccess:
    return kernel.state(Uaccess)


# Copies


@export("unsigned long _copy_from_user(void *to, const void *from, unsigned long n)")
def _copy_from_user(kernel: Kernel, to: int, from_: int, n: int) -> int:
    """What cannot be copied is zeroed."""
    data = uaccess_of(kernel).copy_from_user(from_, n)
    kernel.memory.write(to, data.ljust(n, b"\0"))
    return n - len(data)


@export("unsigned long _copy_to_user(void *to, const void *from, unsigned long n)")
def copy_to_user(kernel: Kernel, to: int, from_: int, n: int) -> int:
    return uaccess_of(kernel).raw_copy(to, from_, n) if access_ok(to, n) else n


@export("int check_zeroed_user(const void *from, size_t size)")
def check_zeroed_user(kernel: Kernel, from_: int, size: int) -> int:
    data = uaccess_of(kernel).copy_from_user(from_, size)
    if any(data):
        return 0
    if len(data) < size:
        raise err(errno.EFAULT)
    return 1


# Strings


def _string(kernel: Kernel, source: int, limit: int) -> tuple[bytes, bool]:
    """A user's string, at most *limit* bytes of it, and whether its NUL was found.

    :raises OSError: EFAULT where the memory ends before
    """
    uaccess, text = uaccess_of(kernel), b""
    while len(text) < limit:
        at = source + len(text)
        size = min(limit - len(text), PAGE_SIZE - at % PAGE_SIZE)
        piece = uaccess.copy_from_user(at, size)
        end = piece.find(b"\0")
        if end >= 0:
            return text + piece[:end], True
        text += piece
        if len(piece) < size:
            raise err(errno.EFAULT)
    return text, False


@export("long strncpy_from_user(char *dst, const void *src, long count)")
def strncpy_from_user(kernel: Kernel, dst: int, src: int, count: int) -> int:
    if count <= 0:
        return 0
    if src < TASK_SIZE_MAX:
        check_object_size(kernel, dst, count, False)
    text, ended = _string(kernel, src, count)
    kernel.memory.write(dst, text + b"\0" if ended else text)
    return len(text)


@export("long strnlen_user(const void *str, long n)")
def strnlen_user(kernel: Kernel, str: int, n: int) -> int:
    """With its NUL; more than *n* where that is not among them, 0 where the memory ends. Looks at whole words."""
    if n <= 0:
        return 0
    word = 8
    ahead = str % word
    try:
        text, ended = _string(kernel, str, -(-(ahead + n) // word) * word - ahead)
    except OSError:
        return 0
    return len(text) + 1 if ended else n + 1
