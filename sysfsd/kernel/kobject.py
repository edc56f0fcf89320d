"""Kernel objects and the tree of directories that they make up (lib/kobject.c, lib/kobject_uevent.c, fs/sysfs/).

Objects lie in the kernel's memory, where modules have them; the tree is ours. Whoever shows /sys walks it from
:attr:`Sysfs.root`.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sysfsd.kernel.err import err
from sysfsd.kernel.list import INIT_LIST_HEAD, list_add_tail, list_del_init, list_entries
from sysfsd.kernel.memory import PageFault
from sysfsd.kernel.vsprintf import ptr_to_hashval

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

__all__ = ["Kobjects", "Sysfs", "SysfsDirectory", "SysfsFile", "SysfsLink", "SysfsNode", "UeventOps", "errors_ignored"]

_SYSFS_MODES: Final = 0o10664
_UEVENT_ACTIONS: Final = (b"add", b"remove", b"change", b"move", b"online", b"offline", b"bind", b"unbind")
_UEVENT_NUM_ENVP: Final = 64
_UEVENT_BUFFER_SIZE: Final = 2048


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


@dataclass(eq=False)
class SysfsFile(SysfsNode):
    """An attribute of the object at *kobj*.

    A module's is the ``struct attribute`` or ``struct bin_attribute`` at *attr*; one of the kernel's own has *show*.
    """

    mode: int = 0
    kobj: int = 0
    attr: int = 0
    binary: bool = False
    show: Callable[[], bytes] | None = None


@dataclass(eq=False)
class SysfsLink(SysfsNode):
    """A symbolic link to another object's directory."""

    target: SysfsDirectory | None = None
    #: Where it leads, if not there: from the root of sysfs.
    elsewhere: str = ""


class Sysfs:
    """The tree of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.root = SysfsDirectory("", None, 0)
        self._by_address: dict[int, SysfsNode] = {}

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
        if node.name in parent.children:
            self._warn_dup(parent, node.name)
            raise err(errno.EEXIST)
        kernel = self._kernel
        node.address = kernel.slab.kmalloc(kernel.image.structs["kernfs_node"].size)
        parent.children[node.name] = node
        self._by_address[node.address] = node
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
        while waiting:
            node = waiting.pop()
            if isinstance(node, SysfsDirectory):
                waiting.extend(node.children.values())
                node.children.clear()
            if self._by_address.pop(node.address, None) is not None:
                self._kernel.slab.kfree(node.address)

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
        del node.parent.children[node.name]
        node.name, node.parent = name, parent
        parent.children[name] = node

    # Attributes

    def create_file(self, directory: SysfsDirectory, attr: int, mode: int | None = None, binary: bool = False) -> None:
        """``sysfs_add_file_mode_ns()``: the attribute that lies at *attr*.

        :raises OSError: EEXIST, ENOMEM
        """
        view = self._kernel.struct("attribute", attr)
        name = view.string("name").decode("latin-1")
        mode = view["mode"] if mode is None else mode
        self.add(SysfsFile(name, directory, 0, mode & 0o777, directory.kobj, attr, binary))

    def create_own_file(self, directory: SysfsDirectory, name: str, mode: int, show: Callable[[], bytes]) -> None:
        """An attribute that the kernel itself shows.

        :raises OSError: EEXIST, ENOMEM
        """
        self.add(SysfsFile(name, directory, 0, mode, directory.kobj, 0, False, show))

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
                kernel.traps.warn_here("fs/sysfs/group.c", 115)
            raise err(errno.EINVAL)
        grp = kernel.struct("attribute_group", group)
        name = grp.string("name").decode("latin-1") if grp["name"] else ""
        if not grp["attrs"] and not grp["bin_attrs"]:
            kernel.traps.warn_message(
                f"sysfs: (bin_)attrs not set by subsystem for group: {directory.name}/{name}", "fs/sysfs/group.c", 122
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
        for array, visible, binary, line in (
            ("attrs", "is_visible", False, 59),
            ("bin_attrs", "is_bin_visible", True, 88),
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
                    kernel.traps.warn_message(text, "fs/sysfs/group.c", line)
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
                self._kernel.traps.warn_message(
                    f"sysfs group '{name}' not found for kobject '{directory.name}'", "fs/sysfs/group.c", 278
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


class Kobjects:
    """The kernel objects of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.sysfs = kernel.state(Sysfs)
        self._release: dict[int, Callable[[StructView], None]] = {}
        #: What the kernel does for ksets of its own when something happens to a member: which name, and variables.
        self._dynamic = self.new_ktype(lambda kobj: kernel.slab.kfree(kobj.address))
        self._kset_ktype = self.new_ktype(self._kset_release)
        self.uevent_ops: dict[int, UeventOps] = {}

    def new_ktype(self, release: Callable[[StructView], None] | None = None) -> int:
        """A type of objects that belong to the kernel proper.

        :returns: its address
        """
        kernel = self._kernel
        address = kernel.slab.kmalloc(kernel.image.structs["kobj_type"].size)
        with suppress(KeyError):
            kernel.struct("kobj_type", address)["sysfs_ops"] = kernel.exports.data_address("kobj_sysfs_ops")
        if release is not None:
            self._release[address] = release
        return address

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
            kernel.traps.warn_message(
                f"kobject: ({ptr_to_hashval(kobj.address)}): attempted to be registered with empty name!",
                "lib/kobject.c",
                210,
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
            self._check_initialized(kobj, "kobject_get", 632)
            kobj["kref.refcount.refs.counter"] += 1
        return kobj

    def _check_initialized(self, kobj: StructView, function: str, line: int) -> None:
        if not kobj["state_initialized"]:
            self._kernel.traps.warn_message(
                f"kobject: '{self.name(kobj) or '(null)'}' ({ptr_to_hashval(kobj.address)}): is not initialized, yet"
                f" {function}() is being called.",
                "lib/kobject.c",
                line,
            )

    def put(self, kobj: StructView) -> None:
        """``kobject_put()``."""
        if not kobj.address:
            return
        self._check_initialized(kobj, "kobject_put", 726)
        left = kobj["kref.refcount.refs.counter"] - 1
        if left < 0:
            self._kernel.traps.warn_message("refcount_t: underflow; use-after-free.", "lib/refcount.c", 28)
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
            kernel.traps.warn_message("add_uevent_var: too many keys", "lib/kobject_uevent.c", 675)
            raise err(errno.ENOMEM)
        if len(text) >= _UEVENT_BUFFER_SIZE - used:
            kernel.traps.warn_message("add_uevent_var: buffer size too small", "lib/kobject_uevent.c", 686)
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
