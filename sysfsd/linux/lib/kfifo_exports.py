"""Queues in rings of memory."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/kfifo.c")


@export("int __kfifo_alloc(struct __kfifo *fifo, unsigned int size, size_t esize, gfp_t gfp_mask)")
def __kfifo_alloc(kernel: Kernel, fifo: StructView, size: int, esize: int, gfp_mask: int) -> int:
    size = 1 << (size - 1).bit_length() if size > 1 else size
    fifo["in"] = fifo["out"] = fifo["mask"] = fifo["data"] = 0
    fifo["esize"] = esize
    if size < 2:
        raise err(errno.EINVAL)
    fifo["data"] = kernel.slab.kmalloc(esize * size)
    fifo["mask"] = size - 1
    return 0


@export("int __kfifo_init(struct __kfifo *fifo, void *buffer, unsigned int size, size_t esize)")
def __kfifo_init(kernel: Kernel, fifo: StructView, buffer: int, size: int, esize: int) -> int:
    size //= esize
    size = 1 << size.bit_length() - 1 if size else 0
    fifo["in"] = fifo["out"] = fifo["mask"] = 0
    fifo["esize"], fifo["data"] = esize, buffer
    if size < 2:
        raise err(errno.EINVAL)
    fifo["mask"] = size - 1
    return 0


@export("void __kfifo_free(struct __kfifo *fifo)")
def __kfifo_free(kernel: Kernel, fifo: StructView) -> None:
    kernel.slab.kfree(fifo["data"])
    fifo["in"] = fifo["out"] = fifo["esize"] = fifo["data"] = fifo["mask"] = 0


def _used(fifo: StructView) -> int:
    return fifo["in"] - fifo["out"] & 0xFFFFFFFF


def _unused(fifo: StructView) -> int:
    return fifo["mask"] + 1 - _used(fifo) & 0xFFFFFFFF


def _pieces(fifo: StructView, position: int, count: int) -> list[tuple[int, int]]:
    """Where *count* elements from a position on lie: addresses and bytes."""
    size, esize, data = fifo["mask"] + 1, fifo["esize"], fifo["data"]
    at = position & fifo["mask"]
    first = min(count, size - at)
    return [(data + at * esize, first * esize), (data, (count - first) * esize)]


def _write(kernel: Kernel, fifo: StructView, position: int, data: bytes) -> None:
    esize = fifo["esize"]
    for address, length in _pieces(fifo, position, len(data) // esize):
        if length:
            kernel.memory.write(address, data[:length])
            data = data[length:]


def _read(kernel: Kernel, fifo: StructView, position: int, count: int) -> bytes:
    pieces = _pieces(fifo, position, count)
    return b"".join(kernel.memory.read(address, length) for address, length in pieces if length)


@export("unsigned int __kfifo_in(struct __kfifo *fifo, const void *buf, unsigned int len)")
def __kfifo_in(kernel: Kernel, fifo: StructView, buf: int, len: int) -> int:
    count = min(len, _unused(fifo))
    if count:
        _write(kernel, fifo, fifo["in"], kernel.memory.read(buf, count * fifo["esize"]))
        fifo["in"] += count
    return count


def _peek(kernel: Kernel, fifo: StructView, buf: int, len: int) -> int:
    count = min(len, _used(fifo))
    if count:
        kernel.memory.write(buf, _read(kernel, fifo, fifo["out"], count))
    return count


@export("unsigned int __kfifo_out_peek(struct __kfifo *fifo, void *buf, unsigned int len)")
def __kfifo_out_peek(kernel: Kernel, fifo: StructView, buf: int, len: int) -> int:
    return _peek(kernel, fifo, buf, len)


@export("unsigned int __kfifo_out(struct __kfifo *fifo, void *buf, unsigned int len)")
def __kfifo_out(kernel: Kernel, fifo: StructView, buf: int, len: int) -> int:
    count = _peek(kernel, fifo, buf, len)
    fifo["out"] += count
    return count


# Records: each behind its length, of recsize bytes. Their elements are bytes.


def _record(kernel: Kernel, fifo: StructView, recsize: int) -> int:
    """The length of the next record."""
    return int.from_bytes(_read(kernel, fifo, fifo["out"], recsize), "little")


@export("unsigned int __kfifo_max_r(unsigned int len, size_t recsize)")
def __kfifo_max_r(kernel: Kernel, len: int, recsize: int) -> int:
    return min(len, (1 << 8 * recsize) - 1)


@export("unsigned int __kfifo_len_r(struct __kfifo *fifo, size_t recsize)")
def __kfifo_len_r(kernel: Kernel, fifo: StructView, recsize: int) -> int:
    return _record(kernel, fifo, recsize)


@export("unsigned int __kfifo_in_r(struct __kfifo *fifo, const void *buf, unsigned int len, size_t recsize)")
def __kfifo_in_r(kernel: Kernel, fifo: StructView, buf: int, len: int, recsize: int) -> int:
    if len + recsize > _unused(fifo):
        return 0
    data = kernel.memory.read(buf, len) if len else b""
    length = (len & (1 << 8 * recsize) - 1).to_bytes(recsize, "little")
    _write(kernel, fifo, fifo["in"], length + data)
    fifo["in"] += len + recsize
    return len


def _peek_record(kernel: Kernel, fifo: StructView, buf: int, len: int, recsize: int) -> tuple[int, int]:
    """How much has been copied, and how much there is; only what fits is copied."""
    there = _record(kernel, fifo, recsize)
    count = min(len, there)
    if count:
        kernel.memory.write(buf, _read(kernel, fifo, fifo["out"] + recsize, count))
    return count, there


@export("unsigned int __kfifo_out_peek_r(struct __kfifo *fifo, void *buf, unsigned int len, size_t recsize)")
def __kfifo_out_peek_r(kernel: Kernel, fifo: StructView, buf: int, len: int, recsize: int) -> int:
    return _peek_record(kernel, fifo, buf, len, recsize)[0] if _used(fifo) else 0


@export("unsigned int __kfifo_out_r(struct __kfifo *fifo, void *buf, unsigned int len, size_t recsize)")
def __kfifo_out_r(kernel: Kernel, fifo: StructView, buf: int, len: int, recsize: int) -> int:
    if not _used(fifo):
        return 0
    count, there = _peek_record(kernel, fifo, buf, len, recsize)
    fifo["out"] += there + recsize
    return count


@export("void __kfifo_skip_r(struct __kfifo *fifo, size_t recsize)")
def __kfifo_skip_r(kernel: Kernel, fifo: StructView, recsize: int) -> None:
    fifo["out"] += _record(kernel, fifo, recsize) + recsize
