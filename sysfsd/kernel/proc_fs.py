"""The entries of /proc that modules make (fs/proc/generic.c), and of /proc/sys (fs/proc/proc_sysctl.c).

Whoever shows /proc walks the tree from :attr:`ProcFs.root` and the tables of :class:`ProcSysctl`.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sysfsd.kernel.err import err

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

__all__ = ["ProcEntry", "ProcFs", "ProcSysctl", "SysctlEntry", "SysctlTable"]

_S_IFMT: Final = 0o170000
_S_IFDIR: Final = 0o040000
_S_IFREG: Final = 0o100000
_S_IFLNK: Final = 0o120000
#: Directories that the kernel proper has made.
_BUILTIN: Final = ("bus", "bus/input", "bus/pci", "driver", "fs", "irq", "sysvipc", "tty", "tty/driver", "tty/ldisc")
#: The room for an entry and its name (``SIZEOF_PDE``).
_SIZEOF_PDE: Final = 192
#: More entries than a directory or a table has.
_MANY: Final = 1 << 16


@dataclass(eq=False)
class ProcEntry:
    """``struct proc_dir_entry``, which lies at *address* (0: the root)."""

    name: str
    mode: int
    parent: ProcEntry | None
    address: int = 0
    children: dict[str, ProcEntry] = field(default_factory=dict)
    #: What of its operations it has: ``proc_ops``, ``seq_ops``, ``single_show``, or where a link leads.
    kind: str = ""
    operations: int = 0
    target: bytes = b""
    net: bool = False

    @property
    def path(self) -> str:
        """From /proc."""
        return self.name if self.parent is None or not self.parent.name else f"{self.parent.path}/{self.name}"


class ProcFs:
    """The entries of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.root = ProcEntry("/proc", _S_IFDIR | 0o555, None)
        self._by_address: dict[int, ProcEntry] = {}
        for path in _BUILTIN:
            *above, name = path.split("/")
            parent = self.root
            for part in above:
                parent = parent.children[part]
            parent.children[name] = ProcEntry(name, _S_IFDIR | 0o555, parent)
        #: /proc/net: of the one network namespace that there is.
        self.net = self._add(ProcEntry("net", _S_IFDIR | 0o555, self.root))
        self.net_stat = self._add(ProcEntry("stat", _S_IFDIR | 0o555, self.net))

    def entry(self, address: int) -> ProcEntry | None:
        """The entry at *address*; NULL is the root."""
        return self._by_address.get(address) if address else self.root

    def _warn(self, message: str, line: int) -> None:
        self._kernel.traps.warn_message(message, "fs/proc/generic.c", line)

    def _find_parent(self, name: str, parent: int) -> tuple[ProcEntry, str] | None:
        """``xlate_proc_name()``: walk the directories that a name begins with."""
        found = self.entry(parent)
        if found is None:
            self._kernel.memory.read(parent, _SIZEOF_PDE)  # faults where real code would
            return None
        *above, last = name.split("/")
        for part in above:
            following = found.children.get(part)
            if following is None:
                self._warn(f"name '{name}'", 175)
                return None
            found = following
        return found, last

    def create(self, name: bytes, mode: int, parent: int, data: int = 0) -> ProcEntry | None:
        """``proc_create_reg()`` and its likes: a new entry, None where that cannot be."""
        text = name.decode("latin-1")
        found = self._find_parent(text, parent)
        if found is None:
            return None
        above, last = found
        if not last or len(last) >= 256:
            self._warn(f"name len {len(last)}", 429)
            return None
        if last in (".", ".."):
            self._warn(f"name '{last}'", 433 if last == "." else 437)
            return None
        if above is self.root and last == "self":
            self._warn(f"create '/proc/{last}' by hand", 441)
            return None
        if not mode & _S_IFMT:
            mode |= _S_IFREG
        if not mode & 0o7777:
            mode |= 0o555 if mode & _S_IFMT == _S_IFDIR else 0o444
        if last in above.children:
            self._warn(f"proc_dir_entry '{above.name}/{last}' already registered", 400)
            return None
        if len(above.children) >= _MANY:
            return None
        entry = ProcEntry(last, mode, above)
        try:
            self._add(entry)
        except OSError:
            return None
        self._kernel.struct("proc_dir_entry", entry.address)["data"] = data
        return entry

    def _add(self, entry: ProcEntry) -> ProcEntry:
        kernel = self._kernel
        name = entry.name.encode("latin-1")
        size = kernel.image.structs["proc_dir_entry"].size
        entry.address = kernel.slab.kmalloc(max(_SIZEOF_PDE, size + len(name) + 1))
        kernel.memory.write(entry.address + size, name + b"\0")
        view = kernel.struct("proc_dir_entry", entry.address)
        view["name"], view["namelen"], view["mode"] = entry.address + size, len(name), entry.mode
        view["nlink"], view["refcnt.refs.counter"] = 1, 1
        assert entry.parent is not None
        view["parent"] = entry.parent.address
        entry.parent.children[entry.name] = entry
        self._by_address[entry.address] = entry
        return entry

    def remove(self, entry: ProcEntry) -> None:
        """``proc_remove()``: take an entry away, with all below it."""
        if entry.parent is None:
            return
        entry.parent.children.pop(entry.name, None)
        waiting = [entry]
        while waiting:
            gone = waiting.pop()
            waiting.extend(gone.children.values())
            gone.children.clear()
            if self._by_address.pop(gone.address, None) is not None:
                self._kernel.slab.kfree(gone.address)

    def remove_by_name(self, name: bytes, parent: int, subtree: bool) -> None:
        """``remove_proc_entry()``, ``remove_proc_subtree()``.

        :raises OSError: ENOENT
        """
        found = self._find_parent(name.decode("latin-1"), parent)
        if found is None:
            raise err(errno.ENOENT)
        above, last = found
        entry = above.children.get(last)
        if entry is None:
            self._warn(f"name '{name.decode('latin-1')}'", 734)
            raise err(errno.ENOENT)
        if entry.children and not subtree:
            first = next(iter(entry.children))
            self._warn(
                f"remove_proc_entry: removing non-empty directory '{above.name}/{last}', leaking at least '{first}'",
                740,
            )
            above.children.pop(last)
            return
        self.remove(entry)


