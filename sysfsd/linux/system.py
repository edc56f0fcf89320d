"""One kernel: everything that makes it up, and its system calls.

Locking: there is one kernel lock, ``Kernel.lock``. Whoever changes the kernel's state, or reads more than one piece of
it that must agree, holds it. What sleeps (waiting for another module's init, for a log record) gives it up. The list of
modules and the tree of files may be looked at without it: their steps are single operations on Python objects.
"""

from __future__ import annotations

import errno
import os
import re
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from sysfsd.image.image import KernelImage
from sysfsd.linux.arch.x86.traps import Traps
from sysfsd.linux.arch.x86.unwind import Unwinder
from sysfsd.linux.err import err
from sysfsd.linux.kernel.cred import Capability, Cred
from sysfsd.linux.kernel.fork import Processes
from sysfsd.linux.kernel.kallsyms import Kallsyms
from sysfsd.linux.kernel.kthread import Kthreads
from sysfsd.linux.kernel.module import syscalls
from sysfsd.linux.kernel.module.module import Module, ModuleList
from sysfsd.linux.kernel.panic import Taint
from sysfsd.linux.kernel.params import param_symbols
from sysfsd.linux.kernel.printk.printk import PrintkLog
from sysfsd.linux.kernel.printk.syslog import CopyToUser, Syslog
from sysfsd.linux.kernel.sched.core import KernelLock, Scheduler, Task
from sysfsd.linux.kernel.softirq import Softirq
from sysfsd.linux.kernel.sysctl import Tunables
from sysfsd.linux.kernel.workqueue import Workqueues
from sysfsd.linux.lib.cmdline import next_arg, skip_spaces
from sysfsd.linux.lib.kobject import Kobjects
from sysfsd.linux.lib.kstrtox import INT_TYPES, kstrto, kstrtobool
from sysfsd.linux.mm.kfence import Kfence
from sysfsd.linux.mm.memory import Memory
from sysfsd.linux.mm.percpu import Percpu
from sysfsd.linux.mm.slab import SlabAllocator
from sysfsd.linux.struct_view import StructView

if TYPE_CHECKING:
    from sysfsd.linux.arch.x86.cpu import Cpu
    from sysfsd.linux.exports import Exports

__all__ = ["Kernel", "ModuleSysfs"]

T = TypeVar("T")

#: ``struct new_utsname``.
_NEW_UTSNAME: Final = struct.Struct("65s" * 6)
#: Of personality(2): ``PER_MASK``, ``PER_LINUX32``, ``UNAME26``.
_PER_MASK: Final = 0xFF
_PER_LINUX32: Final = 0x08
_UNAME26: Final = 0x0020000


