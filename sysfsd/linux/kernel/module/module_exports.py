"""Modules as other modules see them: references, symbols, loading on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.module.module import Module, ModuleState
from sysfsd.linux.kernel.notifier_exports import (
    NOTIFY_STOP_MASK,
    call_notifiers,
    insert_notifier,
    remove_notifier,
)

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/module/main.c")


def _module(kernel: Kernel, address: int) -> Module | None:
    """The module whose structure is at *address*."""
    mod = kernel.modules.address(address)
    return mod if mod is not None and mod.address == address else None


@export("bool try_module_get(struct module *module)")
def try_module_get(kernel: Kernel, module: StructView) -> bool:
    address = module.address
    mod = _module(kernel, address)
    return not address or (mod is not None and mod.try_module_get())


@export("void __module_get(struct module *module)")
def __module_get(kernel: Kernel, module: StructView) -> None:
    mod = _module(kernel, module.address)
    if mod is not None:
        mod.refcnt += 1


@export("void module_put(struct module *module)")
def module_put(kernel: Kernel, module: StructView) -> None:
    mod = _module(kernel, module.address)
    if mod is not None:
        if mod.refcnt <= 0:
            kernel.traps.warn_at("kernel/module/main.c", 857, site="module_put+0x8b")
        mod.module_put()


@export("void __module_put_and_kthread_exit(struct module *mod, long code)")
def __module_put_and_kthread_exit(kernel: Kernel, mod: StructView, code: int) -> None:
    module_put(kernel, mod)
    kernel.kthreads.exit(code)


@export("int module_refcount(struct module *mod)")
def module_refcount(kernel: Kernel, mod: StructView) -> int:
    found = _module(kernel, mod.address)
    return found.refcount if found is not None else 0


@export("void *__symbol_get(const char *symbol)")
def __symbol_get(kernel: Kernel, symbol: bytes) -> int:
    name = symbol.decode("latin-1")
    found = kernel.modules.find_symbol(name)
    if found is None:
        return 0
    export_, owner = found
    if not export_.gpl_only:
        kernel.log.pr_warn(f"failing symbol_get of non-GPLONLY symbol {name}.")
        return 0
    if owner is not None and (owner.state is not ModuleState.LIVE or not owner.try_module_get()):
        return 0
    return export_.value


@export("void __symbol_put(const char *symbol)")
def __symbol_put(kernel: Kernel, symbol: bytes) -> None:
    found = kernel.modules.find_symbol(symbol.decode("latin-1"))
    if found is None:
        kernel.sched.preempt_count += 1
        kernel.traps.bug_at("kernel/module/main.c", 784, "__symbol_put+0x8e")
    if found[1] is not None:
        found[1].module_put()


@export("void symbol_put_addr(void *addr)")
def symbol_put_addr(kernel: Kernel, addr: int) -> None:
    mod = kernel.modules.address(addr)
    if mod is not None:
        mod.module_put()


_NOTIFY_OK: Final = 1


# Modules that come and go


class _Modules:
    """``module_notify_list``."""

    def __init__(self, kernel: Kernel) -> None:
        struct = kernel.image.structs["blocking_notifier_head"]
        self.head = kernel.struct("blocking_notifier_head", kernel.slab.kmalloc(struct.size))

        def call(address: int, state: int) -> int:
            link = self.head.at("head")
            result, called = call_notifiers(kernel, link, state, address)
            if result & NOTIFY_STOP_MASK and state == ModuleState.COMING.value:
                call_notifiers(kernel, link, ModuleState.GOING.value, address, called - 1)
            result &= ~NOTIFY_STOP_MASK
            return _NOTIFY_OK - result if result > _NOTIFY_OK else 0

        kernel.modules.notify = call


@export("int register_module_notifier(struct notifier_block *nb)")
def register_module_notifier(kernel: Kernel, nb: StructView) -> int:
    return insert_notifier(kernel, kernel.state(_Modules).head, nb)


@export("int unregister_module_notifier(struct notifier_block *nb)")
def unregister_module_notifier(kernel: Kernel, nb: StructView) -> int:
    return remove_notifier(kernel, kernel.state(_Modules).head.at("head"), nb)
