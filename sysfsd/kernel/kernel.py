"""One kernel: everything that makes it up, and its system calls.

Locking: there is one kernel lock, ``Kernel.lock``. Whoever changes the kernel's state, or reads more than one piece of
it that must agree, holds it. What sleeps (waiting for another module's init, for a log record) gives it up. The list of
modules and the tree of files may be looked at without it: their steps are single operations on Python objects.
"""

from __future__ import annotations

import errno
import os
import shlex
import stat
import threading
from collections.abc import Mapping
from functools import cached_property
from typing import Final, Protocol

from sysfsd.kernel.cpu import Cpu, HaltedCpu
from sysfsd.kernel.cred import INIT_CRED, Capability, Cred
from sysfsd.kernel.err import err
from sysfsd.kernel.image import KernelImage
from sysfsd.kernel.kallsyms import Kallsyms
from sysfsd.kernel.loader import (
    MODULE_INIT_COMPRESSED_FILE,
    MODULE_INIT_IGNORE_MODVERSIONS,
    MODULE_INIT_IGNORE_VERMAGIC,
    Loader,
    free_module,
)
from sysfsd.kernel.memory import Memory
from sysfsd.kernel.module import MODULE_NAME_LEN, MODULE_REF_BASE, Module, ModuleList, ModuleState
from sysfsd.kernel.panic import Taint
from sysfsd.kernel.params import param_symbols
from sysfsd.kernel.percpu import ReservedPercpu
from sysfsd.kernel.printk import PrintkLog
from sysfsd.kernel.sysctl import Tunables

__all__ = ["Kernel", "ModuleSysfs"]

#: The largest file that finit_module(2) reads (bytes); the kernel itself stops at INT_MAX.
MODULE_FILE_MAX: Final = 1 << 29
#: The longest argument line (bytes).
MODULE_ARGS_MAX: Final = 1 << 20

_FLAGS: Final = MODULE_INIT_IGNORE_MODVERSIONS | MODULE_INIT_IGNORE_VERMAGIC | MODULE_INIT_COMPRESSED_FILE


class ModuleSysfs(Protocol):
    """What shows modules to users: /sys/module."""

    def mod_sysfs_setup(self, mod: Module) -> None:
        """Show *mod*, and that it uses others."""

    def mod_sysfs_teardown(self, mod: Module) -> None:
        """Show neither any more."""


