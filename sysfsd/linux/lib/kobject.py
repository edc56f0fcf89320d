"""Kernel objects and the tree of directories that they make up (lib/kobject.c, lib/kobject_uevent.c, fs/sysfs/).

Objects lie in the kernel's memory, where modules have them; the tree is ours. Whoever shows /sys walks it from
:attr:`Sysfs.root`.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from sysfsd.linux.err import err
from sysfsd.linux.lib.list import INIT_LIST_HEAD, list_add_tail, list_del_init, list_entries
from sysfsd.linux.lib.vsprintf import ptr_to_hashval
from sysfsd.linux.mm.memory import PageFault

if TYPE_CHECKING:
    from sysfsd.linux.kernel.module.module import Module
    from sysfsd.linux.kernel.sched.core import Task
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = [
    "AttributeOps",
    "Kobjects",
    "Sysfs",
    "SysfsDirectory",
    "SysfsFile",
    "SysfsLink",
    "SysfsNode",
    "SysfsObserver",
    "UeventOps",
    "errors_ignored",
]

#: Directories for others to be mounted on.
_MOUNT_POINTS: Final = {"fs/bpf", "fs/cgroup", "fs/pstore", "kernel/debug", "kernel/security", "kernel/tracing"}
_SYSFS_MODES: Final = 0o10664
_UEVENT_ARGS: Final = re.compile(rb"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}( [0-9A-Za-z]+=[0-9A-Za-z]+)*")
_UEVENT_ACTIONS: Final = (b"add", b"remove", b"change", b"move", b"online", b"offline", b"bind", b"unbind")
_UEVENT_NUM_ENVP: Final = 64
_UEVENT_BUFFER_SIZE: Final = 2048
#: How often who waits for a reader looks whether the kernel has ended (seconds).
_END_POLL: Final = 0.5
#: A module's object holds the set that it is in, as a member and as a child.
_MODULE_HOLDS: Final = 2


@contextmanager
def errors_ignored() -> Iterator[None]:
    """Where the kernel does not look at what a function returns."""
    try:
        yield
    except PageFault:
        raise
    except OSError:
        pass


@dataclass(eq=False)
class SysfsNode:
    """An entry of the tree: ``struct kernfs_node``, which lies at *address*."""

    name: str
    parent: SysfsDirectory | None
    #: 0: a directory of the kernel proper that nobody has asked for yet.
    address: int

    @property
    def path(self) -> str:
        """From the root of sysfs."""
        parts: list[str] = []
        node: SysfsNode | None = self
        while node is not None and node.parent is not None:
            parts.append(node.name)
            node = node.parent
        return "/" + "/".join(reversed(parts))


@dataclass(eq=False)
class SysfsDirectory(SysfsNode):
    """A kernel object's directory (its address is *kobj*), or that of a group of its attributes."""

    kobj: int = 0
    children: dict[str, SysfsNode] = field(default_factory=dict)
    mode: int = 0o755


@dataclass(eq=False)
class SysfsFile(SysfsNode):
    """An attribute of the object at *kobj*.

    A module's is the ``struct attribute`` or ``struct bin_attribute`` at *attr*; one of the kernel's own has functions.
    """

    mode: int = 0
    kobj: int = 0
    attr: int = 0
    binary: bool = False
    show: Callable[[], bytes] | None = None
    store: Callable[[bytes], object] | None = None
    #: Bytes, of a binary one.
    size: int = 0
    #: Whether the file has operations to read and to write at all, whatever its mode.
    readable: bool = True
    writable: bool = True
    #: The tasks that read or write it right now.
    active: list[Task] = field(default_factory=list)


@dataclass(eq=False)
class SysfsLink(SysfsNode):
    """A symbolic link to another object's directory."""

    target: SysfsDirectory | None = None
    #: Where it leads, if not there: from the root of sysfs.
    elsewhere: str = ""


class SysfsObserver(Protocol):
    """What shows the tree to users."""

    def exists(self, parent: SysfsDirectory, name: str) -> bool:
        """Whether users see a name that the tree does not have."""

    def added(self, node: SysfsNode) -> None: ...

    def removed(self, node: SysfsNode, parent: SysfsDirectory, name: str) -> None:
        """*node*, with all below it, is no more where it was."""

    def mode_changed(self, node: SysfsFile) -> None: ...

    def notified(self, node: SysfsFile) -> None:
        """Whoever polls the file is to read it again."""


