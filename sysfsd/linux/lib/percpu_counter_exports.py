"""Counters that each processor counts for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/percpu_counter.c")

#: The least that a processor keeps to itself.
_BATCH: Final = 32

export.data("int percpu_counter_batch", lambda kernel, address: kernel.memory.write_int(address, _BATCH))


def _own(kernel: Kernel, fbc: StructView) -> int:
    """Where the processor's own count is."""
    return kernel.percpu.cpu_base(0) + fbc["counters"] & (1 << 64) - 1


@export("int __percpu_counter_init(struct percpu_counter *fbc, s64 amount, gfp_t gfp, struct lock_class_key *key)")
def __percpu_counter_init(kernel: Kernel, fbc: StructView, amount: int, gfp: int, key: StructView) -> int:
    fbc["count"] = amount
    fbc["list.next"] = fbc["list.prev"] = fbc.at("list")
    fbc["counters"] = kernel.percpu.dynamic.alloc(4, 4)
    kernel.memory.write_int(_own(kernel, fbc), 0)
    return 0


@export("void percpu_counter_destroy(struct percpu_counter *fbc)")
def percpu_counter_destroy(kernel: Kernel, fbc: StructView) -> None:
    if fbc["counters"]:
        kernel.percpu.dynamic.free(fbc["counters"])
        fbc["counters"] = 0


@export("void percpu_counter_set(struct percpu_counter *fbc, s64 amount)")
def percpu_counter_set(kernel: Kernel, fbc: StructView, amount: int) -> None:
    kernel.memory.write_int(_own(kernel, fbc), 0)
    fbc["count"] = amount


@export("void percpu_counter_add_batch(struct percpu_counter *fbc, s64 amount, s32 batch)")
def percpu_counter_add_batch(kernel: Kernel, fbc: StructView, amount: int, batch: int) -> None:
    own = _own(kernel, fbc)
    count = kernel.memory.read_int(own, 4, True) + amount
    if abs(count) >= batch:
        fbc["count"] += count
        count = 0
    kernel.memory.write_int(own, count)


def _sum(kernel: Kernel, fbc: StructView) -> int:
    return fbc["count"] + kernel.memory.read_int(_own(kernel, fbc), 4, True)


@export("s64 __percpu_counter_sum(struct percpu_counter *fbc)")
def __percpu_counter_sum(kernel: Kernel, fbc: StructView) -> int:
    return _sum(kernel, fbc)


@export("void percpu_counter_sync(struct percpu_counter *fbc)")
def percpu_counter_sync(kernel: Kernel, fbc: StructView) -> None:
    percpu_counter_set(kernel, fbc, _sum(kernel, fbc))


@export("int __percpu_counter_compare(struct percpu_counter *fbc, s64 rhs, s32 batch)")
def __percpu_counter_compare(kernel: Kernel, fbc: StructView, rhs: int, batch: int) -> int:
    total = _sum(kernel, fbc)
    return (total > rhs) - (total < rhs)
