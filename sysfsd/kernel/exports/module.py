"""Modules as other modules see them: references, symbols, loading on demand."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.kernel.err import err
from sysfsd.kernel.exports.registry import Area, CallVaList
from sysfsd.kernel.module import Module, ModuleState
from sysfsd.kernel.vsprintf import vsnprintf

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel

export = Area("module", "kernel/module/main.c, kernel/kmod.c")


def _module(kernel: Kernel, address: int) -> Module | None:
    """The module whose structure is at *address*."""
    mod = kernel.modules.address(address)
    return mod if mod is not None and mod.address == address else None


@export("bool try_module_get(struct module *module)")
def try_module_get(kernel: Kernel, module: object) -> bool:
    address = module.address  # type: ignore[attr-defined]
    mod = _module(kernel, address)
    return not address or (mod is not None and mod.try_module_get())


@export("void __module_get(struct module *module)")
def __module_get(kernel: Kernel, module: object) -> None:
    mod = _module(kernel, module.address)  # type: ignore[attr-defined]
    if mod is not None:
        mod.refcnt += 1


@export("void module_put(struct module *module)")
def module_put(kernel: Kernel, module: object) -> None:
    mod = _module(kernel, module.address)  # type: ignore[attr-defined]
    if mod is not None:
        if mod.refcnt <= 0:
            kernel.traps.warn_at("kernel/module/main.c", 857, site="module_put+0x8b")
        mod.module_put()


@export("void __module_put_and_kthread_exit(struct module *mod, long code)")
def __module_put_and_kthread_exit(kernel: Kernel, mod: object, code: int) -> None:
    module_put(kernel, mod)
    kernel.kthreads.exit(code)


@export("int module_refcount(struct module *mod)")
def module_refcount(kernel: Kernel, mod: object) -> int:
    found = _module(kernel, mod.address)  # type: ignore[attr-defined]
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


@export("int __request_module(bool wait, const char *fmt, ...)")
def __request_module(kernel: Kernel, wait: bool, fmt: bytes, args: CallVaList) -> int:
    name = vsnprintf(kernel, fmt, args)
    if len(name) >= 56:
        raise err(errno.ENAMETOOLONG)
    return kernel.request_module(name.decode("latin-1"), wait)