class Sysfs:
    """The tree of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.root = SysfsDirectory("", None, 0, mode=0o555)
        self.observer: SysfsObserver | None = None
        self._by_address: dict[int, SysfsNode] = {}
        self._foreign = False
        self._drained = kernel.condition()
        for path in kernel.image.sysfs_directories:
            above, _, name = path.rpartition("/")
            parent = self.lookup(above)
            assert isinstance(parent, SysfsDirectory)
            parent.children[name] = SysfsDirectory(name, parent, 0, mode=0o555 if path in _MOUNT_POINTS else 0o755)

    def lookup(self, path: str) -> SysfsNode | None:
        """The entry at *path*, from the root of sysfs."""
        node: SysfsNode | None = self.root
        for name in path.split("/") if path else ():
            node = node.children.get(name) if isinstance(node, SysfsDirectory) else None
        return node

    @contextmanager
    def foreign(self, foreign: bool = True) -> Iterator[None]:
        """What is added meanwhile is a module's: it cannot be a directory that the kernel proper has."""
        outer, self._foreign = self._foreign, foreign
        try:
            yield
        finally:
            self._foreign = outer

    def node(self, address: int) -> SysfsNode | None:
        """The entry that the ``struct kernfs_node`` at *address* stands for."""
        return self._by_address.get(address)

    def directory(self, kobj: StructView) -> SysfsDirectory | None:
        """The directory of an object, if it has one."""
        found = self._by_address.get(kobj["sd"])
        return found if isinstance(found, SysfsDirectory) else None

    def add(self, node: SysfsNode) -> SysfsNode:
        """Put a new entry where it says that it is.

        :raises OSError: EEXIST, after a word in the log; ENOMEM
        """
        parent = node.parent
        assert parent is not None
        found = parent.children.get(node.name)
        own = isinstance(found, SysfsDirectory) and not found.address and not self._foreign
        if not own and (found is not None or (self.observer is not None and self.observer.exists(parent, node.name))):
            self._warn_dup(parent, node.name)
            raise err(errno.EEXIST)
        kernel = self._kernel
        node.address = kernel.slab.kmalloc(kernel.image.structs["kernfs_node"].size)
        if isinstance(found, SysfsDirectory) and isinstance(node, SysfsDirectory):
            found.address, found.kobj = node.address, node.kobj
            self._by_address[node.address] = found
            return found
        parent.children[node.name] = node
        self._by_address[node.address] = node
        if self.observer is not None:
            self.observer.added(node)
        return node

    def _warn_dup(self, parent: SysfsDirectory, name: str) -> None:
        """``sysfs_warn_dup()``."""
        kernel = self._kernel
        path = parent.path.rstrip("/")
        kernel.log.pr_warn(f"sysfs: cannot create duplicate filename '{path}/{name}'")
        kernel.traps.dump_stack()

    def remove(self, node: SysfsNode) -> None:
        """Take an entry away, with all below it."""
        waiting = [node]
        if node.parent is not None and node.parent.children.get(node.name) is node:
            del node.parent.children[node.name]
            if self.observer is not None:
                self.observer.removed(node, node.parent, node.name)
        while waiting:
            node = waiting.pop()
            if isinstance(node, SysfsDirectory):
                waiting.extend(node.children.values())
                node.children.clear()
            if self._by_address.pop(node.address, None) is not None:
                if isinstance(node, SysfsFile):
                    self._drain(node)
                self._kernel.slab.kfree(node.address)

    @contextmanager
    def get_active(self, node: SysfsFile) -> Iterator[None]:
        """While the current task runs a function of *node*, whoever removes it waits (``kernfs_get_active()``)."""
        task = self._kernel.current
        node.active.append(task)
        try:
            yield
        finally:
            if task in node.active:
                node.active.remove(task)
            if not node.active:
                self._drained.notify_all()

    def _drain(self, node: SysfsFile) -> None:
        """``kernfs_drain()``; who removes a file from within its own function would wait for ever."""
        kernel = self._kernel
        if not node.active:
            return
        task = kernel.current
        while node.active:
            if task in node.active:
                kernel.sched.hung_task(task)
            self._drained.wait(_END_POLL)
            if kernel.sched.ended():
                return

    def remove_by_name(self, parent: SysfsDirectory, name: str) -> bool:
        """:returns: whether there was one of that name"""
        found = parent.children.get(name)
        if found is not None:
            self.remove(found)
        return found is not None

    def rename(self, node: SysfsNode, parent: SysfsDirectory, name: str) -> None:
        """Move an entry.

        :raises OSError: EEXIST
        """
        if node.parent is parent and node.name == name:
            return
        if name in parent.children:
            raise err(errno.EEXIST)
        assert node.parent is not None
        above, old = node.parent, node.name
        del above.children[old]
        if self.observer is not None:
            self.observer.removed(node, above, old)
        node.name, node.parent = name, parent
        parent.children[name] = node
        if self.observer is not None:
            self.observer.added(node)

    def chmod(self, node: SysfsFile, mode: int) -> None:
        """``sysfs_chmod_file()``."""
        node.mode = mode & 0o777
        if self.observer is not None:
            self.observer.mode_changed(node)

    # Attributes

    def create_file(self, directory: SysfsDirectory, attr: int, mode: int | None = None, binary: bool = False) -> None:
        """``sysfs_add_file_mode_ns()``: the attribute that lies at *attr*.

        :raises OSError: EINVAL for an object whose type has no functions to show any, EEXIST, ENOMEM
        """
        kernel = self._kernel
        view = kernel.struct("attribute", attr)
        name = view.string("name").decode("latin-1")
        mode = view["mode"] if mode is None else mode
        node = SysfsFile(name, directory, 0, mode & 0o777, directory.kobj, attr, binary)
        if binary:
            bin_attr = kernel.struct("bin_attribute", attr)
            node.size = bin_attr["size"]
            node.readable, node.writable = bool(bin_attr["read"]), bool(bin_attr["write"])
        else:
            ops = kernel.state(Kobjects).sysfs_ops(kernel.struct("kobject", directory.kobj))
            if ops is None:
                kernel.traps.warn_at(
                    "fs/sysfs/file.c",
                    269,
                    f"missing sysfs attribute operations for kobject: {directory.name}",
                    "sysfs_add_file_mode_ns+0xb4",
                )
                raise err(errno.EINVAL)
            node.readable, node.writable = ops
        self.add(node)

    def create_own_file(
        self,
        directory: SysfsDirectory,
        name: str,
        mode: int,
        show: Callable[[], bytes] | None,
        store: Callable[[bytes], object] | None = None,
    ) -> None:
        """An attribute that the kernel itself shows.

        :raises OSError: EEXIST, ENOMEM
        """
        self.add(SysfsFile(name, directory, 0, mode, directory.kobj, 0, False, show, store))

    def pointers(self, address: int) -> Iterator[int]:
        """The elements of an array that a NULL ends."""
        while address and (found := self._kernel.memory.read_pointer(address)):
            yield found
            address += 8

    def create_group(self, kobj: StructView, group: int, update: bool = False) -> None:
        """``internal_create_group()``: a group of attributes, in a directory of its own if it has a name.

        :raises OSError: EINVAL, EEXIST, ENOMEM
        """
        kernel = self._kernel
        directory = self.directory(kobj) if kobj.address else None
        if directory is None:
            if not update:
                kernel.traps.warn_at("fs/sysfs/group.c", 115, site="internal_create_group+0x27e")
            raise err(errno.EINVAL)
        grp = kernel.struct("attribute_group", group)
        name = grp.string("name").decode("latin-1") if grp["name"] else ""
        if not grp["attrs"] and not grp["bin_attrs"]:
            kernel.traps.warn_at(
                "fs/sysfs/group.c",
                122,
                f"sysfs: (bin_)attrs not set by subsystem for group: {directory.name}/{name}",
                site="internal_create_group+0x27a",
            )
            raise err(errno.EINVAL)
        where = directory
        if name:
            found = (
                directory.children.get(name) if update else self.add(SysfsDirectory(name, directory, 0, kobj.address))
            )
            if not isinstance(found, SysfsDirectory):
                kernel.log.pr_warn(f"sysfs: Can't update unknown attr grp name: {directory.name}/{name}")
                raise err(errno.EINVAL)
            where = found
        try:
            self._create_files(where, kobj, grp, update)
        except OSError:
            if name and not update:
                self.remove(where)
            raise

    def _create_files(self, where: SysfsDirectory, kobj: StructView, grp: StructView, update: bool) -> None:
        kernel = self._kernel
        made: list[str] = []
        for array, visible, binary, (line, site) in (
            ("attrs", "is_visible", False, (59, "internal_create_group+0x2f5")),
            ("bin_attrs", "is_bin_visible", True, (88, "internal_create_group+0x29a")),
        ):
            for index, attr in enumerate(self.pointers(grp[array])):
                view = kernel.struct("attribute", attr)
                name, mode = view.string("name").decode("latin-1"), view["mode"]
                if update:
                    self.remove_by_name(where, name)
                if grp[visible]:
                    mode = kernel.cpu.call(grp[visible], kobj.address, attr, index) & 0xFFFF
                    if not mode:
                        continue
                if mode & ~_SYSFS_MODES:
                    text = f"Attribute {name}: Invalid permissions 0{mode:o}"
                    kernel.traps.warn_at("fs/sysfs/group.c", line, text, site)
                try:
                    self.create_file(where, attr, mode & 0o664, binary)
                except OSError:
                    for name in made:
                        self.remove_by_name(where, name)
                    raise
                made.append(name)

    def create_groups(self, kobj: StructView, groups: int, update: bool = False) -> None:
        """``internal_create_groups()``: of an array that a NULL ends.

        :raises OSError: what the first that fails says, after the others have been taken back
        """
        done: list[int] = []
        for group in self.pointers(groups):
            try:
                self.create_group(kobj, group, update)
            except OSError:
                for made in reversed(done):
                    self.remove_group(kobj, made)
                raise
            done.append(group)

    def remove_group(self, kobj: StructView, group: int) -> None:
        """``sysfs_remove_group()``."""
        directory = self.directory(kobj)
        if directory is None:
            return
        grp = self._kernel.struct("attribute_group", group)
        if grp["name"]:
            name = grp.string("name").decode("latin-1")
            if not self.remove_by_name(directory, name):
                self._kernel.traps.warn_at(
                    "fs/sysfs/group.c",
                    278,
                    f"sysfs group '{name}' not found for kobject '{directory.name}'",
                    site="sysfs_remove_group+0x71",
                )
            return
        for array in ("attrs", "bin_attrs"):
            for attr in self.pointers(grp[array]):
                name = self._kernel.struct("attribute", attr).string("name").decode("latin-1")
                self.remove_by_name(directory, name)

    def remove_groups(self, kobj: StructView, groups: int) -> None:
        for group in self.pointers(groups):
            self.remove_group(kobj, group)

    def create_link(self, kobj: StructView | None, target: StructView, name: str, warn: bool = True) -> None:
        """``sysfs_create_link()``; *kobj* None: in the root.

        :raises OSError: EFAULT, ENOENT, EEXIST, ENOMEM
        """
        parent = self.root if kobj is None else self.directory(kobj)
        if parent is None:
            raise err(errno.EFAULT)
        to = self.directory(target)
        if to is None:
            raise err(errno.ENOENT)
        if not warn and name in parent.children:
            raise err(errno.EEXIST)
        self.add(SysfsLink(name, parent, 0, to))


