"""/proc, as far as modules and the kernel log are concerned (kernel/module/procfs.c, fs/proc/)."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Final

from sysfsd.fs.kernfs import Directory, File, FileSystemType, OpenContext, OpenFile, SeqFile, proc_order
from sysfsd.kernel.char_dev import DeviceNumbers
from sysfsd.kernel.cred import Cred
from sysfsd.kernel.err import err
from sysfsd.kernel.kernel import Kernel
from sysfsd.kernel.module import Module, ModuleState
from sysfsd.kernel.sysctl import KERN_TABLE, CtlTable

__all__ = ["proc"]

#: The file system that /proc is, and the part of it that is /proc/sys.
PROC: Final = FileSystemType(create=errno.ENOENT, make=errno.ENOENT, blksize=1024, order=proc_order)
PROC_SYS: Final = FileSystemType(
    create=errno.ENOENT, make=errno.ENOENT, remove=errno.EACCES, setattr=errno.EPERM, blksize=1024
)

_STATES: Final = {ModuleState.GOING: "Unloading", ModuleState.COMING: "Loading"}


def proc(kernel: Kernel) -> Directory:
    """The directory /proc."""

    def fixed(text: str) -> SeqFile:
        return SeqFile(lambda cred: lambda: text.encode("latin-1"))

    def locked(show: Callable[[], bytes]) -> Callable[[], bytes]:
        def show_locked() -> bytes:
            with kernel.lock:
                return show()

        return show_locked

    boot = kernel.image.proc
    return Directory(
        {
            "cmdline": fixed(kernel.cmdline + "\n"),
            "devices": SeqFile(lambda cred: locked(kernel.state(DeviceNumbers).devices)),
            "kallsyms": SeqFile(lambda cred: kallsyms(kernel, cred)),
            "misc": SeqFile(lambda cred: locked(kernel.state(DeviceNumbers).misc_devices)),
            "modules": SeqFile(lambda cred: modules(kernel, cred)),
            "sys": Directory(
                {
                    "kernel": Directory(
                        {entry.procname: Sysctl(kernel, entry) for entry in KERN_TABLE},
                        mode=0o555,
                        nlink=1,
                    )
                },
                mode=0o555,
                fstype=PROC_SYS,
                nlink=1,
            ),
            "version": fixed(boot["version"]),
        },
        mode=0o555,
        fstype=PROC,
    )


def modules(kernel: Kernel, cred: Cred) -> Callable[[], bytes]:
    """/proc/modules: one line a module, the newest first."""
    show_value = kernel.kallsyms_show_value(cred)

    def show() -> bytes:
        with kernel.lock:
            return "".join(_module_line(kernel, mod, show_value) for mod in kernel.modules).encode("latin-1")

    return show


def _module_line(kernel: Kernel, mod: Module, show_value: bool) -> str:
    """``m_show()``: name, size, references, who uses it, state, address, taints."""
    size = mod.init_layout.size + mod.core_layout.size
    state = _STATES.get(mod.state, "Live")
    address = mod.core_layout.base if show_value else 0
    flags = f" {mod.flags()}" if mod.taints else ""
    return f"{mod.name} {size}{_unload_info(kernel, mod)} {state} 0x{address:016x}{flags}\n"


def _unload_info(kernel: Kernel, mod: Module) -> str:
    if "CONFIG_MODULE_UNLOAD" not in kernel.config:
        return " - -"
    users = "".join(f"{user.name}," for user in mod.source_list) + ("[permanent]," if mod.permanent else "")
    return f" {mod.refcount} {users or '-'}"


def kallsyms(kernel: Kernel, cred: Cred) -> Callable[[], bytes]:
    """/proc/kallsyms: the kernel's symbols, then each module's."""
    show_value = kernel.kallsyms_show_value(cred)

    def show() -> bytes:
        with kernel.lock:
            lines = [kernel.kallsyms.kernel_lines(show_value)]
            lines += [kernel.kallsyms.module_lines(mod, show_value) for mod in kernel.modules]
        return b"".join(lines)

    return show


class Sysctl(File):
    """A file below /proc/sys."""

    def __init__(self, kernel: Kernel, entry: CtlTable) -> None:
        super().__init__(entry.mode)
        self._kernel = kernel
        self._entry = entry

    def open(self, context: OpenContext) -> OpenFile:
        """:raises OSError: EACCES; the mode holds for root as well"""
        if context.writable and not self.mode & 0o222:
            raise err(errno.EACCES)
        return _OpenSysctl(self._kernel, self._entry, context)


class _OpenSysctl:
    def __init__(self, kernel: Kernel, entry: CtlTable, context: OpenContext) -> None:
        self._kernel = kernel
        self._handler = entry.handler
        self._context = context

    def read(self, size: int, offset: int) -> bytes:
        with self._kernel.lock:
            return self._handler.read(self._kernel, size, offset)

    def write(self, data: bytes, offset: int) -> int:
        with self._kernel.lock:
            self._handler.write(self._kernel, self._context.current, data, offset)
        return len(data)

    def release(self) -> None:
        pass
