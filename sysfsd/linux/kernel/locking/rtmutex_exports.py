"""Mutexes with priority inheritance (kernel/locking/rtmutex_api.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/locking/rtmutex_api.c")


@export("void __rt_mutex_init(struct rt_mutex *lock, const char *name, struct lock_class_key *key)")
def __rt_mutex_init(kernel: Kernel, lock: StructView, name: bytes | None, key: StructView) -> None:
    kernel.memory.write(lock.address, bytes(lock.struct.size))
