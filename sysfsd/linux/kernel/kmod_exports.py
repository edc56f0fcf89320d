"""Loading modules on demand: request_module()."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area, CallVaList
from sysfsd.linux.lib.vsprintf import vsnprintf

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("kernel/kmod.c")


@export("int __request_module(bool wait, const char *fmt, ...)")
def __request_module(kernel: Kernel, wait: bool, fmt: bytes, args: CallVaList) -> int:
    name = vsnprintf(kernel, fmt, args)
    if len(name) >= 56:
        raise err(errno.ENAMETOOLONG)
    return kernel.request_module(name.decode("latin-1"), wait)