@dataclass(eq=False)
class SysctlEntry:
    """``struct ctl_table``: the file at *path* below /proc/sys, described at *table*."""

    path: str
    table: int
    mode: int


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
        if entry["proc_handler"] in map(address_of, handlers):
            if not entry["data"]:
                return "No data"
            if not entry["maxlen"]:
                return "No maxlen"
        if not entry["proc_handler"]:
            return "No proc_handler"
        if entry["mode"] & ~0o666:
            return f"bogus .mode 0{entry['mode']:o}"
        return None

    def register(self, path: str, table: int) -> int:
        """``register_sysctl()``.

        :returns: the address of the header, 0 where that cannot be
        """
        kernel, entries = self._kernel, []
        bad = False
        for where, entry in self._flat(path.strip("/"), table):
            wrong = self._wrong(entry)
            if wrong is not None:
                directory, _, name = where.rpartition("/")
                kernel.log.pr_err(f"sysctl table check failed: {directory}/{name} {wrong}")
                bad = True
            elif where in self.files:
                kernel.log.pr_err(f"sysctl duplicate entry: /{where}")
                bad = True
            entries.append(SysctlEntry(where, entry.address, entry["mode"]))
        if bad:
            kernel.traps.dump_stack()
            return 0
        size = kernel.image.structs["ctl_table_header"].size
        header = kernel.struct("ctl_table_header", kernel.slab.kmalloc(size + 48 * len(entries)))
        header["ctl_table"] = header["ctl_table_arg"] = table
        self.files.update((entry.path, entry) for entry in entries)
        self._tables[header.address] = SysctlTable(header.address, entries)
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
        self._kernel.slab.kfree(header)
