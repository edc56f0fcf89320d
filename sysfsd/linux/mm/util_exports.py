"""Copies of strings and memory, and allocations of any size."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.lib.usercopy_exports import strnlen_user, uaccess_of
from sysfsd.linux.mm.gfp import GFP_DIRECT_RECLAIM, GFP_NOWARN
from sysfsd.linux.mm.memory import PAGE_SIZE
from sysfsd.linux.mm.slab_exports import kmalloc_or_null
from sysfsd.linux.mm.vmalloc_exports import is_vmalloc_addr, vfree, vmalloc_node_range

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("mm/util.c")


_INT_MAX: Final = (1 << 31) - 1


def kmemdup_bytes(kernel: Kernel, data: bytes) -> int:
    address = kmalloc_or_null(kernel, len(data))
    if address:
        kernel.memory.write(address, data)
    return address


@export("char *kstrdup(const char *s, gfp_t gfp)", "const char *kstrdup_const(const char *s, gfp_t gfp)")
def kstrdup(kernel: Kernel, s: bytes | None, gfp: int) -> int:
    return 0 if s is None else kmemdup_bytes(kernel, s + b"\0")


@export("char *kstrndup(const char *s, size_t max, gfp_t gfp)")
def kstrndup(kernel: Kernel, s: bytes | None, max: int, gfp: int) -> int:
    return 0 if s is None else kmemdup_bytes(kernel, s[:max] + b"\0")


@export("void *kmemdup(const void *src, size_t len, gfp_t gfp)")
def kmemdup(kernel: Kernel, src: int, len: int, gfp: int) -> int:
    return kmemdup_bytes(kernel, kernel.memory.read(src, len))


@export("char *kmemdup_nul(const char *s, size_t len, gfp_t gfp)")
def kmemdup_nul(kernel: Kernel, s: bytes | None, len: int, gfp: int) -> int:
    return 0 if s is None else kmemdup_bytes(kernel, s[:len].ljust(len, b"\0") + b"\0")


@export("void *kvmalloc_node(size_t size, gfp_t flags, int node)")
def kvmalloc_node(kernel: Kernel, size: int, flags: int, node: int) -> int:
    address = kmalloc_or_null(kernel, size, flags if size <= PAGE_SIZE else flags | GFP_NOWARN)
    if address or size <= PAGE_SIZE or not flags & GFP_DIRECT_RECLAIM:
        return address
    if size > _INT_MAX:
        if not flags & GFP_NOWARN:
            kernel.traps.warn_at("mm/util.c", 596, site="kvmalloc_node+0xc0", once=True)
        return 0
    return vmalloc_node_range(kernel, size, flags)


@export("void *kvrealloc(const void *p, size_t oldsize, size_t newsize, gfp_t flags)")
def kvrealloc(kernel: Kernel, p: int, oldsize: int, newsize: int, flags: int) -> int:
    if oldsize >= newsize:
        return p
    address: int = kvmalloc_node(kernel, newsize, flags, -1)
    if address:
        kernel.memory.write(address, kernel.memory.read(p, oldsize))
        kvfree(kernel, p)
    return address


@export("void kvfree(const void *addr)")
def kvfree(kernel: Kernel, addr: int) -> None:
    if is_vmalloc_addr(kernel, addr):
        vfree(kernel, addr)
    else:
        kernel.slab.kfree(addr)


@export("void kvfree_sensitive(const void *addr, size_t len)")
def kvfree_sensitive(kernel: Kernel, addr: int, len: int) -> None:
    kvfree(kernel, addr)


# Copies in memory of their own


def _memdup(kernel: Kernel, src: int, length: int, more: int = 0) -> int:
    """:raises OSError: ENOMEM, EFAULT"""
    address = kernel.slab.kmalloc(length + more)
    data = uaccess_of(kernel).copy_from_user(src, length)
    if len(data) < length:
        kernel.slab.kfree(address)
        raise err(errno.EFAULT)
    kernel.memory.write(address, data + bytes(more))
    return address


@export("void *memdup_user(const void *src, size_t len)", "void *vmemdup_user(const void *src, size_t len)")
def memdup_user(kernel: Kernel, src: int, len: int) -> int:
    return _memdup(kernel, src, len)


@export("void *memdup_user_nul(const void *src, size_t len)")
def memdup_user_nul(kernel: Kernel, src: int, len: int) -> int:
    return _memdup(kernel, src, len, 1)


@export("char *strndup_user(const void *s, long n)")
def strndup_user(kernel: Kernel, s: int, n: int) -> int:
    length: int = strnlen_user(kernel, s, n)
    if not length:
        raise err(errno.EFAULT)
    if length > n:
        raise err(errno.EINVAL)
    return _memdup(kernel, s, length - 1, 1)