def _kobject_and_attribute(kobj: StructView, attr: int) -> tuple[int, ...]:
    return kobj.address, attr


class AttributeOps(NamedTuple):
    """``struct sysfs_ops`` of objects of the kernel's own types: how functions of attributes are called.

    *name* is that of the kernel's functions, without ``_show`` and ``_store``; *arguments* are those in front of the
    buffer.
    """

    name: str = "kobj_attr"
    arguments: Callable[[StructView, int], tuple[int, ...]] = _kobject_and_attribute


_KOBJ_ATTR: Final = AttributeOps()


class Kobjects:
    """The kernel objects of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.sysfs = kernel.state(Sysfs)
        self._release: dict[int, Callable[[StructView], None]] = {}
        self._attribute_ops: dict[int, AttributeOps] = {}
        #: What the kernel does for ksets of its own when something happens to a member: which name, and variables.
        self._dynamic = self.new_ktype(lambda kobj: kernel.slab.kfree(kobj.address))
        self._kset_ktype = self.new_ktype(self._kset_release)
        self._module_ktype = self.new_ktype(
            lambda kobj: None, AttributeOps("module_attr", lambda kobj, attr: (attr, kobj.address))
        )
        self._module_kset = 0
        #: The directories of modules, and their objects' names, by the modules' addresses.
        self.modules: dict[int, SysfsDirectory] = {}
        self._module_names: dict[int, int] = {}
        self.uevent_ops: dict[int, UeventOps] = {}

    def new_ktype(self, release: Callable[[StructView], None] | None = None, ops: AttributeOps = _KOBJ_ATTR) -> int:
        """A type of objects that belong to the kernel proper.

        :returns: its address
        """
        kernel = self._kernel
        address = kernel.slab.kmalloc(kernel.image.structs["kobj_type"].size)
        self._attribute_ops[address] = ops
        with suppress(KeyError):
            kernel.struct("kobj_type", address)["sysfs_ops"] = kernel.exports.data_address("kobj_sysfs_ops")
        if release is not None:
            self._release[address] = release
        return address

    def attribute_ops(self, kobj: StructView) -> AttributeOps | None:
        """How the kernel's own functions show attributes of *kobj*; None: those of its type are a module's."""
        ktype = kobj["ktype"]
        found = self._attribute_ops.get(ktype)
        if found is None and ktype and kobj.to("ktype")["sysfs_ops"] == self._kobj_sysfs_ops:
            return _KOBJ_ATTR
        return found

    def sysfs_ops(self, kobj: StructView) -> tuple[bool, bool] | None:
        """Whether attributes of *kobj* can be shown and stored; None where its type has no functions at all."""
        if self.attribute_ops(kobj) is not None:
            return True, True
        ops = kobj.to("ktype").to("sysfs_ops") if kobj["ktype"] else None
        return (bool(ops["show"]), bool(ops["store"])) if ops is not None and ops.address else None

    @property
    def _kobj_sysfs_ops(self) -> int:
        return self._kernel.exports.data_address("kobj_sysfs_ops")

    def view(self, address: int) -> StructView:
        return self._kernel.struct("kobject", address)

    def _kset_release(self, kobj: StructView) -> None:
        self._kernel.slab.kfree(self._kernel.image.structs.container_of(kobj.address, "kset", "kobj"))

    # Life

    def init(self, kobj: StructView, ktype: int) -> None:
        """``kobject_init()``."""
        kernel = self._kernel
        if not kobj.address or not ktype:
            what = "invalid kobject pointer!" if not kobj.address else "must have a ktype to be initialized properly!\n"
            kernel.log.pr_err(f"kobject (({ptr_to_hashval(kobj.address)}): {what}")
            kernel.traps.dump_stack()
            return
        if kobj["state_initialized"]:
            kernel.log.pr_err(
                f"kobject ({ptr_to_hashval(kobj.address)}): tried to init an initialized object,"
                " something is seriously wrong."
            )
            kernel.traps.dump_stack()
        self.init_internal(kobj)
        kobj["ktype"] = ktype

    def init_internal(self, kobj: StructView) -> None:
        kobj["kref.refcount.refs.counter"] = 1
        INIT_LIST_HEAD(self._kernel.memory, kobj.at("entry"))
        for state in ("in_sysfs", "add_uevent_sent", "remove_uevent_sent"):
            kobj[f"state_{state}"] = 0
        kobj["state_initialized"] = 1

    def name(self, kobj: StructView) -> str:
        return kobj.string("name").decode("latin-1") if kobj["name"] else ""

    def set_name(self, kobj: StructView, name: bytes) -> None:
        """``kobject_set_name_vargs()``; a slash cannot be in a name.

        :raises OSError: ENOMEM
        """
        new = self._kernel.slab.string(name.replace(b"/", b"!"))
        if kobj["name"]:
            self.free_name(kobj["name"])
        kobj["name"] = new

    def free_name(self, address: int) -> None:
        """``kfree_const()``: names that are constants stay."""
        if self._kernel.memory.area(address) is self._kernel.memory.direct_map:
            self._kernel.slab.kfree(address)

    def add(self, kobj: StructView, parent: int, name: bytes | None) -> None:
        """``kobject_add_varg()``.

        :raises OSError: EINVAL, EEXIST, ENOENT, ENOMEM
        """
        if name is not None:
            self.set_name(kobj, name)
        kobj["parent"] = parent
        self.add_internal(kobj)

    def add_checked(self, kobj: StructView, parent: int, name: bytes | None) -> None:
        """``kobject_add()``: the same for an object that may not have been initialised."""
        if not kobj.address:
            raise err(errno.EINVAL)
        if not kobj["state_initialized"]:
            kernel = self._kernel
            kernel.log.pr_err(
                f"kobject '{self.name(kobj) or '(null)'}' ({ptr_to_hashval(kobj.address)}): tried to add an"
                " uninitialized object, something is seriously wrong."
            )
            kernel.traps.dump_stack()
            raise err(errno.EINVAL)
        self.add(kobj, parent, name)

    def add_internal(self, kobj: StructView) -> None:
        """``kobject_add_internal()``."""
        kernel = self._kernel
        if not kobj["name"] or not kernel.memory.read_int(kobj["name"], 1):
            kernel.traps.warn_at(
                "lib/kobject.c",
                210,
                f"kobject: ({ptr_to_hashval(kobj.address)}): attempted to be registered with empty name!",
                site="kobject_add_internal+0x241",
            )
            raise err(errno.EINVAL)
        parent = kobj["parent"]
        if parent:
            self.get(self.view(parent))
        kset = kobj["kset"]
        if kset:
            kset_kobj = kernel.image.structs["kset"].offset("kobj") + kset
            if not parent:
                self.get(self.view(kset_kobj))
                parent = kset_kobj
            self.get(self.view(kset_kobj))
            list_add_tail(kernel.memory, kobj.at("entry"), kset)
            kobj["parent"] = parent
        try:
            self._create_dir(kobj, parent)
        except OSError as error:
            self._leave_kset(kobj)
            if parent:
                self.put(self.view(parent))
            kobj["parent"] = 0
            name = self.name(kobj)
            if error.errno == errno.EEXIST:
                kernel.log.pr_err(
                    f"kobject_add_internal failed for {name} with -EEXIST, don't try to register things"
                    " with the same name in the same directory."
                )
            else:
                above = self.name(self.view(parent)) if parent else "'none'"
                kernel.log.pr_err(
                    f"kobject_add_internal failed for {name} (error: {-(error.errno or 0)} parent: {above})"
                )
            raise
        kobj["state_in_sysfs"] = 1

    def _create_dir(self, kobj: StructView, parent: int) -> None:
        """``create_dir()``."""
        above = self.sysfs.directory(self.view(parent)) if parent else self.sysfs.root
        if above is None:
            raise err(errno.ENOENT)
        directory = self.sysfs.add(SysfsDirectory(self.name(kobj), above, 0, kobj.address))
        kobj["sd"] = directory.address
        if kobj["ktype"]:
            groups = kobj.to("ktype")["default_groups"]
            try:
                self.sysfs.create_groups(kobj, groups)
            except OSError:
                self.sysfs.remove(directory)
                kobj["sd"] = 0
                raise

    def _leave_kset(self, kobj: StructView) -> None:
        kset = kobj["kset"]
        if kset:
            list_del_init(self._kernel.memory, kobj.at("entry"))
            self.put(self.view(kset + self._kernel.image.offset("kset", "kobj")))

    def get(self, kobj: StructView) -> StructView:
        """``kobject_get()``."""
        if kobj.address:
            self._check_initialized(kobj, "kobject_get", 632, "0x43")
            kobj["kref.refcount.refs.counter"] += 1
        return kobj

    def _check_initialized(self, kobj: StructView, function: str, line: int, offset: str) -> None:
        if not kobj["state_initialized"]:
            text = (
                f"kobject: '{self.name(kobj) or '(null)'}' ({ptr_to_hashval(kobj.address)}): is not initialized, yet"
                f" {function}() is being called."
            )
            self._kernel.traps.warn_at("lib/kobject.c", line, text, f"{function}+{offset}")

    def put(self, kobj: StructView) -> None:
        """``kobject_put()``."""
        if not kobj.address:
            return
        self._check_initialized(kobj, "kobject_put", 726, "0xbd")
        left = kobj["kref.refcount.refs.counter"] - 1
        if left < 0:
            self._kernel.traps.warn_at(
                "lib/refcount.c", 28, "refcount_t: underflow; use-after-free.", site="refcount_warn_saturate+0xba"
            )
            kobj["kref.refcount.refs.counter"] = -0x40000000
            return
        kobj["kref.refcount.refs.counter"] = left
        if left == 0:
            self._cleanup(kobj)

    def _cleanup(self, kobj: StructView) -> None:
        """``kobject_cleanup()``."""
        parent, name, ktype = kobj["parent"], kobj["name"], kobj["ktype"]
        if kobj["state_in_sysfs"]:
            self._del(kobj)
        else:
            parent = 0
        own = self._release.get(ktype)
        if own is not None:
            own(kobj)
        elif ktype and (release := self._kernel.struct("kobj_type", ktype)["release"]):
            self._kernel.cpu.call(release, kobj.address)
        if name:
            self.free_name(name)
        if parent:
            self.put(self.view(parent))

    def _del(self, kobj: StructView) -> None:
        """``__kobject_del()``."""
        directory = self.sysfs.directory(kobj)
        if kobj["state_add_uevent_sent"] and not kobj["state_remove_uevent_sent"]:
            with errors_ignored():
                self.uevent(kobj, 1)
        kobj["sd"] = 0
        if directory is not None:
            self.sysfs.remove(directory)
        kobj["state_in_sysfs"] = 0
        self._leave_kset(kobj)
        kobj["parent"] = 0

    def delete(self, kobj: StructView) -> None:
        """``kobject_del()``."""
        if kobj.address:
            parent = kobj["parent"]
            self._del(kobj)
            if parent:
                self.put(self.view(parent))

    def rename(self, kobj: StructView, name: bytes) -> None:
        """``kobject_rename()``.

        :raises OSError: EINVAL, EEXIST, ENOMEM
        """
        directory = self.sysfs.directory(kobj) if kobj.address else None
        if directory is None or not kobj["parent"]:
            raise err(errno.EINVAL)
        assert directory.parent is not None
        self.sysfs.rename(directory, directory.parent, name.decode("latin-1"))
        self.set_name(kobj, name)
        with errors_ignored():
            self.uevent(kobj, 3)

    def move(self, kobj: StructView, parent: int) -> None:
        """``kobject_move()``.

        :raises OSError: EINVAL, EEXIST
        """
        directory = self.sysfs.directory(kobj) if kobj.address else None
        if directory is None:
            raise err(errno.EINVAL)
        if not parent and kobj["kset"]:
            parent = kobj["kset"] + self._kernel.image.offset("kset", "kobj")
        above = self.sysfs.directory(self.view(parent)) if parent else None
        self.sysfs.rename(directory, above or self.sysfs.root, directory.name)
        old = kobj["parent"]
        if parent:
            self.get(self.view(parent))
        kobj["parent"] = parent
        if old:
            self.put(self.view(old))
        with errors_ignored():
            self.uevent(kobj, 3)

    def create_and_add(self, name: bytes, parent: int) -> StructView | None:
        """``kobject_create_and_add()``."""
        kernel = self._kernel
        kobj = self.view(kernel.slab.kmalloc(kernel.image.structs["kobject"].size))
        self.init(kobj, self._dynamic)
        try:
            self.add(kobj, parent, name)
        except OSError as error:
            kernel.log.pr_warn(f"kobject_create_and_add: kobject_add error: {-(error.errno or 0)}")
            self.put(kobj)
            return None
        return kobj

    # Modules

    def module_add(self, mod: Module) -> SysfsDirectory:
        """``mod_sysfs_init()``: the object of a module.

        :raises OSError: EEXIST, ENOMEM
        """
        kernel = self._kernel
        if not self._module_kset:
            kset = self.kset_create_and_add(b"module", 0, 0)
            assert kset is not None
            self._module_kset = kset.address
        mkobj = kernel.struct("module", mod.address).sub("mkobj")
        kobj, kset_kobj = mkobj.sub("kobj"), self._module_kset + kernel.image.offset("kset", "kobj")
        self.init_internal(kobj)
        self.set_name(kobj, mod.name.encode("latin-1"))
        mkobj["mod"], kobj["kset"], kobj["parent"] = mod.address, self._module_kset, kset_kobj
        kobj["ktype"], kobj["state_in_sysfs"] = self._module_ktype, 1
        above = self.sysfs.lookup("module")
        assert isinstance(above, SysfsDirectory)
        directory = self.sysfs.add(SysfsDirectory(self.name(kobj), above, 0, kobj.address))
        assert isinstance(directory, SysfsDirectory)
        kobj["sd"] = directory.address
        for _ in range(_MODULE_HOLDS):
            self.get(self.view(kset_kobj))
        self.modules[mod.address] = directory
        self._module_names[mod.address] = kobj["name"]
        return directory

    def module_remove(self, mod: Module) -> None:
        """``mod_sysfs_fini()``: what the module has done to its object does not matter."""
        directory = self.modules.pop(mod.address, None)
        if directory is not None:
            if self._kernel.struct("module", mod.address)["mkobj.kobj.state_in_sysfs"]:
                kset_kobj = self.view(self._module_kset + self._kernel.image.offset("kset", "kobj"))
                for _ in range(_MODULE_HOLDS):
                    self.put(kset_kobj)
            self.sysfs.remove(directory)
            self.free_name(self._module_names.pop(mod.address))

    # Sets

    def kset_init(self, kset: StructView) -> None:
        self.init_internal(kset.sub("kobj"))
        INIT_LIST_HEAD(self._kernel.memory, kset.at("list"))

    def kset_register(self, kset: StructView) -> None:
        """:raises OSError: EINVAL, EEXIST, ENOMEM"""
        if not kset.address:
            raise err(errno.EINVAL)
        kobj = kset.sub("kobj")
        if not kobj["ktype"]:
            self._kernel.log.pr_err("must have a ktype to be initialized properly!")
            raise err(errno.EINVAL)
        self.kset_init(kset)
        self.add_internal(kobj)
        with errors_ignored():
            self.uevent(kobj, 0)

    def kset_create_and_add(self, name: bytes, uevent_ops: int, parent: int) -> StructView | None:
        kernel = self._kernel
        kset = kernel.struct("kset", kernel.slab.kmalloc(kernel.image.structs["kset"].size))
        kobj = kset.sub("kobj")
        self.set_name(kobj, name)
        kset["uevent_ops"] = uevent_ops
        kobj["parent"], kobj["ktype"] = parent, self._kset_ktype
        try:
            self.kset_register(kset)
        except OSError:
            kernel.slab.kfree(kset.address)
            return None
        return kset

    def kset_unregister(self, kset: StructView) -> None:
        if kset.address:
            kobj = kset.sub("kobj")
            self.delete(kobj)
            self.put(kobj)

    def members(self, kset: StructView) -> Iterator[StructView]:
        """The objects of a set."""
        offset = self._kernel.image.offset("kobject", "entry")
        for entry in list_entries(self._kernel.memory, kset.at("list")):
            yield self.view(entry - offset)

    # Events

    def path(self, kobj: StructView) -> str:
        """``kobject_get_path()``."""
        parts: list[str] = []
        while kobj.address and len(parts) < 64:
            parts.append(self.name(kobj))
            kobj = self.view(kobj["parent"])
        return "/" + "/".join(reversed(parts))

    def uevent(self, kobj: StructView, action: int, more: tuple[bytes, ...] = ()) -> None:
        """``kobject_uevent_env()``: nobody listens, but the object's set adds what it has to say.

        :raises OSError: what the set's own function says
        """
        kernel = self._kernel
        kobj["state_remove_uevent_sent"] |= action == 1
        top = kobj
        while not top["kset"] and top["parent"]:
            top = self.view(top["parent"])
        if not top["kset"]:
            raise err(errno.EINVAL)
        if kobj["uevent_suppress"]:
            return
        kset = kernel.struct("kset", top["kset"])
        ops = self.uevent_ops.get(kset.address)
        subsystem: str | None
        if ops is not None:
            if not ops.filter(kobj):
                return
            subsystem = ops.name(kobj)
        else:
            module_ops = kset.to("uevent_ops") if kset["uevent_ops"] else None
            if (
                module_ops is not None
                and module_ops["filter"]
                and not kernel.cpu.call(module_ops["filter"], kobj.address)
            ):
                return
            if module_ops is not None and module_ops["name"]:
                found = kernel.cpu.call_long(module_ops["name"], kobj.address)
                subsystem = kernel.memory.read_string(found).decode("latin-1") if found else None
            else:
                subsystem = self.name(kset.sub("kobj"))
        if not subsystem:
            return
        with self._environment() as env:
            self.add_var(env, b"ACTION=" + _UEVENT_ACTIONS[action])
            self.add_var(env, b"DEVPATH=" + self.path(kobj).encode("latin-1"))
            self.add_var(env, b"SUBSYSTEM=" + subsystem.encode("latin-1"))
            for text in more:
                self.add_var(env, text)
            if ops is not None:
                ops.uevent(kobj, env)
            elif kset["uevent_ops"] and (uevent := kset.to("uevent_ops")["uevent"]):
                ret = kernel.cpu.call(uevent, kobj.address, env.address)
                if ret:
                    raise err(-ret)
        if action == 0:
            kobj["state_add_uevent_sent"] = 1

    def synth_uevent(self, kobj: StructView, data: bytes) -> None:
        """``kobject_synth_uevent()``: an action, and perhaps a UUID and variables, as written to ``uevent``.

        :raises OSError: EINVAL, or what the object's set says
        """
        if data[-1:] in (b"\n", b"\0"):
            data = data[:-1]
        action, space, args = data.partition(b" ")
        message = "failed to send uevent"
        error = err(errno.EINVAL)
        if action not in _UEVENT_ACTIONS:
            message = "unknown uevent action string"
        elif space and not _UEVENT_ARGS.fullmatch(args):
            message = "incorrect uevent action arguments"
        else:
            uuid, *variables = args.split(b" ") if space else [b"0"]
            more = (b"SYNTH_UUID=" + uuid, *(b"SYNTH_ARG_" + variable for variable in variables))
            try:
                self.uevent(kobj, _UEVENT_ACTIONS.index(action), more)
                return
            except PageFault:
                raise
            except OSError as failed:
                error = failed
        self._kernel.log.pr_warn(f"synth uevent: {self.path(kobj)}: {message}")
        raise error

    @contextmanager
    def _environment(self) -> Iterator[StructView]:
        kernel = self._kernel
        env = kernel.struct("kobj_uevent_env", kernel.slab.kmalloc(kernel.image.structs["kobj_uevent_env"].size))
        try:
            yield env
        finally:
            kernel.slab.kfree(env.address)

    def add_var(self, env: StructView, text: bytes) -> None:
        """``add_uevent_var()``.

        :raises OSError: ENOMEM where there is no room left
        """
        kernel = self._kernel
        index, used = env["envp_idx"], env["buflen"]
        if index >= _UEVENT_NUM_ENVP:
            kernel.traps.warn_at(
                "lib/kobject_uevent.c", 675, "add_uevent_var: too many keys", site="add_uevent_var+0x103"
            )
            raise err(errno.ENOMEM)
        if len(text) >= _UEVENT_BUFFER_SIZE - used:
            kernel.traps.warn_at(
                "lib/kobject_uevent.c", 686, "add_uevent_var: buffer size too small", site="add_uevent_var+0x118"
            )
            raise err(errno.ENOMEM)
        where = env.at("buf") + used
        kernel.memory.write(where, text + b"\0")
        kernel.memory.write_pointer(env.at("envp") + 8 * index, where)
        env["envp_idx"], env["buflen"] = index + 1, used + len(text) + 1


@dataclass
class UeventOps:
    """``struct kset_uevent_ops`` of a set of the kernel's own."""

    filter: Callable[[StructView], bool]
    name: Callable[[StructView], str | None]
    uevent: Callable[[StructView, StructView], None]
