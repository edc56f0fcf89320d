"""Pools of elements kept for when memory runs short."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.lib.list import INIT_LIST_HEAD

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("mm/mempool.c")

#: More elements than any pool keeps.
_MANY = 1 << 16


def _take(kernel: Kernel, pool: StructView, gfp_mask: int = 0xCC0) -> int:
    """A new element from whoever makes them."""
    return kernel.cpu.call_long(pool["alloc"], gfp_mask, pool["pool_data"])


def _init(kernel: Kernel, pool: StructView, min_nr: int, alloc_fn: int, free_fn: int, pool_data: int) -> None:
    """``mempool_init_node()``.

    :raises OSError: ENOMEM
    """
    if not 0 <= min_nr <= _MANY:
        raise err(errno.ENOMEM)
    pool["min_nr"], pool["curr_nr"], pool["pool_data"] = min_nr, 0, pool_data
    pool["alloc"], pool["free"] = alloc_fn, free_fn
    INIT_LIST_HEAD(kernel.memory, pool.at("wait.head"))
    pool["elements"] = kernel.slab.kmalloc(8 * min_nr)
    while pool["curr_nr"] < min_nr:
        element = _take(kernel, pool)
        if not element:
            _exit(kernel, pool)
            raise err(errno.ENOMEM)
        _add(kernel, pool, element)


def _add(kernel: Kernel, pool: StructView, element: int) -> None:
    kernel.memory.write_pointer(pool["elements"] + 8 * pool["curr_nr"], element)
    pool["curr_nr"] += 1


def _remove(kernel: Kernel, pool: StructView) -> int:
    pool["curr_nr"] -= 1
    return kernel.memory.read_pointer(pool["elements"] + 8 * pool["curr_nr"])


def _exit(kernel: Kernel, pool: StructView) -> None:
    """``mempool_exit()``."""
    while pool["curr_nr"] > 0:
        kernel.cpu.call(pool["free"], _remove(kernel, pool), pool["pool_data"])
    kernel.slab.kfree(pool["elements"])
    pool["elements"] = 0


@export(
    "int mempool_init(mempool_t *pool, int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn, void *pool_data)"
)
def mempool_init(kernel: Kernel, pool: StructView, min_nr: int, alloc_fn: int, free_fn: int, pool_data: int) -> int:
    _init(kernel, pool, min_nr, alloc_fn, free_fn, pool_data)
    return 0


@export(
    "mempool_t *mempool_create(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn, void *pool_data)",
    "mempool_t *mempool_create_node(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn, void *pool_data,"
    " gfp_t gfp_mask, int node_id)",
)
def mempool_create(kernel: Kernel, min_nr: int, alloc_fn: int, free_fn: int, pool_data: int, *_: int) -> int:
    address = kernel.slab.kmalloc(kernel.image.structs["mempool_s"].size)
    try:
        _init(kernel, kernel.struct("mempool_s", address), min_nr, alloc_fn, free_fn, pool_data)
    except OSError as error:
        if error.errno != errno.ENOMEM:
            raise
        kernel.slab.kfree(address)
        return 0
    return address


@export("void mempool_exit(mempool_t *pool)")
def mempool_exit(kernel: Kernel, pool: StructView) -> None:
    _exit(kernel, pool)


@export("void mempool_destroy(mempool_t *pool)")
def mempool_destroy(kernel: Kernel, pool: StructView) -> None:
    if pool:
        _exit(kernel, pool)
        kernel.slab.kfree(pool.address)


@export("void *mempool_alloc(mempool_t *pool, gfp_t gfp_mask)")
def mempool_alloc(kernel: Kernel, pool: StructView, gfp_mask: int) -> int:
    element = _take(kernel, pool, gfp_mask)
    if not element and pool["curr_nr"] > 0:
        element = _remove(kernel, pool)
    return element


@export("void mempool_free(void *element, mempool_t *pool)")
def mempool_free(kernel: Kernel, element: int, pool: StructView) -> None:
    if not element:
        return
    if pool["curr_nr"] < pool["min_nr"]:
        _add(kernel, pool, element)
    else:
        kernel.cpu.call(pool["free"], element, pool["pool_data"])


# What most pools are made of


@export("void *mempool_alloc_slab(gfp_t gfp_mask, void *pool_data)")
def mempool_alloc_slab(kernel: Kernel, gfp_mask: int, pool_data: int) -> int:
    return kernel.cpu.call_long(kernel.exports.address_of("kmem_cache_alloc"), pool_data, gfp_mask)


@export("void mempool_free_slab(void *element, void *pool_data)")
def mempool_free_slab(kernel: Kernel, element: int, pool_data: int) -> None:
    kernel.cpu.call(kernel.exports.address_of("kmem_cache_free"), pool_data, element)


@export("void *mempool_kmalloc(gfp_t gfp_mask, void *pool_data)")
def mempool_kmalloc(kernel: Kernel, gfp_mask: int, pool_data: int) -> int:
    return kernel.slab.kmalloc(pool_data)


@export("void mempool_kfree(void *element, void *pool_data)")
def mempool_kfree(kernel: Kernel, element: int, pool_data: int) -> None:
    kernel.slab.kfree(element)
