"""/sys: kernel objects (fs/sysfs/), and modules (kernel/module/sysfs.c, kernel/params.c).

Directories of kernel objects are those of the kernel model (:class:`~sysfsd.linux.lib.kobject.Sysfs`); nodes for what
is in one are made when somebody looks there. What a module's directory holds is written down in tables: the attributes
of every module in ``MODINFO_ATTRS``, its parameters in the module itself.
"""

from __future__ import annotations

import errno
import re
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from sysfsd.fs.debugfs import debugfs
from sysfsd.fs.kernfs import PAGE_SIZE, Attribute, BinAttribute, Directory, FileSystemType, Node, Symlink, kernfs_order
from sysfsd.image.image import BuiltinModule, BuiltinParameter
from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.err import err
from sysfsd.linux.fs.sysfs.file import bin_read, bin_write, show, store
from sysfsd.linux.kernel.cred import Cred
from sysfsd.linux.kernel.module.module import Module, ModuleSection
from sysfsd.linux.kernel.panic import taint_letters
from sysfsd.linux.kernel.params import SIMPLE_PARAM_OPS, KernelParam, show_param, store_param
from sysfsd.linux.lib.kobject import Kobjects, Sysfs, SysfsDirectory, SysfsFile, SysfsLink, SysfsNode
from sysfsd.linux.lib.kstrtox import INT_TYPES, kstrto, kstrtobool
from sysfsd.linux.system import Kernel

__all__ = ["MODINFO_ATTRS", "KobjectTree", "ModuleAttribute", "ModuleKset", "sys"]

_S_IWUGO: Final = 0o222
#: ``0x``, sixteen digits, a newline.
_MODULE_SECT_READ_SIZE: Final = 19

#: The file system that /sys is.
SYSFS: Final = FileSystemType(create=errno.EACCES, order=kernfs_order)


def _show(show: Callable[[Module], object], mod: Module) -> bytes:
    return _text(show(mod))


def _text(value: object) -> bytes:
    return f"{value}\n".encode("latin-1")[: PAGE_SIZE - 1]


_UEVENT_ACTIONS: Final = (b"add", b"remove", b"change", b"move", b"online", b"offline", b"bind", b"unbind")
_UEVENT_ARGS: Final = re.compile(rb"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}( [0-9A-Za-z]+=[0-9A-Za-z]+)*")


def _store_uevent(kernel: Kernel, name: str, data: bytes) -> None:
    """``kobject_synth_uevent()``: an action, and perhaps a UUID and variables. Nobody here listens.

    :raises OSError: EINVAL
    """
    if data[-1:] in (b"\n", b"\0"):
        data = data[:-1]
    action, space, args = data.partition(b" ")
    if action not in _UEVENT_ACTIONS:
        message = "unknown uevent action string"
    elif space and not _UEVENT_ARGS.fullmatch(args):
        message = "incorrect uevent action arguments"
    else:
        return
    kernel.log.pr_warn(f"synth uevent: /module/{name}: {message}")
    raise err(errno.EINVAL)


class ModuleAttribute(NamedTuple):
    """``struct module_attribute``: a file in each module's directory.

    *exists* says which modules have it.
    """

    name: str
    mode: int
    show: Callable[[Module], object] | None = None
    store: Callable[[Kernel, str, bytes], None] | None = None
    exists: Callable[[Kernel, Module], bool] = lambda kernel, mod: True


MODINFO_ATTRS: Final = (
    ModuleAttribute("uevent", 0o200, store=_store_uevent),
    ModuleAttribute("version", 0o444, lambda mod: mod.version, exists=lambda kernel, mod: mod.version is not None),
    ModuleAttribute(
        "srcversion", 0o444, lambda mod: mod.srcversion, exists=lambda kernel, mod: mod.srcversion is not None
    ),
    ModuleAttribute("initstate", 0o444, lambda mod: mod.state.name.lower()),
    ModuleAttribute("coresize", 0o444, lambda mod: mod.core_layout.size),
    ModuleAttribute("initsize", 0o444, lambda mod: mod.init_layout.size),
    ModuleAttribute("taint", 0o444, lambda mod: taint_letters(mod.taints)),
    ModuleAttribute(
        "refcnt", 0o444, lambda mod: mod.refcount, exists=lambda kernel, mod: "CONFIG_MODULE_UNLOAD" in kernel.config
    ),
)


