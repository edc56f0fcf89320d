"""``struct module``: one loaded module (include/linux/module.h, kernel/module/internal.h)."""

from __future__ import annotations

import errno
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from sysfsd.linux.err import err
from sysfsd.linux.kernel.panic import Taint, taint_letters
from sysfsd.linux.lib.list import INIT_LIST_HEAD, list_add, list_del
from sysfsd.linux.mm.memory import PAGE_SIZE, PageFault

if TYPE_CHECKING:
    from sysfsd.image.image import ExportedSymbol, KernelImage
    from sysfsd.linux.kernel.params import KernelParam
    from sysfsd.linux.mm.memory import Memory

__all__ = ["MODULE_NAME_LEN", "Module", "ModuleKallsyms", "ModuleLayout", "ModuleList", "ModuleSection", "ModuleState"]

#: The room for a module's name, its NUL included (bytes).
MODULE_NAME_LEN: Final = 56

#: What the loader itself holds as long as the module is not going (kernel/module/main.c).
MODULE_REF_BASE: Final = 1
#: How often who waits for another module looks for a signal (seconds).
_SIGNAL_POLL: Final = 0.05


class ModuleState(Enum):
    """``enum module_state``."""

    LIVE = 0
    COMING = 1
    GOING = 2
    UNFORMED = 3


@dataclass(slots=True)
class ModuleLayout:
    """Where one region of a module lies: its parts follow each other, each ending on a page (addresses, bytes)."""

    base: int = 0
    size: int = 0
    text_size: int = 0
    ro_size: int = 0
    ro_after_init_size: int = 0

    def __contains__(self, address: int) -> bool:
        return self.base <= address < self.base + self.size


class ModuleSection(NamedTuple):
    """A loaded section: what /sys/module/NAME/sections tells."""

    name: str
    address: int
    size: int
    note: bool


class ModuleKallsyms(NamedTuple):
    """``struct mod_kallsyms``: addresses of a symbol table, its strings and its types (one letter each)."""

    symtab: int
    num_symtab: int
    strtab: int
    typetab: int


@dataclass(eq=False)
class Module:
    """A module from the moment its name is taken until that is free again.

    The memory of the module itself holds what its code can see; what only the loader needs is here.
    """

    name: str
    #: Address of the module's own ``struct module``.
    address: int
    state: ModuleState = ModuleState.UNFORMED
    taints: int = 0
    sig_ok: bool = False
    using_gplonly_symbols: bool = False
    async_probe_requested: bool = False
    core_layout: ModuleLayout = field(default_factory=ModuleLayout)
    init_layout: ModuleLayout = field(default_factory=ModuleLayout)
    refcnt: int = 0
    #: The modules that use this one, and the ones that it uses; the newest first.
    source_list: list[Module] = field(default_factory=list)
    target_list: list[Module] = field(default_factory=list)
    kp: list[KernelParam] = field(default_factory=list)
    syms: list[ExportedSymbol] = field(default_factory=list)
    version: str | None = None
    srcversion: str | None = None
    sections: list[ModuleSection] = field(default_factory=list)
    kallsyms: ModuleKallsyms | None = None
    core_kallsyms: ModuleKallsyms | None = None
    args: bytes = b""
    #: Offset of its per-CPU data in each CPU's area, if it has any.
    percpu: int | None = None
    init: int = 0
    exit: int = 0

    @property
    def refcount(self) -> int:
        """``module_refcount()``: references held by others, -1 while unloading."""
        return self.refcnt - MODULE_REF_BASE

    @property
    def permanent(self) -> bool:
        """A module that can start but not stop."""
        return bool(self.init and not self.exit)

    @property
    def live(self) -> bool:
        """``module_is_live()``."""
        return self.state is not ModuleState.GOING

    def tainted(self, taint: Taint) -> bool:
        return bool(self.taints >> taint & 1)

    def try_module_get(self) -> bool:
        """Take a reference, unless the module is on its way out."""
        if self.live and self.refcnt > 0:
            self.refcnt += 1
            return True
        return False

    def module_put(self) -> None:
        """Give a reference back."""
        self.refcnt = max(self.refcnt - 1, 0)

    def section(self, name: str) -> ModuleSection | None:
        """The loaded section of that name."""
        return next((section for section in self.sections if section.name == name), None)

    def flags(self) -> str:
        """``module_flags()``: the taints, and + or - for a module that is coming or going: ``(OE+)``."""
        sign = {ModuleState.GOING: "-", ModuleState.COMING: "+"}.get(self.state, "")
        return f"({taint_letters(self.taints)}{sign})" if self.taints or sign else ""


