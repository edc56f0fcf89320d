"""Chains of functions to call when something happens."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.kernel.err import err
from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.module import ModuleState

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("notifier", "kernel/notifier.c")

_NOTIFY_STOP_MASK: Final = 0x8000
_NOTIFY_OK: Final = 1
#: Where it is warned of what is registered twice, by the kind of chain.
_SITES: Final = {
    "atomic_notifier_head": "atomic_notifier_chain_register+0x52",
    "blocking_notifier_head": "notifier_chain_register+0x3e",
    "raw_notifier_head": "raw_notifier_chain_register+0x3b",
    "srcu_notifier_head": "srcu_notifier_chain_register+0x60",
}


def _register(kernel: Kernel, head: StructView, block: StructView, unique_priority: bool = False) -> int:
    """Put *block* into the chain, behind those of the same priority."""
    memory, link = kernel.memory, head.at("head")
    priority = block["priority"]
    while (at := memory.read_pointer(link)) != 0:
        there = kernel.struct("notifier_block", at)
        if at == block.address:
            symbol = kernel.kallsyms.sprint_symbol(block["notifier_call"], offset=False)
            message = f"notifier callback {symbol} already registered"
            kernel.traps.warn_at("kernel/notifier.c", 28, message, _SITES[head.struct.name])
            raise err(errno.EEXIST)
        if priority > there["priority"]:
            break
        if unique_priority and priority == there["priority"]:
            raise err(errno.EBUSY)
        link = there.at("next")
    block["next"] = at
    memory.write_pointer(link, block.address)
    return 0


def _unregister(kernel: Kernel, link: int, block: StructView) -> int:
    memory = kernel.memory
    while (at := memory.read_pointer(link)) != 0:
        if at == block.address:
            memory.write_pointer(link, block["next"])
            return 0
        link = kernel.struct("notifier_block", at).at("next")
    raise err(errno.ENOENT)


def _call(kernel: Kernel, link: int, val: int, v: int, most: int = -1) -> tuple[int, int]:
    """``notifier_call_chain()``: what the last function returned, and how many were called (at most *most*)."""
    result = called = 0
    at = kernel.memory.read_pointer(link)
    while at and called != most:
        block = kernel.struct("notifier_block", at)
        following = block["next"]
        result = kernel.cpu.call(block["notifier_call"], at, val, v)
        called += 1
        if result & _NOTIFY_STOP_MASK:
            break
        at = following
    return result, called


@export(
    "int atomic_notifier_chain_register(struct atomic_notifier_head *nh, struct notifier_block *n)",
    "int blocking_notifier_chain_register(struct blocking_notifier_head *nh, struct notifier_block *n)",
    "int raw_notifier_chain_register(struct raw_notifier_head *nh, struct notifier_block *n)",
    "int srcu_notifier_chain_register(struct srcu_notifier_head *nh, struct notifier_block *n)",
)
def notifier_chain_register(kernel: Kernel, nh: StructView, n: StructView) -> int:
    return _register(kernel, nh, n)


@export(
    "int atomic_notifier_chain_register_unique_prio(struct atomic_notifier_head *nh, struct notifier_block *n)",
    "int blocking_notifier_chain_register_unique_prio(struct blocking_notifier_head *nh, struct notifier_block *n)",
)
def notifier_chain_register_unique_prio(kernel: Kernel, nh: StructView, n: StructView) -> int:
    return _register(kernel, nh, n, unique_priority=True)


@export(
    "int atomic_notifier_chain_unregister(struct atomic_notifier_head *nh, struct notifier_block *n)",
    "int blocking_notifier_chain_unregister(struct blocking_notifier_head *nh, struct notifier_block *n)",
    "int raw_notifier_chain_unregister(struct raw_notifier_head *nh, struct notifier_block *n)",
    "int srcu_notifier_chain_unregister(struct srcu_notifier_head *nh, struct notifier_block *n)",
)
def notifier_chain_unregister(kernel: Kernel, nh: StructView, n: StructView) -> int:
    return _unregister(kernel, nh.at("head"), n)


@export(
    "int atomic_notifier_call_chain(struct atomic_notifier_head *nh, unsigned long val, void *v)",
    "int blocking_notifier_call_chain(struct blocking_notifier_head *nh, unsigned long val, void *v)",
    "int raw_notifier_call_chain(struct raw_notifier_head *nh, unsigned long val, void *v)",
    "int srcu_notifier_call_chain(struct srcu_notifier_head *nh, unsigned long val, void *v)",
)
def notifier_call_chain(kernel: Kernel, nh: StructView, val: int, v: int) -> int:
    return _call(kernel, nh.at("head"), val, v)[0]


@export(
    "int blocking_notifier_call_chain_robust(struct blocking_notifier_head *nh, unsigned long val_up,"
    " unsigned long val_down, void *v)",
    "int raw_notifier_call_chain_robust(struct raw_notifier_head *nh, unsigned long val_up, unsigned long val_down,"
    " void *v)",
)
def notifier_call_chain_robust(kernel: Kernel, nh: StructView, val_up: int, val_down: int, v: int) -> int:
    """Those that were told before one of them said stop are told that it is off."""
    result, called = _call(kernel, nh.at("head"), val_up, v)
    if result & _NOTIFY_STOP_MASK:
        _call(kernel, nh.at("head"), val_down, v, called - 1)
    return result


# Modules that come and go


class _Modules:
    """``module_notify_list``."""

    def __init__(self, kernel: Kernel) -> None:
        struct = kernel.image.structs["blocking_notifier_head"]
        self.head = kernel.struct("blocking_notifier_head", kernel.slab.kmalloc(struct.size))

        def call(address: int, state: int) -> int:
            link = self.head.at("head")
            result, called = _call(kernel, link, state, address)
            if result & _NOTIFY_STOP_MASK and state == ModuleState.COMING.value:
                _call(kernel, link, ModuleState.GOING.value, address, called - 1)
            result &= ~_NOTIFY_STOP_MASK
            return _NOTIFY_OK - result if result > _NOTIFY_OK else 0

        kernel.modules.notify = call


@export("int register_module_notifier(struct notifier_block *nb)")
def register_module_notifier(kernel: Kernel, nb: StructView) -> int:
    return _register(kernel, kernel.state(_Modules).head, nb)


@export("int unregister_module_notifier(struct notifier_block *nb)")
def unregister_module_notifier(kernel: Kernel, nb: StructView) -> int:
    return _unregister(kernel, kernel.state(_Modules).head.at("head"), nb)
