"""Spinlocks and reader-writer spinlocks: there is one processor, so none is ever contended by another."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.sched.core import SOFTIRQ_DISABLE_OFFSET
from sysfsd.linux.kernel.softirq_exports import local_bh

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/locking/spinlock.c")

_LOCKED: Final = 1

_READER: Final = 0x200

_WRITER: Final = 0xFF

_EFLAGS_IF: Final = 0x200


# What spinning locks turn off meanwhile


def _plain(kernel: Kernel, enter: bool) -> None:
    kernel.sched.preempt_count += 1 if enter else -1


def _bh(kernel: Kernel, enter: bool) -> None:
    local_bh(kernel, SOFTIRQ_DISABLE_OFFSET + 1 if enter else -SOFTIRQ_DISABLE_OFFSET - 1)


def _irq(kernel: Kernel, enter: bool) -> None:
    kernel.cpu.set_interrupts(not enter)
    _plain(kernel, enter)


_FLAVOURS: Final[dict[str, Callable[[Kernel, bool], None]]] = {"": _plain, "_bh": _bh, "_irq": _irq}


def _spin_until(kernel: Kernel, free: Callable[[], bool]) -> None:
    """Another task holds the lock, and sleeps with it, or it is the same task, which then spins for ever."""
    task = kernel.current
    deadline = time.monotonic() + kernel.sched.softlockup_thresh
    while not free():
        if time.monotonic() > deadline:
            kernel.sched.softlockup(task, task.caller_regs())
        kernel.sched.relax()


_TRYLOCKS: Final = {"_raw_spin_trylock", "_raw_spin_trylock_bh", "_raw_read_trylock", "_raw_write_trylock"}


class _SpinningLock:
    """A kind of lock that is waited for by spinning: its word in memory and how it changes."""

    def __init__(self, prefix: str, type_: str, name: str, taken: int, busy: int) -> None:
        for suffix, around in _FLAVOURS.items():
            self._declare(f"_raw_{prefix}", suffix, type_, name, taken, busy, around)
            if f"_raw_{prefix}_trylock{suffix}" in _TRYLOCKS:
                self._declare_trylock(f"_raw_{prefix}", suffix, type_, name, taken, busy, around)
        self._declare_irqsave(f"_raw_{prefix}", type_, name, taken, busy)

    def _declare(
        self,
        prefix: str,
        suffix: str,
        type_: str,
        name: str,
        taken: int,
        busy: int,
        around: Callable[[Kernel, bool], None],
    ) -> None:
        @export(f"void {prefix}_lock{suffix}({type_} *lock)")
        def lock(kernel: Kernel, lock: StructView) -> None:
            around(kernel, True)
            _take(kernel, lock.address, name, taken, busy)

        @export(f"void {prefix}_unlock{suffix}({type_} *lock)")
        def unlock(kernel: Kernel, lock: StructView) -> None:
            _drop(kernel, lock.address, taken)
            around(kernel, False)

    def _declare_trylock(
        self,
        prefix: str,
        suffix: str,
        type_: str,
        name: str,
        taken: int,
        busy: int,
        around: Callable[[Kernel, bool], None],
    ) -> None:
        @export(f"int {prefix}_trylock{suffix}({type_} *lock)")
        def trylock(kernel: Kernel, lock: StructView) -> int:
            if kernel.memory.read_int(lock.address) & busy:
                return 0
            around(kernel, True)
            _take(kernel, lock.address, name, taken, busy)
            return 1

    def _declare_irqsave(self, prefix: str, type_: str, name: str, taken: int, busy: int) -> None:
        @export(f"unsigned long {prefix}_lock_irqsave({type_} *lock)")
        def lock_irqsave(kernel: Kernel, lock: StructView) -> int:
            flags = kernel.cpu.set_interrupts(False)
            _plain(kernel, True)
            _take(kernel, lock.address, name, taken, busy)
            return flags

        @export(f"void {prefix}_unlock_irqrestore({type_} *lock, unsigned long flags)")
        def unlock_irqrestore(kernel: Kernel, lock: StructView, flags: int) -> None:
            _drop(kernel, lock.address, taken)
            kernel.cpu.set_interrupts(bool(flags & _EFLAGS_IF))
            _plain(kernel, False)


def _take(kernel: Kernel, address: int, name: str, taken: int, busy: int) -> None:
    memory = kernel.memory
    if memory.read_int(address) & busy:
        _spin_until(kernel, lambda: not memory.read_int(address) & busy)
    memory.write_int(address, memory.read_int(address) + taken)
    kernel.current.held[address] = lambda: _let_go(kernel, address, taken)


def _drop(kernel: Kernel, address: int, taken: int) -> None:
    value = kernel.memory.read_int(address)
    kernel.memory.write_int(address, value - taken if taken == _READER else value & ~0xFF)
    kernel.current.held.pop(address, None)


def _let_go(kernel: Kernel, address: int, taken: int) -> None:
    try:
        value = kernel.memory.read_int(address)
        kernel.memory.write_int(address, value - taken if taken == _READER else value & ~0xFF)
    except OSError:
        pass  # it was freed meanwhile


_SpinningLock("spin", "struct raw_spinlock", "val", _LOCKED, _LOCKED)

_SpinningLock("read", "rwlock_t", "cnts", _READER, _WRITER)

_SpinningLock("write", "rwlock_t", "cnts", _WRITER, 0xFFFFFFFF)