def sys(kernel: Kernel) -> Directory:
    """The directory /sys."""
    return KobjectTree(kernel).root


# Kernel objects


class KobjectDirectory(Directory):
    """The directory of a kernel object, or of a group of its attributes.

    :param source: the same in the kernel model
    """

    def __init__(self, tree: KobjectTree, source: SysfsDirectory, fstype: FileSystemType | None = None) -> None:
        super().__init__(mode=source.mode, fstype=fstype)
        self._tree = tree
        self._source = source
        self.filled = False

    @property
    def children(self) -> dict[str, Node]:
        if not self.filled:
            self._tree.fill(self, self._source)
        return self._children

    @property
    def nlink(self) -> int:
        return 2 + sum(isinstance(child, SysfsDirectory) for child in list(self._source.children.values()))

    def fill(self, nodes: dict[str, Node]) -> None:
        self._adopt(nodes)
        self.filled = True

    def put(self, node: Node) -> None:
        self._adopt({node.name: node})

    def drop(self, name: str) -> Node | None:
        node = self._children.pop(name, None)
        if node is not None:
            node.parent = None
        return node


class _Link(Symlink):
    """A link to another object's directory, wherever that is."""

    def __init__(self, source: SysfsLink) -> None:
        super().__init__("")
        self._source = source

    @property
    def target(self) -> str:
        """``kernfs_get_target_path()``: from the directory of the link, up to what is above both, and down."""
        own = self._source.parent
        to = self._source.target.path if self._source.target is not None else self._source.elsewhere
        base = own.path.rstrip("/") if own is not None else ""
        up = ""
        while base and not to.startswith(f"{base}/"):
            base = base.rpartition("/")[0]
            up += "../"
        return up + to[len(base) + 1 :]

    @target.setter
    def target(self, target: str) -> None:
        pass


