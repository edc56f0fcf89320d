"""Chains of functions to call when something happens."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/notifier.c")

NOTIFY_STOP_MASK: Final = 0x8000

#: Where it is warned of what is registered twice, by the kind of chain.
_SITES: Final = {
    "atomic_notifier_head": "atomic_notifier_chain_register+0x52",
    "blocking_notifier_head": "notifier_chain_register+0x3e",
    "raw_notifier_head": "raw_notifier_chain_register+0x3b",
    "srcu_notifier_head": "srcu_notifier_chain_register+0x60",
}


def insert_notifier(kernel: Kernel, head: StructView, block: StructView, unique_priority: bool = False) -> int:
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


def remove_notifier(kernel: Kernel, link: int, block: StructView) -> int:
    memory = kernel.memory
    while (at := memory.read_pointer(link)) != 0:
        if at == block.address:
            memory.write_pointer(link, block["next"])
            return 0
        link = kernel.struct("notifier_block", at).at("next")
    raise err(errno.ENOENT)


def call_notifiers(kernel: Kernel, link: int, val: int, v: int, most: int = -1) -> tuple[int, int]:
    """``notifier_call_chain()``: what the last function returned, and how many were called (at most *most*)."""
    result = called = 0
    at = kernel.memory.read_pointer(link)
    while at and called != most:
        block = kernel.struct("notifier_block", at)
        following = block["next"]
        result = kernel.cpu.call(block["notifier_call"], at, val, v)
        called += 1
        if result & NOTIFY_STOP_MASK:
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
    return insert_notifier(kernel, nh, n)


@export(
    "int atomic_notifier_chain_register_unique_prio(struct atomic_notifier_head *nh, struct notifier_block *n)",
    "int blocking_notifier_chain_register_unique_prio(struct blocking_notifier_head *nh, struct notifier_block *n)",
)
def notifier_chain_register_unique_prio(kernel: Kernel, nh: StructView, n: StructView) -> int:
    return insert_notifier(kernel, nh, n, unique_priority=True)


@export(
    "int atomic_notifier_chain_unregister(struct atomic_notifier_head *nh, struct notifier_block *n)",
    "int blocking_notifier_chain_unregister(struct blocking_notifier_head *nh, struct notifier_block *n)",
    "int raw_notifier_chain_unregister(struct raw_notifier_head *nh, struct notifier_block *n)",
    "int srcu_notifier_chain_unregister(struct srcu_notifier_head *nh, struct notifier_block *n)",
)
def notifier_chain_unregister(kernel: Kernel, nh: StructView, n: StructView) -> int:
    return remove_notifier(kernel, nh.at("head"), n)


@export(
    "int atomic_notifier_call_chain(struct atomic_notifier_head *nh, unsigned long val, void *v)",
    "int blocking_notifier_call_chain(struct blocking_notifier_head *nh, unsigned long val, void *v)",
    "int raw_notifier_call_chain(struct raw_notifier_head *nh, unsigned long val, void *v)",
    "int srcu_notifier_call_chain(struct srcu_notifier_head *nh, unsigned long val, void *v)",
)
def notifier_call_chain(kernel: Kernel, nh: StructView, val: int, v: int) -> int:
    return call_notifiers(kernel, nh.at("head"), val, v)[0]


@export(
    "int blocking_notifier_call_chain_robust(struct blocking_notifier_head *nh, unsigned long val_up,"
    " unsigned long val_down, void *v)",
    "int raw_notifier_call_chain_robust(struct raw_notifier_head *nh, unsigned long val_up, unsigned long val_down,"
    " void *v)",
)
def notifier_call_chain_robust(kernel: Kernel, nh: StructView, val_up: int, val_down: int, v: int) -> int:
    """Those that were told before one of them said stop are told that it is off."""
    result, called = call_notifiers(kernel, nh.at("head"), val_up, v)
    if result & NOTIFY_STOP_MASK:
        call_notifiers(kernel, nh.at("head"), val_down, v, called - 1)
    return result
