"""/proc, as far as modules and the kernel log are concerned (kernel/module/procfs.c, fs/proc/)."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from typing import Final

from sysfsd.fs.dynamic_debug import control
from sysfsd.fs.kernfs import Directory, File, FileSystemType, Node, OpenContext, OpenFile, SeqFile, Symlink, proc_order
from sysfsd.linux.block.genhd import Disks
from sysfsd.linux.drivers.input.input import Input
from sysfsd.linux.drivers.tty.tty_io import Ttys
from sysfsd.linux.err import err
from sysfsd.linux.fs.char_dev import DeviceNumbers
from sysfsd.linux.fs.proc.generic import ProcEntry, ProcFs, ProcSysctl, SysctlEntry, sysctl_call
from sysfsd.linux.fs.proc.inode import ProcFile
from sysfsd.linux.kernel.cred import Capability, Cred
from sysfsd.linux.kernel.module.module import Module, ModuleState
from sysfsd.linux.kernel.printk.syslog import SyslogAction, check_syslog_permissions
from sysfsd.linux.kernel.resource import Resources
from sysfsd.linux.kernel.sysctl import KERN_TABLE, CtlTable
from sysfsd.linux.system import Kernel

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
    root = Directory(
        {
            "cmdline": fixed(kernel.cmdline + "\n"),
            "dynamic_debug": Directory({"control": control(kernel)}, mode=0o555),
            "devices": SeqFile(lambda cred: locked(kernel.state(DeviceNumbers).devices)),
            "iomem": SeqFile(lambda cred: locked(lambda: resources(kernel, "iomem_resource", cred))),
            "ioports": SeqFile(lambda cred: locked(lambda: resources(kernel, "ioport_resource", cred))),
            "kallsyms": SeqFile(lambda cred: kallsyms(kernel, cred)),
            "kmsg": Kmsg(kernel),
            "diskstats": SeqFile(lambda cred: locked(kernel.state(Disks).proc_diskstats)),
            "misc": SeqFile(lambda cred: locked(kernel.state(DeviceNumbers).misc_devices)),
            "modules": SeqFile(lambda cred: modules(kernel, cred)),
            "partitions": SeqFile(lambda cred: locked(kernel.state(Disks).proc_partitions)),
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
    _Entries(kernel, root)
    input_ = root.children["bus"].children["input"]  # type: ignore[attr-defined]
    input_.add("devices", SeqFile(lambda cred: locked(kernel.state(Input).sysfs.proc_devices)))
    input_.add("handlers", SeqFile(lambda cred: locked(kernel.state(Input).sysfs.proc_handlers)))
    tty = root.children["tty"]
    assert isinstance(tty, Directory)
    tty.add("drivers", SeqFile(lambda cred: locked(kernel.state(Ttys).proc_drivers)))
    sys = root.children["sys"]
    assert isinstance(sys, Directory)
    _SysctlEntries(kernel, sys)
    return root


def resources(kernel: Kernel, root: str, cred: Cred) -> bytes:
    """Who has asked for which ports or memory of devices."""
    return kernel.state(Resources).listing(root, cred.capable(Capability.SYS_ADMIN))


class SysctlFile(File):
    """A file below /proc/sys that a module has made."""

    def __init__(self, kernel: Kernel, entry: SysctlEntry) -> None:
        super().__init__(entry.mode)
        self._kernel = kernel
        self._entry = entry

    def open(self, context: OpenContext) -> OpenFile:
        """:raises OSError: EACCES; the mode holds for root as well"""
        mode = self.mode >> 6 if context.cred.uid == 0 else self.mode
        if (context.writable and not mode & 2) or (context.readable and not mode & 4):
            raise err(errno.EACCES)
        return _OpenSysctlFile(self._kernel, self._entry)


class _OpenSysctlFile:
    def __init__(self, kernel: Kernel, entry: SysctlEntry) -> None:
        self._kernel = kernel
        self._entry = entry

    def read(self, size: int, offset: int) -> bytes:
        with self._kernel.lock:
            return sysctl_call(self._kernel, self._entry, False, size, offset)

    def write(self, data: bytes, offset: int) -> int:
        with self._kernel.lock:
            return len(sysctl_call(self._kernel, self._entry, True, len(data), offset, data))

    def release(self) -> None:
        pass


class _SysctlEntries:
    """Shows what modules make below /proc/sys; directories are there as long as something is in them."""

    def __init__(self, kernel: Kernel, sys: Directory) -> None:
        self._kernel = kernel
        self._sys = sys
        self._made: set[Directory] = set()
        state = kernel.state(ProcSysctl)
        for entry in state.files.values():
            self.added(entry)
        state.observer = self

    def _above(self, entry: SysctlEntry) -> tuple[list[Directory], str]:
        """The directories that lead to an entry, as far as there are, and its name."""
        *above, name = entry.path.split("/")
        directories = [self._sys]
        for part in above:
            following = directories[-1].children.get(part)
            if not isinstance(following, Directory):
                break
            directories.append(following)
        return directories, name

    def added(self, entry: SysctlEntry) -> None:
        directories, name = self._above(entry)
        directory = directories[-1]
        for part in entry.path.split("/")[len(directories) - 1 : -1]:
            if part in directory.children:
                return
            made = Directory(mode=0o555, nlink=1)
            directory.add(part, made)
            self._made.add(made)
            directory = made
        if name not in directory.children:
            directory.add(name, SysctlFile(self._kernel, entry))

    def removed(self, entry: SysctlEntry) -> None:
        directories, name = self._above(entry)
        if isinstance(directories[-1].children.get(name), SysctlFile):
            directories[-1].remove(name)
        for above, directory in zip(directories[-2::-1], directories[:0:-1], strict=True):
            if directory.children or directory not in self._made:
                break
            self._made.discard(directory)
            above.remove(directory.name)


class Kmsg(File):
    """The log, for whoever reads it first (fs/proc/kmsg.c)."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(0o400)
        self._kernel = kernel

    def open(self, context: OpenContext) -> OpenFile:
        """:raises OSError: EPERM"""
        check_syslog_permissions(self._kernel, SyslogAction.OPEN, context.cred)
        return _OpenKmsg(self._kernel, context)


