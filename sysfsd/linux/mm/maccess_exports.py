"""Reading memory that may not be there."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.lib.usercopy_exports import MINUS_EFAULT, copy_to_user, uaccess_of

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("mm/maccess.c")


@export("void __copy_overflow(int size, unsigned long count)")
def __copy_overflow(kernel: Kernel, size: int, count: int) -> None:
    kernel.traps.warn_at("mm/maccess.c", 228, f"Buffer overflow detected ({size} < {count})!", "__copy_overflow+0x16")


# Without a fault that anybody would notice


@export("long copy_from_kernel_nofault(void *dst, const void *src, size_t size)")
def copy_from_kernel_nofault(kernel: Kernel, dst: int, src: int, size: int) -> int:
    if not -(1 << 47) <= src - (1 << 64) < 0:
        return -errno.ERANGE
    try:
        data = kernel.memory.read(src, size) if size else b""
    except OSError:
        return MINUS_EFAULT
    kernel.memory.write(dst, data)
    return 0


@export("long copy_from_user_nofault(void *dst, const void *src, size_t size)")
def copy_from_user_nofault(kernel: Kernel, dst: int, src: int, size: int) -> int:
    data = uaccess_of(kernel).copy_from_user(src, size)
    kernel.memory.write(dst, data)
    return 0 if len(data) == size else MINUS_EFAULT


@export("long copy_to_user_nofault(void *dst, const void *src, size_t size)")
def copy_to_user_nofault(kernel: Kernel, dst: int, src: int, size: int) -> int:
    return MINUS_EFAULT if copy_to_user(kernel, dst, src, size) else 0