class ModuleList:
    """The modules of one kernel, who uses whom, and what they export to each other.

    :param image: the kernel, whose own exports come first
    :param memory: where their own structures lie
    :param wq: ``module_wq``: where one waits for a module to get on with it, giving up the kernel lock
    """

    def __init__(self, image: KernelImage, memory: Memory, wq: threading.Condition) -> None:
        self._image = image
        self._memory = memory
        self._modules: dict[str, Module] = {}
        self._exports: dict[str, tuple[ExportedSymbol, Module]] = {}
        self._wq = wq
        #: ``mod_tree``: where each region begins and ends, in order; None when that has to be seen again.
        self._tree: list[tuple[int, int, Module]] | None = None
        #: Tells who wants to know what becomes of the module at an address; returns 0, or what is wrong with that.
        self.notify: Callable[[int, int], int] = lambda address, state: 0
        #: What was last unloaded, and its taints, as an oops shows them.
        self.last_unloaded = ""

    def __iter__(self) -> Iterator[Module]:
        """The modules as others see them, the newest first."""
        return (mod for mod in reversed(list(self._modules.values())) if self._listed(mod))

    def find(self, name: str) -> Module | None:
        """``find_module()``."""
        mod = self._modules.get(name)
        return mod if mod is not None and self._listed(mod) else None

    def _listed(self, mod: Module) -> bool:
        """Whether others find *mod*."""
        return mod.state is not ModuleState.UNFORMED and self._linked(mod)

    def _linked(self, mod: Module) -> bool:
        """Whether *mod* is on the list: module code can take a module off it."""
        node = self._node(mod)
        try:
            before = self._memory.read_pointer(node + 8)
            return before != node and self._memory.read_pointer(before) == node
        except PageFault:
            return False

    def _node(self, mod: Module) -> int:
        return mod.address + self._image.offset("module", "list")

    @cached_property
    def _head(self) -> int:
        """Where the list of ``struct module`` begins."""
        head = self._memory.alloc_pages(PAGE_SIZE)
        INIT_LIST_HEAD(self._memory, head)
        return head

    def link(self, mod: Module) -> None:
        """Put *mod*, which has its memory now, on the list."""
        list_add(self._memory, self._node(mod), self._head)

    def add_unformed(self, mod: Module, interrupted: Callable[[], bool] = lambda: False) -> None:
        """Take the name of *mod*; one that is being loaded right now is waited for.

        :raises OSError: EEXIST for a name that is taken, EBUSY where another attempt at it has just failed, EINTR
        """
        if mod.name in self._modules:
            while (old := self._modules.get(mod.name)) is not None and old.state in (
                ModuleState.COMING,
                ModuleState.UNFORMED,
            ):
                self.wait(interrupted)
            raise err(errno.EEXIST if old is not None and old.state is ModuleState.LIVE else errno.EBUSY)
        mod.state = ModuleState.UNFORMED
        self._modules[mod.name] = mod
        self.layout_changed()

    def address(self, address: int) -> Module | None:
        """``__module_address()``: the module that *address* lies in, code or data."""
        tree = self._tree
        if tree is None:
            layouts = ((layout, mod) for mod in self._modules.values() for layout in (mod.core_layout, mod.init_layout))
            tree = self._tree = sorted(
                ((layout.base, layout.base + layout.size, mod) for layout, mod in layouts if layout.size),
                key=itemgetter(0),
            )
        index = bisect_right(tree, address, key=itemgetter(0)) - 1
        return tree[index][2] if index >= 0 and address < tree[index][1] else None

    def layout_changed(self) -> None:
        """Memory of a module has come or gone."""
        self._tree = None

    def set_state(self, mod: Module, state: ModuleState) -> None:
        """What a module is about, for its own code to see as well."""
        mod.state = state
        if mod.address:
            self._memory.write_int(mod.address + self._image.offset("module", "state"), state.value)

    def unlink(self, mod: Module) -> None:
        """Take *mod* off the list."""
        if mod.address and self._linked(mod):
            list_del(self._memory, self._node(mod))
        self.remove_exports(mod)
        del self._modules[mod.name]
        self.layout_changed()
        self.wake_up()

    def wake_up(self) -> None:
        """Whoever waits for a module to get on with it looks again."""
        self._wq.notify_all()

    def wait(self, interrupted: Callable[[], bool], timeout: float = _SIGNAL_POLL) -> None:
        """Wait until some module has got on with it, or for a while: whoever calls looks whether it is so.

        :param timeout: the longest that is of use (seconds)
        :raises OSError: EINTR once *interrupted*
        """
        if interrupted():
            raise err(errno.EINTR)
        self._wq.wait(min(timeout, _SIGNAL_POLL))

    # Symbols

    def find_symbol(self, name: str, gplok: bool = True) -> tuple[ExportedSymbol, Module | None] | None:
        """An exported symbol and the module it is in (None: the kernel); without *gplok*, none for GPL modules only."""
        found = self._exports.get(name)
        if found is not None:
            return found if gplok or not found[0].gpl_only else None
        symbol = self._image.find_export(name)
        return (symbol, None) if symbol is not None and (gplok or not symbol.gpl_only) else None

    def add_exports(self, mod: Module) -> None:
        self._exports.update((symbol.name, (symbol, mod)) for symbol in mod.syms)

    def remove_exports(self, mod: Module) -> None:
        for symbol in mod.syms:
            if (found := self._exports.get(symbol.name)) is not None and found[1] is mod:
                del self._exports[symbol.name]

    # Who uses whom

    def ref_module(self, user: Module, used: Module) -> None:
        """*user* needs *used* for as long as it is there.

        :raises OSError: EBUSY while *used* is still starting, ENOENT when it is going
        """
        if user in used.source_list:
            return
        if used.state is ModuleState.COMING:
            raise err(errno.EBUSY)
        if not used.try_module_get():
            raise err(errno.ENOENT)
        used.source_list.insert(0, user)
        user.target_list.insert(0, used)

    def unload_free(self, mod: Module) -> None:
        """``module_unload_free()``: *mod* needs nobody any more."""
        for used in mod.target_list:
            used.module_put()
            used.source_list.remove(mod)
        mod.target_list.clear()