class Kernel:
    """A kernel and all that belongs to it.

    :param image: the kernel to be
    :param config: configuration symbols that differ from the image's: ``{"CONFIG_MODULE_UNLOAD": None}`` unsets one
    :param cmdline: the command line it boots with; the image's own if None
    """

    def __init__(
        self,
        image: KernelImage | None = None,
        config: Mapping[str, str | None] | None = None,
        cmdline: str | None = None,
    ) -> None:
        self.image = image or KernelImage()
        changed = {**self.image.config, **(config or {})}
        self.config = {name: value for name, value in changed.items() if value is not None and value != "n"}
        self.lock = threading.RLock()
        self.log: PrintkLog = PrintkLog()
        self.memory = Memory()
        self.cpu: Cpu = HaltedCpu()
        self.modules = ModuleList(self.image, threading.Condition(self.lock))
        self.kallsyms = Kallsyms(self.image, self.memory)
        self.tunables: Tunables = Tunables()
        self.tainted = 0
        self.sig_enforce = "CONFIG_MODULE_SIG_FORCE" in self.config
        self.module_blacklist: set[str] = set()
        #: Strings that parameters of type charp have allocated.
        self.kmalloced_params: set[int] = set()
        self.sysfs: ModuleSysfs | None = None
        self._debug_locks = True
        self.cmdline = self.image.proc["cmdline"].strip() if cmdline is None else cmdline
        self._parse_early_param()

    def _parse_early_param(self) -> None:
        for word in shlex.split(self.cmdline, posix=False):
            name, _, value = word.partition("=")
            match name.replace("-", "_"):
                case "loglevel" if value.isdigit() and 0 < int(value) <= 15:
                    self.log.console_loglevel = int(value)
                case "quiet":
                    self.log.console_loglevel = 4
                case "nomodule":
                    self.tunables.modules_disabled = 1
                case "module_blacklist":
                    self.module_blacklist.update(value.split(","))
                case "module.sig_enforce" if value[:1] not in ("0", "n", "N"):
                    self.sig_enforce = True

    @cached_property
    def percpu(self) -> ReservedPercpu:
        """Where modules' per-CPU variables go."""
        return ReservedPercpu(self.image.percpu_end, self.log)

    @cached_property
    def param_symbols(self) -> dict[int, str]:
        """The kernel's parameter operations by address."""
        return param_symbols(self.image)

    # Taints

    def test_taint(self, taint: Taint) -> bool:
        return bool(self.tainted >> taint & 1)

    def add_taint(self, taint: Taint, lockdep_ok: bool = True) -> None:
        """Note for good that *taint* has happened; lock debugging ends where it could be misled."""
        if not lockdep_ok and self._debug_locks:
            self._debug_locks = False
            self.log.pr_warn("Disabling lock debugging due to kernel taint")
        self.tainted |= 1 << taint

    def add_taint_module(self, mod: Module, taint: Taint, lockdep_ok: bool = True) -> None:
        """The same, by a module."""
        self.add_taint(taint, lockdep_ok)
        mod.taints |= 1 << taint

    # What users see

    def kallsyms_show_value(self, cred: Cred) -> bool:
        """Whether *cred* may see kernel addresses."""
        tunables = self.tunables
        if tunables.kptr_restrict == 0 and tunables.perf_event_paranoid <= 1:
            return True
        return tunables.kptr_restrict <= 1 and cred.capable(Capability.SYSLOG)

    def mod_sysfs_setup(self, mod: Module) -> None:
        """Show a module that is about to start.

        :raises OSError: EINVAL where something built in has the directory of that name
        """
        if mod.name in self.image.builtin_modules:
            self.log.pr_err(f"{mod.name}: module is already loaded")
            raise err(errno.EINVAL)
        if self.sysfs is not None:
            self.sysfs.mod_sysfs_setup(mod)

    def mod_sysfs_teardown(self, mod: Module) -> None:
        if self.sysfs is not None:
            self.sysfs.mod_sysfs_teardown(mod)

    # System calls

    def _may_change_modules(self, cred: Cred) -> None:
        if not cred.capable(Capability.SYS_MODULE) or self.tunables.modules_disabled:
            raise err(errno.EPERM)

    def init_module(self, image: bytes, params: bytes = b"", cred: Cred = INIT_CRED) -> None:
        """init_module(2): load the module whose file is *image*.

        :param params: the argument line
        :param cred: who asks
        :raises OSError: as the man page says
        """
        with self.lock:
            self._may_change_modules(cred)
            self._load_module(image, params, 0)

    def finit_module(self, fd: int, params: bytes = b"", flags: int = 0, cred: Cred = INIT_CRED) -> None:
        """finit_module(2): load the module from an open file.

        :param fd: a descriptor of this process
        :param flags: MODULE_INIT_IGNORE_MODVERSIONS, MODULE_INIT_IGNORE_VERMAGIC, MODULE_INIT_COMPRESSED_FILE
        :raises OSError: as the man page says
        """
        with self.lock:
            self._may_change_modules(cred)
        if flags & ~_FLAGS:
            raise err(errno.EINVAL)
        image = _kernel_read_file(fd)
        if flags & MODULE_INIT_COMPRESSED_FILE:
            raise err(errno.EOPNOTSUPP)  # CONFIG_MODULE_COMPRESS_NONE
        with self.lock:
            self._load_module(image, params, flags)

    def _load_module(self, image: bytes, params: bytes, flags: int) -> None:
        if len(params) > MODULE_ARGS_MAX:
            raise err(errno.EINVAL)
        if not image:
            raise err(errno.ENOEXEC)
        Loader(self, image, flags).load(params.split(b"\0", 1)[0])

    def delete_module(self, name: str, flags: int = 0, cred: Cred = INIT_CRED) -> None:
        """delete_module(2): stop a module and free it.

        :param flags: O_TRUNC takes it away even while it is used
        :raises OSError: as the man page says; ENOSYS without CONFIG_MODULE_UNLOAD
        """
        if "CONFIG_MODULE_UNLOAD" not in self.config:
            raise err(errno.ENOSYS)
        with self.lock:
            self._may_change_modules(cred)
            if not 0 < len(name) < MODULE_NAME_LEN:
                raise err(errno.ENOENT)
            mod = self.modules.find(name)
            if mod is None:
                raise err(errno.ENOENT)
            if mod.source_list:
                raise err(errno.EWOULDBLOCK)
            if mod.state is not ModuleState.LIVE:
                raise err(errno.EBUSY)
            if mod.permanent and not self._try_force_unload(flags):
                raise err(errno.EBUSY)
            if mod.refcnt == MODULE_REF_BASE:
                mod.refcnt = 0
            elif not self._try_force_unload(flags):
                raise err(errno.EWOULDBLOCK)
            mod.state = ModuleState.GOING
            if mod.exit:
                self.cpu.call(mod.exit)
            free_module(self, mod)

    def _try_force_unload(self, flags: int) -> bool:
        """Whether the caller insists, and the kernel lets it."""
        if "CONFIG_MODULE_FORCE_UNLOAD" not in self.config or not flags & os.O_TRUNC:
            return False
        self.add_taint(Taint.FORCED_RMMOD, lockdep_ok=False)
        return True


def _kernel_read_file(fd: int) -> bytes:
    """``kernel_read_file_from_fd()``.

    :raises OSError: EBADF for a descriptor that cannot be read, EINVAL for what is no regular file or is empty, EFBIG
    """
    try:
        status = os.fstat(fd)
    except OSError:
        raise err(errno.EBADF) from None
    if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
        raise err(errno.EINVAL)
    if status.st_size > MODULE_FILE_MAX:
        raise err(errno.EFBIG)
    chunks: list[bytes] = []
    offset = 0
    while offset < status.st_size and (chunk := os.pread(fd, status.st_size - offset, offset)):
        chunks.append(chunk)
        offset += len(chunk)
    if offset != status.st_size:
        raise err(errno.EIO)
    return b"".join(chunks)
