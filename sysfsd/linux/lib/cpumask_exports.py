"""Allocating masks of processors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.lib.bitmap_exports import bitmap_zalloc

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/cpumask.c")


@export("bool alloc_cpumask_var_node(struct cpumask **mask, gfp_t flags, int node)")
def alloc_cpumask_var_node(kernel: Kernel, mask: int, flags: int, node: int) -> bool:
    address = bitmap_zalloc(kernel, kernel.memory.read_int(kernel.exports.data_address("nr_cpu_ids")))
    kernel.memory.write_pointer(mask, address)
    return bool(address)


@export("void free_cpumask_var(struct cpumask *mask)")
def free_cpumask_var(kernel: Kernel, mask: StructView) -> None:
    kernel.slab.kfree(mask.address)
