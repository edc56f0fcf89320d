"""Pieces of memory that a read() or write() goes through."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.lib.usercopy_exports import copy_to_user, uaccess_of

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/iov_iter.c")


# Iterators over buffers (lib/iov_iter.c)

_ITER_IOVEC, _ITER_KVEC, _ITER_UBUF, _ITER_DISCARD = "ITER_IOVEC", "ITER_KVEC", "ITER_UBUF", "ITER_DISCARD"


def _advance(kernel: Kernel, i: StructView, size: int, step: Callable[[int, int, int], int]) -> int:
    """``iterate_and_advance()``: have *step* deal with each piece, and go on behind what it did.

    :param step: given the address of a piece, its size, how many bytes came before, and what it cannot do of it
    :returns: the bytes that were dealt with
    """
    size = min(size, i["count"])
    kind, constant = i["iter_type"], kernel.image.constant
    done = 0
    if kind == constant(_ITER_DISCARD):
        done = size
    elif kind == constant(_ITER_UBUF):
        done = size - step(i["ubuf"] + i["iov_offset"], size, 0) if size else 0
        i["iov_offset"] += done
    elif kind in (constant(_ITER_IOVEC), constant(_ITER_KVEC)):
        skip, vector = i["iov_offset"], kernel.struct("iovec", i["iov"])
        segments = i["nr_segs"]
        while done < size and segments:
            length = min(vector["iov_len"] - skip, size - done)
            if length:
                left = step(vector["iov_base"] + skip, length, done)
                done += length - left
                skip += length - left
                if skip < vector["iov_len"]:
                    break
            vector = kernel.struct("iovec", vector.address + vector.struct.size)
            skip, segments = 0, segments - 1
        i["iov"], i["iov_offset"], i["nr_segs"] = vector.address, skip, segments
    i["count"] -= done
    return done


def _is_kernel(kernel: Kernel, i: StructView) -> bool:
    return i["iter_type"] == kernel.image.constant(_ITER_KVEC)


@export("size_t _copy_to_iter(const void *addr, size_t bytes, struct iov_iter *i)")
def _copy_to_iter(kernel: Kernel, addr: int, bytes_: int, i: StructView) -> int:
    def step(to: int, size: int, offset: int) -> int:
        if _is_kernel(kernel, i):
            kernel.memory.write(to, kernel.memory.read(addr + offset, size))
            return 0
        return copy_to_user(kernel, to, addr + offset, size)

    return _advance(kernel, i, bytes_, step)


@export(
    "size_t _copy_from_iter(void *addr, size_t bytes, struct iov_iter *i)",
    "size_t _copy_from_iter_nocache(void *addr, size_t bytes, struct iov_iter *i)",
)
def _copy_from_iter(kernel: Kernel, addr: int, bytes_: int, i: StructView) -> int:
    def step(source: int, size: int, offset: int) -> int:
        if _is_kernel(kernel, i):
            kernel.memory.write(addr + offset, kernel.memory.read(source, size))
            return 0
        data = uaccess_of(kernel).copy_from_user(source, size)
        kernel.memory.write(addr + offset, data)
        return size - len(data)

    return _advance(kernel, i, bytes_, step)


@export("size_t iov_iter_zero(size_t bytes, struct iov_iter *i)")
def iov_iter_zero(kernel: Kernel, bytes_: int, i: StructView) -> int:
    def step(to: int, size: int, offset: int) -> int:
        if _is_kernel(kernel, i):
            kernel.memory.write(to, bytes(size))
            return 0
        return uaccess_of(kernel).copy_to_user(to, bytes(size))

    return _advance(kernel, i, bytes_, step)


@export("void iov_iter_advance(struct iov_iter *i, size_t size)")
def iov_iter_advance(kernel: Kernel, i: StructView, size: int) -> None:
    _advance(kernel, i, size, lambda address, size, offset: 0)


@export("void iov_iter_revert(struct iov_iter *i, size_t unroll)")
def iov_iter_revert(kernel: Kernel, i: StructView, unroll: int) -> None:
    if not unroll:
        return
    i["count"] += unroll
    while i["iter_type"] != kernel.image.constant(_ITER_UBUF) and unroll > i["iov_offset"]:
        unroll -= i["iov_offset"]
        i["iov"] -= kernel.image.structs["iovec"].size
        i["nr_segs"] += 1
        i["iov_offset"] = kernel.struct("iovec", i["iov"])["iov_len"]
    i["iov_offset"] -= unroll


@export(
    "void iov_iter_init(struct iov_iter *i, unsigned int direction, const struct iovec *iov, unsigned long nr_segs,"
    " size_t count)"
)
def iov_iter_init(kernel: Kernel, i: StructView, direction: int, iov: StructView, nr_segs: int, count: int) -> None:
    init_iter(kernel, i, _ITER_IOVEC, direction, iov.address, nr_segs, count)


@export(
    "void iov_iter_kvec(struct iov_iter *i, unsigned int direction, const struct kvec *kvec, unsigned long nr_segs,"
    " size_t count)"
)
def iov_iter_kvec(kernel: Kernel, i: StructView, direction: int, kvec: StructView, nr_segs: int, count: int) -> None:
    init_iter(kernel, i, _ITER_KVEC, direction, kvec.address, nr_segs, count)


def init_iter(kernel: Kernel, i: StructView, kind: str, direction: int, where: int, segments: int, count: int) -> None:
    """An iterator of some kind over what is described at *where*."""
    kernel.memory.write(i.address, bytes(i.struct.size))
    i["iter_type"], i["data_source"] = kernel.image.constant(kind), direction
    i["user_backed"] = kind != _ITER_KVEC
    i["iov"], i["nr_segs"], i["count"] = where, segments, count


@export("size_t iov_iter_single_seg_count(const struct iov_iter *i)")
def iov_iter_single_seg_count(kernel: Kernel, i: StructView) -> int:
    if i["nr_segs"] > 1 and i["iter_type"] in map(kernel.image.constant, (_ITER_IOVEC, _ITER_KVEC)):
        return min(i["count"], kernel.struct("iovec", i["iov"])["iov_len"] - i["iov_offset"])
    return i["count"]
