"""The entries of /proc that modules make (fs/proc/generic.c), and of /proc/sys (fs/proc/proc_sysctl.c).

Whoever shows /proc walks the tree from :attr:`ProcFs.root` and the tables of :class:`ProcSysctl`.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from sysfsd.linux.err import err
from sysfsd.linux.fs.users import Users
from sysfsd.linux.fs.vfs import Inode
from sysfsd.linux.kernel.sysctl import KERN_TABLE

if TYPE_CHECKING:
    from sysfsd.linux.fs.proc.inode import ProcFile
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = [
    "ProcEntry",
    "ProcFs",
    "ProcObserver",
    "ProcSysctl",
    "SysctlEntry",
    "SysctlObserver",
    "SysctlTable",
    "sysctl_call",
]

_S_IFMT: Final = 0o170000
_S_IFDIR: Final = 0o040000
_S_IFREG: Final = 0o100000
_S_IFLNK: Final = 0o120000
#: Directories that the kernel proper has made, and what else it has in the topmost.
_BUILTIN_DIRECTORIES: Final = (
    "acpi", "bus", "bus/input", "bus/pci", "driver", "fs", "fs/nfsd", "irq", "pressure", "sys", "sysvipc", "tty",
    "tty/driver", "tty/ldisc",
)  # fmt: skip
_BUILTIN: Final = frozenset((
    "bootconfig", "buddyinfo", "cgroups", "cmdline", "consoles", "cpuinfo", "crypto", "devices", "diskstats", "dma",
    "dynamic_debug", "execdomains", "fb", "filesystems", "interrupts", "iomem", "ioports", "kallsyms", "kcore",
    "key-users", "keys", "kmsg", "kpagecgroup", "kpagecount", "kpageflags", "latency_stats", "loadavg", "locks",
    "meminfo", "misc", "modules", "mounts", "mtrr", "pagetypeinfo", "partitions", "sched_debug", "schedstat", "self",
    "slabinfo", "softirqs", "stat", "swaps", "sysrq-trigger", "thread-self", "timer_list", "uptime", "version",
    "vmallocinfo", "vmstat", "zoneinfo",
))  # fmt: skip
#: From where in fs/proc/generic.c warnings come, by line.
_WARNINGS: Final = {
    175: "__xlate_proc_name+0x86",
    400: "proc_register+0x19f",
    429: "__proc_create+0x22e",
    433: "__proc_create+0x25d",
    437: "__proc_create+0xbe",
    441: "__proc_create+0x248",
    734: "remove_proc_entry+0x140",
    740: "remove_proc_entry+0x19f",
}
#: The room for an entry and its name (``SIZEOF_PDE``).
_SIZEOF_PDE: Final = 192
#: More entries than a directory or a table has.
_MANY: Final = 1 << 16
#: Handlers of /proc/sys that know no vectors, and their bytes.
_ONE: Final = {"proc_douintvec": 4, "proc_douintvec_minmax": 4, "proc_dou8vec_minmax": 1}
#: Names that processes have.
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,8}")


class ProcEntry:
    """``struct proc_dir_entry``, which lies at *address* (0: the kernel's own, which nobody has asked for)."""

    def __init__(self, fs: ProcFs, name: str, mode: int, parent: ProcEntry | None) -> None:
        self._fs = fs
        self.name = name
        self.mode = mode
        self.parent = parent
        self.address = 0
        self.children: dict[str, ProcEntry] = {}
        #: Where a link leads.
        self.target = b""
        self.size = self.uid = self.gid = 0
        #: The address of its ``struct proc_ops``; whether it is read by an iterator, and has positions.
        self.operations = 0
        self.read_iter = self.seekable = False
        self.gone = False
        self.openers: list[ProcFile] = []
        self.users = Users(fs.kernel)
        self._inode: Inode | None = None

    @property
    def path(self) -> str:
        """From /proc."""
        return self.name if self.parent is None or self.parent.parent is None else f"{self.parent.path}/{self.name}"

    @property
    def view(self) -> StructView:
        return self._fs.kernel.struct("proc_dir_entry", self.address)

    def get_inode(self) -> Inode:
        """``proc_get_inode()``."""
        inode = self._inode
        if inode is None:
            data = self.view["data"] if self.address else 0
            name = self.name.removeprefix("/")
            inode = Inode(self._fs.kernel, name, self.mode, 0, self.uid, self.gid, self.size, 0, data)
            if self.parent is not None:
                inode.dentry["d_parent"] = self.parent.get_inode().dentry.address
            self._fs.inodes[inode.address], self._inode = self, inode
        return inode

    def put_inode(self) -> None:
        """The entry is gone; what is open stays so."""
        inode, self._inode = self._inode, None
        if inode is not None:
            self._fs.inodes.pop(inode.address, None)
            inode.put()


class ProcObserver(Protocol):
    """What shows the entries to users."""

    def added(self, entry: ProcEntry) -> None: ...

    def removed(self, entry: ProcEntry, parent: ProcEntry) -> None:
        """*entry*, with all below it, is no more where it was."""

    def changed(self, entry: ProcEntry) -> None:
        """Its size or its owner."""


class ProcFs:
    """The entries of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.observer: ProcObserver | None = None
        self.root = ProcEntry(self, "/proc", _S_IFDIR | 0o555, None)
        self._by_address: dict[int, ProcEntry] = {}
        #: Entries by the addresses of their inodes.
        self.inodes: dict[int, ProcEntry] = {}
        #: Operations of the kernel's own, by what they are called.
        self._own_ops: dict[str, int] = {}
        for path in (*_BUILTIN_DIRECTORIES, "net", "net/stat"):
            *above, name = path.split("/")
            parent = self.root
            for part in above:
                parent = parent.children[part]
            parent.children[name] = ProcEntry(self, name, _S_IFDIR | 0o555, parent)

    @property
    def net(self) -> ProcEntry:
        """/proc/net: of the one network namespace that there is."""
        return self._with_address(self.root.children["net"])

    @property
    def net_stat(self) -> ProcEntry:
        return self._with_address(self.root.children["net"].children["stat"])

    def _with_address(self, entry: ProcEntry) -> ProcEntry:
        if not entry.address:
            self._allocate(entry)
        return entry

    def entry(self, address: int) -> ProcEntry | None:
        """The entry at *address*; NULL is the root."""
        return self._by_address.get(address) if address else self.root

    def own_ops(self, name: str, functions: dict[str, int]) -> int:
        """The address of a ``struct proc_ops`` of the kernel's own.

        :param functions: the addresses of its functions, by member
        """
        found = self._own_ops.get(name)
        if found is None:
            ops = self.kernel.struct("proc_ops", self.kernel.slab.kmalloc(self.kernel.image.structs["proc_ops"].size))
            for member, function in functions.items():
                ops[member] = function
            found = self._own_ops[name] = ops.address
        return found

    def _warn(self, message: str, line: int) -> None:
        self.kernel.traps.warn_at("fs/proc/generic.c", line, message, _WARNINGS[line])

    def _find_parent(self, name: str, parent: int) -> tuple[ProcEntry, str] | None:
        """``xlate_proc_name()``: walk the directories that a name begins with."""
        found = self.entry(parent)
        if found is None:
            self.kernel.memory.read(parent, _SIZEOF_PDE)  # faults where real code would
            return None
        *above, last = name.split("/")
        for part in above:
            following = found.children.get(part)
            if following is None:
                self._warn(f"name '{name}'", 175)
                return None
            found = following
        return found, last

    def _wrong_name(self, above: ProcEntry, name: str) -> bool:
        """``__proc_create()``: what cannot be a name."""
        if not name or len(name) >= 256:
            self._warn(f"name len {len(name)}", 429)
        elif name in (".", ".."):
            self._warn(f"name '{name}'", 433 if name == "." else 437)
        elif above is self.root and _NUMBER.fullmatch(name):
            self._warn(f"create '/proc/{name}' by hand", 441)
        else:
            return False
        return True

    def prepare(self, name: bytes, mode: int, parent: int, data: int = 0) -> ProcEntry | None:
        """``proc_create_reg()`` and its likes: a new entry that is not there yet, None where that cannot be."""
        text = name.decode("latin-1")
        found = self._find_parent(text, parent)
        if found is None:
            return None
        above, last = found
        if self._wrong_name(above, last):
            return None
        if not mode & _S_IFMT:
            mode |= _S_IFREG
        if not mode & 0o7777:
            mode |= 0o555 if mode & _S_IFMT == _S_IFDIR else 0o444
        entry = ProcEntry(self, last, mode, above)
        try:
            self._allocate(entry)
        except OSError:
            return None
        entry.view["data"] = data
        return entry

    def _allocate(self, entry: ProcEntry) -> None:
        kernel = self.kernel
        name = entry.name.encode("latin-1")
        size = kernel.image.structs["proc_dir_entry"].size
        entry.address = kernel.slab.kmalloc(max(_SIZEOF_PDE, size + len(name) + 1))
        kernel.memory.write(entry.address + size, name + b"\0")
        view = entry.view
        view["name"], view["namelen"], view["mode"] = entry.address + size, len(name), entry.mode
        view["nlink"], view["refcnt.refs.counter"] = 1, 1
        assert entry.parent is not None
        view["parent"] = entry.parent.address
        self._by_address[entry.address] = entry

    def register(self, entry: ProcEntry) -> int:
        """``proc_register()``: put it where it belongs.

        :returns: its address, 0 where there is one of that name
        """
        if entry.operations:
            ops = self.kernel.struct("proc_ops", entry.operations)
            entry.read_iter, entry.seekable = bool(ops["proc_read_iter"]), bool(ops["proc_lseek"])
        parent = entry.parent
        assert parent is not None
        if entry.name in parent.children or (parent is self.root and entry.name in _BUILTIN):
            self._warn(f"proc_dir_entry '{parent.name}/{entry.name}' already registered", 400)
        elif len(parent.children) < _MANY:
            parent.children[entry.name] = entry
            if self.observer is not None:
                self.observer.added(entry)
            return entry.address
        self._free(entry)
        return 0

    def _free(self, entry: ProcEntry) -> None:
        if self._by_address.pop(entry.address, None) is not None:
            if entry.mode & _S_IFMT == _S_IFLNK:
                self.kernel.slab.kfree(entry.view["data"])
            self.kernel.slab.kfree(entry.address)

    def changed(self, entry: ProcEntry) -> None:
        if self.observer is not None:
            self.observer.changed(entry)

    # Taking away

    def _erase(self, entry: ProcEntry) -> None:
        """``pde_erase()``: nobody finds it any more."""
        parent = entry.parent
        if parent is not None and parent.children.get(entry.name) is entry:
            del parent.children[entry.name]
            if self.observer is not None:
                self.observer.removed(entry, parent)

    def _rundown(self, entry: ProcEntry) -> None:
        """``proc_entry_rundown()``: wait for who is in it, then close what is open."""
        entry.gone = True
        entry.users.drain()
        while entry.openers:
            entry.openers[0].close()
        entry.put_inode()

    def remove(self, entry: ProcEntry) -> None:
        """``proc_remove()``: take an entry away, with all below it."""
        if entry.parent is None:
            return
        self._erase(entry)
        order = [entry]
        for gone in order:
            children, gone.children = gone.children, {}
            order.extend(children.values())
        for gone in reversed(order):
            self._rundown(gone)
            self._free(gone)

    def remove_by_name(self, name: bytes, parent: int, subtree: bool) -> None:
        """``remove_proc_entry()``, ``remove_proc_subtree()``.

        :raises OSError: ENOENT
        """
        text = name.decode("latin-1")
        found = self._find_parent(text, parent)
        if found is None:
            raise err(errno.ENOENT)
        above, last = found
        entry = above.children.get(last)
        if entry is None:
            if not subtree:
                self._warn(f"name '{text}'", 734)
            raise err(errno.ENOENT)
        if not entry.children or subtree:
            self.remove(entry)
            return
        self._erase(entry)
        self._rundown(entry)
        first = min(entry.children, key=lambda child: (len(child), child))
        self._warn(
            f"remove_proc_entry: removing non-empty directory '{above.name}/{last}', leaking at least '{first}'", 740
        )


@dataclass(eq=False)
class SysctlEntry:
    """``struct ctl_table``: the file at *path* below /proc/sys, described at *table*."""

    path: str
    table: int
    mode: int
    gone: bool = False


class SysctlObserver(Protocol):
    """What shows them to users."""

    def added(self, entry: SysctlEntry) -> None: ...

    def removed(self, entry: SysctlEntry) -> None: ...


def sysctl_call(kernel: Kernel, entry: SysctlEntry, write: bool, size: int, offset: int, data: bytes = b"") -> bytes:
    """``proc_sys_call_handler()``: have an entry's handler read or write at most *size* bytes.

    :returns: what was read; of what was written, so much as counts
    :raises OSError: ENOENT where the entry is gone, ENOMEM, and what the handler says
    """
    if entry.gone:
        raise err(errno.ENOENT)
    slab, memory = kernel.slab, kernel.memory
    handler = kernel.struct("ctl_table", entry.table)["proc_handler"]
    buffer, places = slab.kmalloc(size + 1), slab.kmalloc(16)
    try:
        memory.write(buffer, data)
        memory.write_int(places, size, 8)
        memory.write_int(places + 8, offset, 8)
        ret = kernel.cpu.call(handler, entry.table, int(write), buffer, places, places + 8)
        if ret < 0:
            raise err(-ret)
        count = min(memory.read_int(places, 8), size)
        return data[:count] if write else memory.read(buffer, count) if count else b""
    finally:
        slab.kfree(buffer)
        slab.kfree(places)


@dataclass
class SysctlTable:
    """What one registration has added."""

    header: int
    entries: list[SysctlEntry]


class ProcSysctl:
    """/proc/sys as far as modules have made it."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.files: dict[str, SysctlEntry] = {}
        self.observer: SysctlObserver | None = None
        self._builtin = {f"kernel/{entry.procname}" for entry in KERN_TABLE}
        self._tables: dict[int, SysctlTable] = {}

    def _entries(self, table: int) -> Iterator[StructView]:
        """The entries of a table, which one without a name ends."""
        struct = self._kernel.image.structs["ctl_table"]
        for index in range(_MANY):
            entry = self._kernel.struct("ctl_table", table + index * struct.size)
            if not entry["procname"]:
                return
            yield entry

    def _flat(self, path: str, table: int, depth: int = 0) -> Iterator[tuple[str, StructView]]:
        """Directories may be tables within tables."""
        for entry in self._entries(table):
            name = entry.string("procname").decode("latin-1")
            where = f"{path}/{name}" if path else name
            if entry["child"] and depth < 8:
                yield from self._flat(where, entry["child"], depth + 1)
            else:
                yield where, entry

    def _wrong(self, entry: StructView) -> str | None:
        """``sysctl_check_table()``: what is wrong with an entry."""
        address_of = self._kernel.exports.address_of
        handlers = (
            "proc_dostring", "proc_dobool", "proc_dointvec", "proc_douintvec", "proc_douintvec_minmax",
            "proc_dointvec_minmax", "proc_dou8vec_minmax", "proc_dointvec_jiffies", "proc_dointvec_userhz_jiffies",
            "proc_dointvec_ms_jiffies", "proc_doulongvec_minmax", "proc_doulongvec_ms_jiffies_minmax",
        )  # fmt: skip
        handler = next((name for name in handlers if address_of(name) == entry["proc_handler"]), None)
        if handler is not None:
            if not entry["data"]:
                return "No data"
            if not entry["maxlen"]:
                return "No maxlen"
            size = _ONE.get(handler)
            if size is not None and entry["maxlen"] != size:
                return "array not allowed"
        if not entry["proc_handler"]:
            return "No proc_handler"
        if entry["mode"] & ~0o666:
            return f"bogus .mode 0{entry['mode']:o}"
        return None

    def register(self, path: str, table: int) -> int:
        """``register_sysctl()``.

        :returns: the address of the header, 0 where that cannot be
        """
        kernel, entries = self._kernel, list(self._flat(path.strip("/"), table))
        bad = False
        for where, entry in entries:
            wrong = self._wrong(entry)
            if wrong is not None:
                directory, _, name = where.rpartition("/")
                kernel.log.pr_err(f"sysctl table check failed: {directory}/{name} {wrong}")
                bad = True
        twice = next((where for where, _ in entries if where in self.files or where in self._builtin), None)
        if not bad and twice is not None:
            kernel.log.pr_err(f"sysctl duplicate entry: /{twice}")
            bad = True
        if bad:
            kernel.traps.dump_stack()
            return 0
        size = kernel.image.structs["ctl_table_header"].size
        header = kernel.struct("ctl_table_header", kernel.slab.kmalloc(size + 48 * len(entries)))
        header["ctl_table"] = header["ctl_table_arg"] = table
        made = [SysctlEntry(where, entry.address, entry["mode"]) for where, entry in entries]
        self.files.update((entry.path, entry) for entry in made)
        self._tables[header.address] = SysctlTable(header.address, made)
        if self.observer is not None:
            for added in made:
                self.observer.added(added)
        return header.address

    def unregister(self, header: int) -> None:
        """``unregister_sysctl_table()``."""
        found = self._tables.pop(header, None)
        if found is None:
            if header:
                self._kernel.struct("ctl_table_header", header)["ctl_table_arg"]
            return
        for entry in found.entries:
            self.files.pop(entry.path, None)
            entry.gone = True
            if self.observer is not None:
                self.observer.removed(entry)
        self._kernel.slab.kfree(header)
