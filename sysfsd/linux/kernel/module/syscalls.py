"""The system calls for modules: init_module(2), finit_module(2), delete_module(2) (kernel/module/main.c)."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.kernel.cred import INIT_CRED, Capability, Cred
from sysfsd.linux.kernel.module.loader import (
    MODULE_INIT_COMPRESSED_FILE,
    MODULE_INIT_IGNORE_MODVERSIONS,
    MODULE_INIT_IGNORE_VERMAGIC,
    Loader,
    UserBytes,
    free_module,
)
from sysfsd.linux.kernel.module.module import MODULE_NAME_LEN, MODULE_REF_BASE, ModuleState
from sysfsd.linux.kernel.panic import Taint, taint_letters

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

__all__ = ["MODULE_FILE_MAX", "delete_module", "finit_module", "init_module"]

#: The largest file of a module that there is memory for (bytes).
MODULE_FILE_MAX: Final = 1 << 29
#: ``sizeof(Elf64_Ehdr)``: less is no module (bytes).
ELF_HEADER_SIZE: Final = 64

_FLAGS: Final = MODULE_INIT_IGNORE_MODVERSIONS | MODULE_INIT_IGNORE_VERMAGIC | MODULE_INIT_COMPRESSED_FILE


def _may_change_modules(kernel: Kernel, cred: Cred) -> None:
    if not cred.capable(Capability.SYS_MODULE) or kernel.tunables.modules_disabled:
        raise err(errno.EPERM)


def init_module(kernel: Kernel, umod: UserBytes, uargs: UserBytes = b"", cred: Cred = INIT_CRED, size: int = 0) -> None:
    """init_module(2): load the module whose file is *umod*.

    :param uargs: the argument line
    :param cred: who asks
    :param size: of the file, where that is still to be read (bytes)
    :raises OSError: as the man page says
    """
    with kernel.lock:
        _may_change_modules(kernel, cred)
    if isinstance(umod, bytes):
        size = len(umod)
    if size < ELF_HEADER_SIZE:
        raise err(errno.ENOEXEC)
    if size > MODULE_FILE_MAX:
        raise err(errno.ENOMEM)
    image = umod if isinstance(umod, bytes) else umod()
    with kernel.lock:
        Loader(kernel, image).load(uargs)


def finit_module(
    kernel: Kernel, file: Callable[[], bytes], uargs: UserBytes = b"", flags: int = 0, cred: Cred = INIT_CRED
) -> None:
    """finit_module(2): load the module from an open file.

    :param file: reads it, once the flags are known to be good
    :param uargs: the argument line
    :param flags: MODULE_INIT_IGNORE_MODVERSIONS, MODULE_INIT_IGNORE_VERMAGIC, MODULE_INIT_COMPRESSED_FILE
    :raises OSError: as the man page says
    """
    with kernel.lock:
        _may_change_modules(kernel, cred)
    if flags & ~_FLAGS:
        raise err(errno.EINVAL)
    image = file()
    if flags & MODULE_INIT_COMPRESSED_FILE:
        raise err(errno.EOPNOTSUPP)  # CONFIG_MODULE_COMPRESS_NONE
    with kernel.lock:
        Loader(kernel, image, flags).load(uargs)


def delete_module(kernel: Kernel, uname: str | Callable[[], str], flags: int = 0, cred: Cred = INIT_CRED) -> None:
    """delete_module(2): stop a module and free it.

    :param uname: its name, or what reads it from the caller's memory, up to a NUL or MODULE_NAME_LEN bytes
    :param flags: O_TRUNC takes it away even while it is used
    :raises OSError: as the man page says; ENOSYS without CONFIG_MODULE_UNLOAD
    """
    if "CONFIG_MODULE_UNLOAD" not in kernel.config:
        raise err(errno.ENOSYS)
    with kernel.lock:
        _may_change_modules(kernel, cred)
    name = uname if isinstance(uname, str) else uname()
    if not 0 < len(name) < MODULE_NAME_LEN:
        raise err(errno.ENOENT)
    with kernel.lock:
        mod = kernel.modules.find(name)
        if mod is None:
            raise err(errno.ENOENT)
        if mod.source_list:
            raise err(errno.EWOULDBLOCK)
        if mod.state is not ModuleState.LIVE:
            raise err(errno.EBUSY)
        if mod.permanent and not try_force_unload(kernel, flags):
            raise err(errno.EBUSY)
        if mod.refcnt == MODULE_REF_BASE:
            mod.refcnt = 0
        elif not try_force_unload(kernel, flags):
            raise err(errno.EWOULDBLOCK)
        kernel.modules.set_state(mod, ModuleState.GOING)
        if mod.exit:
            kernel.cpu.call(mod.exit, site="exit")
        kernel.modules.notify(mod.address, ModuleState.GOING.value)
        kernel.modules.last_unloaded = f"{mod.name}({taint_letters(mod.taints)})" if mod.taints else mod.name
        free_module(kernel, mod)


def try_force_unload(kernel: Kernel, flags: int) -> bool:
    """Whether the caller insists, and the kernel lets it."""
    if "CONFIG_MODULE_FORCE_UNLOAD" not in kernel.config or not flags & os.O_TRUNC:
        return False
    kernel.add_taint(Taint.FORCED_RMMOD, lockdep_ok=False)
    return True
