"""Allocating per-CPU memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("mm/percpu.c")


@export("void *__alloc_percpu(size_t size, size_t align)")
def __alloc_percpu(kernel: Kernel, size: int, align: int) -> int:
    try:
        offset = kernel.percpu.dynamic.alloc(size, align)
    except OSError:
        return 0
    kernel.percpu.initialise(offset, bytes(size))
    return offset


@export("void *__alloc_percpu_gfp(size_t size, size_t align, gfp_t gfp)")
def __alloc_percpu_gfp(kernel: Kernel, size: int, align: int, gfp: int) -> int:
    return __alloc_percpu(kernel, size, align)


@export("void free_percpu(void *ptr)")
def free_percpu(kernel: Kernel, ptr: int) -> None:
    if ptr:
        kernel.percpu.dynamic.free(ptr)