class ModuleSysfs(Protocol):
    """What shows modules to users: /sys/module."""

    def mod_sysfs_setup(self, mod: Module) -> None:
        """Show *mod*, and that it uses others."""

    def mod_sysfs_teardown(self, mod: Module) -> None:
        """Show neither any more."""

    def module_add_driver(self, mod: Module, link: str, path: str) -> None:
        """Show that *mod* has a driver, called *link*, which is at *path* of /sys."""

    def module_remove_driver(self, mod: Module, link: str) -> None:
        """Do not show it any more."""


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
        self.lock = KernelLock()
        self.log: PrintkLog = PrintkLog()
        self.memory = Memory()
        self.modules = ModuleList(self.image, self.memory, self.condition())
        self.kallsyms = Kallsyms(self.image, self.memory, self.modules.address)
        self.traps = Traps(self)
        self.unwinder = Unwinder(self)
        self.slab = SlabAllocator(self)
        self.sched = Scheduler(self)
        #: Told the name of each function of the kernel that module code calls, when it first does.
        self.first_called: Callable[[str], None] | None = None
        #: Told what of the model has failed by a mistake of its own, and how.
        self.model_failed: Callable[[str, Exception], None] | None = None
        #: Readers in critical sections of sleepable RCU, by the address of its structure.
        self.srcu_readers: dict[int, int] = {}
        #: Runs a program for the kernel, and waits for its end if the second argument says so; here is none.
        self.usermodehelper: Callable[[list[str], bool], int] = lambda argv, wait: -errno.ENOENT
        #: Sends a signal to a process of the host, with its ``siginfo_t`` if there is one; here are none.
        self.send_signal: Callable[[int, int, bytes], None] = _no_process
        #: What modules called for in vain, and how often.
        self.unmodelled: dict[str, int] = {}
        self.tunables: Tunables = Tunables()
        self.tainted = 0
        self.sig_enforce = "CONFIG_MODULE_SIG_FORCE" in self.config
        self.module_blacklist: set[str] = set()
        #: Strings that parameters of type charp have allocated.
        self.kmalloced_params: set[int] = set()
        self.sysfs: ModuleSysfs | None = None
        #: What has been read of the log, by syslog(2) and /proc/kmsg.
        self.syslog_reader = Syslog(self)
        self._states: dict[Callable[[Kernel], Any], Any] = {}
        self.debug_locks = True
        self.cmdline = self.image.proc["cmdline"].strip() if cmdline is None else cmdline
        self._parse_cmdline()

    def start_kernel(self) -> None:
        """``start_kernel()``: what a log begins with (init/main.c, arch/x86/kernel/setup.c)."""
        clock, self.log.clock = self.log.clock, lambda: 0
        self.log.pr_notice(self.image.proc["version"].rstrip("\n"))
        self.log.pr_info(f"Command line: {self.cmdline}")
        self.log.clock = clock

    def _parse_cmdline(self) -> None:
        """What of the command line concerns modules and the log; a bad value is passed over, as at boot."""
        args = skip_spaces(self.cmdline.encode("latin-1", "replace"))
        at = 0
        while at < len(args):
            name, value, at = next_arg(args, at)
            if name == b"--" and value is None:
                break
            with suppress(OSError):
                self._core_param(name.replace(b"-", b"_").decode("latin-1"), value)

    def _core_param(self, name: str, value: bytes | None) -> None:
        match name:
            case "quiet":
                self.log.console_loglevel = 4
            case "loglevel" if value is not None:
                level = kstrto(INT_TYPES["int"], value)
                self.log.console_loglevel = level or self.log.console_loglevel
            case "nomodule":
                self.tunables.modules_disabled = int(value is None or kstrtobool(value))
            case "module_blacklist" if value is not None:
                self.module_blacklist = set(value.decode("latin-1").split(","))
            case "module.sig_enforce":
                self.sig_enforce |= value is None or kstrtobool(value)

    def condition(self) -> threading.Condition:
        """Something to wait for with the kernel lock given up."""
        return threading.Condition(self.lock)  # type: ignore[arg-type]

    # What is not needed before the first module runs is made then

    @cached_property
    def percpu(self) -> Percpu:
        """Per-CPU variables, the kernel's own and modules'."""
        return Percpu(self)

    @cached_property
    def kfence(self) -> Kfence:
        """Where memory errors are found."""
        return Kfence(self)

    @cached_property
    def exports(self) -> Exports:
        """The functions and variables that modules import."""
        from sysfsd.linux.exports import Exports  # takes longer than all the rest, and not every kernel needs it

        return Exports(self)

    @cached_property
    def cpu(self) -> Cpu:
        """The processor."""
        from sysfsd.linux.arch.x86.cpu import Cpu

        cpu = self.__dict__["cpu"] = Cpu(self)
        self.exports.boot()
        return cpu

    @cached_property
    def softirq(self) -> Softirq:
        """Timers, tasklets."""
        return Softirq(self)

    @cached_property
    def kthreads(self) -> Kthreads:
        """Kernel threads."""
        return Kthreads(self)

    @cached_property
    def workqueues(self) -> Workqueues:
        """Work queues."""
        return Workqueues(self)

    def stop(self) -> None:
        """The kernel is no more: what it does by itself ends."""
        with self.lock:
            self.sched.stop()
            for part in ("softirq", "workqueues"):
                if part in self.__dict__:
                    self.__dict__[part].stop()

    @property
    def current(self) -> Task:
        """``current``."""
        return self.sched.current

    def current_cred(self) -> Cred:
        """``current_cred()``."""
        return self.current.cred

    def struct(self, name: str, address: int) -> StructView:
        """The structure *name* at *address*."""
        return StructView(self.memory, self.image.structs[name], address)

    def state(self, kind: Callable[[Kernel], T]) -> T:
        """What one area of the kernel knows, made when it is first asked for."""
        found = self._states.get(kind)
        if found is None:
            found = self._states[kind] = kind(self)
        return found

    def random_bytes(self, count: int) -> bytes:
        """``get_random_bytes()``."""
        return os.urandom(count)

    @cached_property
    def param_symbols(self) -> dict[int, str]:
        """The kernel's parameter operations by address."""
        return param_symbols(self.image)

    # Taints

    def test_taint(self, taint: Taint) -> bool:
        return bool(self.tainted >> taint & 1)

    def add_taint(self, taint: Taint, lockdep_ok: bool = True) -> None:
        """Note for good that *taint* has happened; lock debugging ends where it could be misled."""
        if not lockdep_ok and self.debug_locks:
            self.debug_locks = False
            self.log.pr_warn("Disabling lock debugging due to kernel taint")
        self.tainted |= 1 << taint

    def report_failure(self, what: str, error: Exception) -> None:
        """The model has made a mistake: whatever *error* is, no module is to blame for it."""
        self.log.pr_err(f"sysfsd: {what} failed: {type(error).__name__}: {error}")
        if self.model_failed is not None:
            self.model_failed(what, error)

    def warn(self, message: str) -> None:
        """``WARN()``: something happened that should not have."""
        self.log.pr_warn("------------[ cut here ]------------")
        self.log.pr_warn(message)
        self.log.pr_warn("---[ end trace 0000000000000000 ]---")
        self.add_taint(Taint.WARN)

    def request_module(self, name: str, wait: bool) -> int:
        """``__request_module()``: have the user's modprobe load *name*.

        :param wait: until it has ended
        :returns: its wait status, or an errno where it could not be started
        """
        return self.call_usermodehelper([self.tunables.modprobe, "-q", "--", name], wait)

    def look_at_processes(self, task: Task) -> None:
        """Module code that walks from process to process is about to run."""
        self.state(Processes).look(task)

    def call_usermodehelper(self, argv: list[str], wait: bool) -> int:
        """``call_usermodehelper()``: run a program outside, with the kernel lock given up.

        :param wait: until it has ended, not only begun
        :returns: its wait status, 0, or a negative errno where it could not be started
        """
        if not argv[0]:
            return -errno.ENOENT
        with self.lock.released():
            return self.usermodehelper(argv, wait)

    def add_taint_module(self, mod: Module, taint: Taint, lockdep_ok: bool = True) -> None:
        """The same, by a module."""
        self.add_taint(taint, lockdep_ok)
        mod.taints |= 1 << taint

    def modules_changed(self) -> None:
        """Code has come or gone: nobody may go by what was there."""
        self.modules.layout_changed()
        self.unwinder.code_changed()
        if "cpu" in self.__dict__:
            self.cpu.code_changed()

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
        if not mod.name:
            raise err(errno.EINVAL)
        if mod.name in self.image.builtin_modules:
            self.log.pr_err(f"{mod.name}: module is already loaded")
            raise err(errno.EINVAL)
        kobjects = self.state(Kobjects)
        kobjects.module_add(mod)
        if self.sysfs is not None:
            try:
                self.sysfs.mod_sysfs_setup(mod)
            except OSError:
                kobjects.module_remove(mod)
                raise

    def mod_sysfs_teardown(self, mod: Module) -> None:
        if self.sysfs is not None:
            self.sysfs.mod_sysfs_teardown(mod)
        self.state(Kobjects).module_remove(mod)

    # System calls

    init_module = syscalls.init_module
    finit_module = syscalls.finit_module
    delete_module = syscalls.delete_module

    def syslog(
        self,
        action: int,
        buf: int,
        size: int,
        cred: Cred,
        copy_to_user: CopyToUser,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> int:
        """syslog(2): read the log as text, or say what the console shows. Not to be called with the kernel lock held.

        :param action: a :class:`~sysfsd.linux.kernel.printk.syslog.SyslogAction`
        :param buf: the address where the caller wants the text
        :param size: of the buffer (bytes); the level, where *action* sets it
        :param cred: who asks
        :param copy_to_user: writes bytes at an address of the caller's memory
        :param interrupted: whether a caller that waits for a record should give up
        :returns: what the man page says
        :raises OSError: EPERM, EINVAL, EFAULT, EINTR
        """
        return self.syslog_reader.do_syslog(action, buf, size, cred, copy_to_user, interrupted)

    def newuname(self, personality: int = 0) -> bytes:
        """uname(2): ``struct new_utsname``.

        :param personality: the caller's; see personality(2)
        """
        ostype, release, version = (
            self.image.proc[f"sys/kernel/{name}"] for name in ("ostype", "osrelease", "version")
        )
        if personality & _UNAME26:
            release = re.sub(r"^\d+\.(\d+)[.\d]*", lambda old: f"2.6.{int(old[1]) + 60}", release)
        machine = "i686" if personality & _PER_MASK == _PER_LINUX32 else "x86_64"
        fields = (ostype, self.tunables.hostname, release, version, machine, self.tunables.domainname)
        return _NEW_UTSNAME.pack(*(field.rstrip("\n").encode("latin-1") for field in fields))


def _no_process(pid: int, sig: int, info: bytes) -> None:
    """:raises OSError: ESRCH"""
    raise err(errno.ESRCH)