class _OpenKmsg:
    def __init__(self, kernel: Kernel, context: OpenContext) -> None:
        self._syslog = kernel.syslog_reader
        self._context = context

    def read(self, size: int, offset: int) -> bytes:
        """What nobody has read.

        :raises OSError: EAGAIN where there is nothing and the caller will not wait, EINTR
        """
        if self._context.flags & os.O_NONBLOCK and not self._syslog.size_unread():
            raise err(errno.EAGAIN)
        return self._syslog.read(size, self._context.interrupted)

    def poll(self, wake: Callable[[], None] | None) -> int:
        return self._syslog.poll(self, wake)

    def write(self, data: bytes, offset: int) -> int:
        raise err(errno.EIO)

    def release(self) -> None:
        self._syslog.poll(self, None)


class EntryFile(File):
    """A file that a module has made."""

    def __init__(self, kernel: Kernel, entry: ProcEntry) -> None:
        super().__init__(stat.S_IMODE(entry.mode))
        self._kernel = kernel
        self._entry = entry
        self.length = 0

    @property
    def size(self) -> int:
        return self.length

    def open(self, context: OpenContext) -> OpenFile:
        """:raises OSError: ENOENT where it is gone, and what the module says"""
        with self._kernel.lock:
            if self._entry.gone:
                raise err(errno.ENOENT)
            return ProcFile(self._kernel, self._entry, context.flags).open_entry()


class _EntryLink(Symlink):
    """A link that a module has made."""

    @property
    def size(self) -> int:
        return len(self.target)


class _Entries:
    """Shows what modules make below /proc, and follows them."""

    def __init__(self, kernel: Kernel, root: Directory) -> None:
        self._kernel = kernel
        fs = kernel.state(ProcFs)
        self._nodes: dict[ProcEntry, Node] = {fs.root: root}
        for entry in fs.root.children.values():
            if entry.name not in root.children and (entry.name != "net" or entry.address):
                root.add(entry.name, self._node(entry))
        fs.observer = self

    def _node(self, entry: ProcEntry) -> Node:
        node: Node
        match stat.S_IFMT(entry.mode):
            case stat.S_IFDIR:
                node = Directory(
                    {child.name: self._node(child) for child in entry.children.values()}, stat.S_IMODE(entry.mode)
                )
            case stat.S_IFLNK:
                node = _EntryLink(entry.target.decode("latin-1"))
            case _:
                node = EntryFile(self._kernel, entry)
        self._nodes[entry] = node
        self._own(entry, node)
        return node

    def _own(self, entry: ProcEntry, node: Node) -> None:
        """Whose it is (unless a module says otherwise, that of the kernel's root), and its size."""
        node.uid, node.gid = entry.uid or None, entry.gid or None
        if isinstance(node, EntryFile):
            node.length = entry.size

    # The kernel says

    def added(self, entry: ProcEntry) -> None:
        assert entry.parent is not None
        if entry.parent not in self._nodes:
            self.added(entry.parent)
            return
        parent = self._nodes[entry.parent]
        if isinstance(parent, Directory):  # a file may be one as well, below which nobody looks
            parent.add(entry.name, self._node(entry))

    def removed(self, entry: ProcEntry, parent: ProcEntry) -> None:
        directory = self._nodes.get(parent)
        if isinstance(directory, Directory) and directory.children.get(entry.name) is self._nodes.get(entry):
            directory.remove(entry.name)
        self._forget(entry)

    def _forget(self, entry: ProcEntry) -> None:
        self._nodes.pop(entry, None)
        for child in entry.children.values():
            self._forget(child)

    def changed(self, entry: ProcEntry) -> None:
        """Who has looked at an entry keeps what it was then (``proc_get_inode()``)."""
        node = self._nodes.get(entry)
        if node is not None and not node.ino:
            self._own(entry, node)


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