class KobjectTree:
    """All directories of /sys; it follows the kernel as objects and their attributes come and go.

    Lookups do not wait for the kernel lock. *_mutex* is held while the nodes in a directory are made or exchanged, and
    nothing is waited for meanwhile.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._sysfs = kernel.state(Sysfs)
        self._mutex = threading.Lock()
        #: The directories that there are, by the kernel's own.
        self._directories: dict[SysfsDirectory, Directory] = {}
        self.root = KobjectDirectory(self, self._sysfs.root, SYSFS)
        self._directories[self._sysfs.root] = self.root
        module = self._sysfs.lookup("module")
        assert isinstance(module, SysfsDirectory)
        self._modules = module
        self._directories[module] = ModuleKset(kernel, self)
        debug = self._sysfs.lookup("kernel/debug")
        assert isinstance(debug, SysfsDirectory)
        self._directories[debug] = debugfs(kernel)
        self._sysfs.observer = self

    # Nodes

    def fill(self, directory: KobjectDirectory, source: SysfsDirectory) -> None:
        """Make the nodes of a directory, unless another thread has."""
        with self._mutex:
            if not directory.filled:
                directory.fill({child.name: self._node(child) for child in list(source.children.values())})

    def _node(self, source: SysfsNode) -> Node:
        if isinstance(source, SysfsDirectory):
            found = self._directories.get(source)
            if found is None:
                found = self._directories[source] = KobjectDirectory(self, source)
            return found
        if isinstance(source, SysfsLink):
            return _Link(source)
        assert isinstance(source, SysfsFile)
        kernel = self._kernel
        if source.binary:
            return BinAttribute(
                source.mode,
                source.size,
                (lambda cred, offset, size: bin_read(kernel, source, offset, size)) if source.readable else None,
                kernel.lock,
                partial(bin_write, kernel, source) if source.writable else None,
            )
        return Attribute(
            source.mode,
            partial(show, kernel, source),
            partial(store, kernel, source),
            kernel.lock,
            source.readable,
            source.writable,
        )

    def module(self, source: SysfsDirectory, directory: Directory) -> None:
        """The directory of a module, in which there may be objects."""
        for child in source.children.values():
            directory.add(child.name, self._node(child))
        self._directories[source] = directory

    # The kernel says

    def exists(self, parent: SysfsDirectory, name: str) -> bool:
        if parent.parent is not self._modules:
            return False
        directory = self._directories.get(parent)
        return directory is not None and name in directory.children

    def added(self, node: SysfsNode) -> None:
        assert node.parent is not None
        parent = self._directories.get(node.parent)
        if isinstance(parent, KobjectDirectory):
            with self._mutex:
                if parent.filled and node.name not in parent.children:
                    made = self._node(node)
                    made.name = node.name
                    parent.put(made)
            parent.touch(node.name)
        elif parent is not None and node.parent is not self._modules:
            parent.add(node.name, self._node(node))

    def removed(self, node: SysfsNode, parent: SysfsDirectory, name: str) -> None:
        directory = self._directories.get(parent)
        if isinstance(directory, KobjectDirectory):
            with self._mutex:
                gone = directory.drop(name)
            directory.touch(name, removed=gone)
        elif directory is not None and name in directory.children:
            directory.remove(name)
        self._forget(node)

    def _forget(self, node: SysfsNode) -> None:
        if isinstance(node, SysfsDirectory) and self._directories.pop(node, None) is not None:
            for child in node.children.values():
                self._forget(child)

    def mode_changed(self, node: SysfsFile) -> None:
        shown = self._shown(node)
        if shown is not None and shown.parent is not None:
            shown.mode = node.mode
            shown.parent.touch(node.name)

    def notified(self, node: SysfsFile) -> None:
        shown = self._shown(node)
        if isinstance(shown, Attribute):
            shown.notify()

    def _shown(self, node: SysfsFile) -> Node | None:
        """What users see of a file, if anybody has looked into its directory."""
        directory = self._directories.get(node.parent) if node.parent is not None else None
        if directory is None or (isinstance(directory, KobjectDirectory) and not directory.filled):
            return None
        return directory.children.get(node.name)


# Modules


def _kobject_name(mod: Module) -> str:
    """``kobject_set_name_vargs()``: a slash cannot be in a name."""
    return mod.name.replace("/", "!")


class ModuleKset(Directory):
    """The directory of all modules, built in or loaded; it follows the kernel as modules come and go."""

    def __init__(self, kernel: Kernel, tree: KobjectTree) -> None:
        self._kernel = kernel
        self._tree = tree
        super().__init__({name: self._builtin(name, module) for name, module in kernel.image.builtin_modules.items()})
        kernel.sysfs = self
        for mod in reversed(list(kernel.modules)):
            self.mod_sysfs_setup(mod)
            for link, path in kernel.state(DriverCore).bus.module_drivers.get(mod.address, {}).items():
                self.module_add_driver(mod, link, path)

    # The kernel says

    def mod_sysfs_setup(self, mod: Module) -> None:
        """:raises OSError: EEXIST where two parameters want the same file"""
        visible = Counter(kp.name for kp in mod.kp if kp.perm)
        for parameter, times in visible.items():
            if times > 1:
                path = f"/module/{mod.name}/parameters/{parameter}"
                self._kernel.log.pr_warn(f"sysfs: cannot create duplicate filename '{path}'")
                raise err(errno.EEXIST)
        name = _kobject_name(mod)
        directory = self._module(mod)
        self.add(name, directory)
        self._tree.module(self._kernel.state(Kobjects).modules[mod.address], directory)
        for used in mod.target_list:
            self._holders(used).add(name, Symlink(f"../../{name}"))

    def mod_sysfs_teardown(self, mod: Module) -> None:
        for used in mod.target_list:
            holders = self._holders(used)
            if _kobject_name(mod) in holders.children:
                holders.remove(_kobject_name(mod))
        if _kobject_name(mod) in self.children:  # unless the module's own code has taken it away
            self.remove(_kobject_name(mod))

    def module_add_driver(self, mod: Module, link: str, path: str) -> None:
        """The first one brings the directory along."""
        module = self._directory(mod)
        drivers = module.children.get("drivers")
        if drivers is None:
            drivers = Directory()
            module.add("drivers", drivers)
        assert isinstance(drivers, Directory)
        if link not in drivers.children:
            drivers.add(link, Symlink(f"../../..{path}"))

    def module_remove_driver(self, mod: Module, link: str) -> None:
        drivers = self._directory(mod).children.get("drivers")
        if isinstance(drivers, Directory) and link in drivers.children:
            drivers.remove(link)

    def _directory(self, mod: Module) -> Directory:
        """The directory of *mod*; one that nobody sees, if its own code has taken it away."""
        module = self.children.get(_kobject_name(mod))
        return module if isinstance(module, Directory) else Directory({"holders": Directory()})

    def _holders(self, mod: Module) -> Directory:
        module = self._directory(mod)
        holders = module.children["holders"]
        assert isinstance(holders, Directory)
        return holders

    # A loaded module

    def _module(self, mod: Module) -> Directory:
        kernel = self._kernel
        nodes: dict[str, Node] = {
            attr.name: Attribute(
                attr.mode,
                partial(_show, attr.show, mod) if attr.show else None,
                partial(attr.store, kernel, mod.name) if attr.store else None,
                kernel.lock,
                prompt=True,
            )
            for attr in MODINFO_ATTRS
            if attr.exists(kernel, mod)
        }
        nodes["holders"] = Directory()
        if any(kp.perm for kp in mod.kp):
            nodes["parameters"] = Directory(lambda: {kp.name: self._parameter(kp) for kp in mod.kp if kp.perm})
        names = [section.name for section in mod.sections]
        if len(set(names)) == len(names):
            nodes["sections"] = Directory(lambda: {s.name: self._section(s) for s in mod.sections})
            if any(section.note for section in mod.sections):
                nodes["notes"] = Directory(lambda: {s.name: self._note(s) for s in mod.sections if s.note})
        return Directory(nodes)

    def _parameter(self, kp: KernelParam) -> Attribute:
        """A parameter without a write bit from the start stays read-only, whatever its mode becomes."""
        return Attribute(
            kp.perm,
            partial(show_param, self._kernel, kp),
            partial(store_param, self._kernel, kp) if kp.perm & _S_IWUGO else None,
            self._kernel.lock,
            prompt=kp.ops in SIMPLE_PARAM_OPS,
        )

    def _section(self, section: ModuleSection) -> BinAttribute:
        """Its address; a read may only start at the beginning."""

        def read(cred: Cred, offset: int, size: int) -> bytes:
            if offset:
                raise err(errno.EINVAL)
            address = section.address if self._kernel.kallsyms_show_value(cred) else 0
            return f"0x{address:016x}\n".encode()[:size]

        return BinAttribute(0o400, _MODULE_SECT_READ_SIZE, read, self._kernel.lock, prompt=True)

    def _note(self, section: ModuleSection) -> BinAttribute:
        def read(cred: Cred, offset: int, size: int) -> bytes:
            return self._kernel.memory.read(section.address + offset, size)

        return BinAttribute(0o444, section.size, read, self._kernel.lock, prompt=True)

    # A module that is part of the kernel

    def _builtin(self, name: str, module: BuiltinModule) -> Directory:
        nodes: dict[str, Node] = {"uevent": Attribute(0o200, None, partial(_store_uevent, self._kernel, name))}
        if module.version is not None:
            nodes["version"] = Attribute(0o444, partial(_text, module.version))
        if module.parameters:
            nodes["parameters"] = Directory(
                lambda: {p: self._builtin_parameter(value) for p, value in module.parameters.items()}
            )
        if module.drivers:
            nodes["drivers"] = Directory({driver: Symlink(target) for driver, target in module.drivers.items()})
        return Directory(nodes)

    def _builtin_parameter(self, parameter: BuiltinParameter) -> Attribute:
        """Its type is not known, only its value: a new value must be of the same kind."""

        def store(data: bytes) -> None:
            text = data.split(b"\0", 1)[0]
            if parameter.value in ("Y", "N"):
                parameter.value = "Y" if kstrtobool(text) else "N"
            elif re.fullmatch(r"-?\d+", parameter.value):
                parameter.value = str(kstrto(INT_TYPES["ll"], text))
            else:
                parameter.value = text.removesuffix(b"\n").decode("latin-1")

        return Attribute(parameter.mode, lambda: _text(parameter.value), store if parameter.mode & _S_IWUGO else None)
