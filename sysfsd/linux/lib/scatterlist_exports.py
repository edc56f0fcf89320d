"""Lists of pieces of memory."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.mm.memory import DIRECT_MAP, PAGE_SIZE, STRUCT_PAGE, VMEMMAP

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/scatterlist.c")

_SG_CHAIN, _SG_END = 1, 2

_SG_ATOMIC: Final = 1

_SIZE: Final = 32

_PAGE_LINK, _OFFSET, _LENGTH = 0, 8, 12


def _page(address: int) -> int:
    """``virt_to_page()``."""
    return VMEMMAP + (address - DIRECT_MAP) // PAGE_SIZE * STRUCT_PAGE


def _page_address(page: int) -> int:
    """``page_address()``."""
    return DIRECT_MAP + (page - VMEMMAP) // STRUCT_PAGE * PAGE_SIZE


def _next(kernel: Kernel, sg: int) -> int:
    """``sg_next()``, 0 behind the last."""
    link = kernel.memory.read_pointer(sg)
    if link & _SG_END:
        return 0
    link = kernel.memory.read_pointer(sg + _SIZE)
    return link & ~3 if link & _SG_CHAIN else sg + _SIZE


def _entries(kernel: Kernel, sg: int, count: int = -1) -> Iterator[int]:
    """The entries from one on, *count* at most."""
    while sg and count:
        yield sg
        sg = _next(kernel, sg)
        count -= 1


def _length(kernel: Kernel, sg: int) -> int:
    return kernel.memory.read_int(sg + _LENGTH)


def _address(kernel: Kernel, sg: int) -> int:
    """``sg_virt()``."""
    return _page_address(kernel.memory.read_pointer(sg) & ~3) + kernel.memory.read_int(sg + _OFFSET)


def sg_pieces(kernel: Kernel, sg: int, size: int) -> list[tuple[int, int]]:
    """Where the first *size* bytes are: addresses and lengths."""
    pieces = []
    for entry in _entries(kernel, sg):
        length = min(_length(kernel, entry), size)
        pieces.append((_address(kernel, entry), length))
        size -= length
        if not size:
            break
    return pieces


def _init_table(kernel: Kernel, sgl: int, nents: int) -> None:
    kernel.memory.write(sgl, bytes(_SIZE * nents))
    kernel.memory.write_pointer(sgl + _SIZE * (nents - 1), _SG_END)


@export("void sg_init_table(struct scatterlist *sgl, unsigned int nents)")
def sg_init_table(kernel: Kernel, sgl: StructView, nents: int) -> None:
    _init_table(kernel, sgl.address, nents)


@export("void sg_init_one(struct scatterlist *sg, const void *buf, unsigned int buflen)")
def sg_init_one(kernel: Kernel, sg: StructView, buf: int, buflen: int) -> None:
    _init_table(kernel, sg.address, 1)
    sg["page_link"] = _page(buf) | _SG_END
    sg["offset"], sg["length"] = buf % PAGE_SIZE, buflen


@export("struct scatterlist *sg_next(struct scatterlist *sg)")
def sg_next(kernel: Kernel, sg: StructView) -> int:
    return _next(kernel, sg.address)


@export("struct scatterlist *sg_last(struct scatterlist *sgl, unsigned int nents)")
def sg_last(kernel: Kernel, sgl: StructView, nents: int) -> int:
    return list(_entries(kernel, sgl.address, nents))[-1]


@export("int sg_nents(struct scatterlist *sg)")
def sg_nents(kernel: Kernel, sg: StructView) -> int:
    return sum(1 for _ in _entries(kernel, sg.address))


@export("int sg_nents_for_len(struct scatterlist *sg, u64 len)")
def sg_nents_for_len(kernel: Kernel, sg: StructView, len: int) -> int:
    total = 0
    if not len:
        return 0
    for count, entry in enumerate(_entries(kernel, sg.address), 1):
        total += _length(kernel, entry)
        if total >= len:
            return count
    raise err(errno.EINVAL)


# Tables. One is never so long that it has to be chained.


@export("int sg_alloc_table(struct sg_table *table, unsigned int nents, gfp_t gfp_mask)")
def sg_alloc_table(kernel: Kernel, table: StructView, nents: int, gfp_mask: int) -> int:
    table["sgl"] = table["nents"] = table["orig_nents"] = 0
    if not nents:
        raise err(errno.EINVAL)
    sgl = kernel.slab.kmalloc(_SIZE * nents)
    _init_table(kernel, sgl, nents)
    table["sgl"] = sgl
    table["nents"] = table["orig_nents"] = nents
    return 0


@export("void sg_free_table(struct sg_table *table)")
def sg_free_table(kernel: Kernel, table: StructView) -> None:
    kernel.slab.kfree(table["sgl"])
    table["sgl"] = table["orig_nents"] = 0


# Copying


def _copy(kernel: Kernel, sgl: int, nents: int, buf: int, buflen: int, skip: int, to_buffer: bool | None) -> int:
    """Copy between the pieces and a buffer, or (None) fill them with zeros.

    :returns: how much
    """
    memory, done = kernel.memory, 0
    for entry in _entries(kernel, sgl, nents):
        length = _length(kernel, entry)
        if skip >= length:
            skip -= length
            continue
        size = min(length - skip, buflen - done)
        if size <= 0:
            break
        address = _address(kernel, entry) + skip
        if to_buffer is None:
            memory.write(address, bytes(size))
        elif to_buffer:
            memory.write(buf + done, memory.read(address, size))
        else:
            memory.write(address, memory.read(buf + done, size))
        done += size
        skip = 0
    return done


@export(
    "size_t sg_copy_buffer(struct scatterlist *sgl, unsigned int nents, void *buf, size_t buflen, long skip,"
    " bool to_buffer)"
)
def sg_copy_buffer(
    kernel: Kernel, sgl: StructView, nents: int, buf: int, buflen: int, skip: int, to_buffer: bool
) -> int:
    return _copy(kernel, sgl.address, nents, buf, buflen, skip, to_buffer)


@export("size_t sg_copy_from_buffer(struct scatterlist *sgl, unsigned int nents, const void *buf, size_t buflen)")
def sg_copy_from_buffer(kernel: Kernel, sgl: StructView, nents: int, buf: int, buflen: int) -> int:
    return _copy(kernel, sgl.address, nents, buf, buflen, 0, False)


@export("size_t sg_copy_to_buffer(struct scatterlist *sgl, unsigned int nents, void *buf, size_t buflen)")
def sg_copy_to_buffer(kernel: Kernel, sgl: StructView, nents: int, buf: int, buflen: int) -> int:
    return _copy(kernel, sgl.address, nents, buf, buflen, 0, True)


@export(
    "size_t sg_pcopy_from_buffer(struct scatterlist *sgl, unsigned int nents, const void *buf, size_t buflen,"
    " long skip)"
)
def sg_pcopy_from_buffer(kernel: Kernel, sgl: StructView, nents: int, buf: int, buflen: int, skip: int) -> int:
    return _copy(kernel, sgl.address, nents, buf, buflen, skip, False)


@export("size_t sg_pcopy_to_buffer(struct scatterlist *sgl, unsigned int nents, void *buf, size_t buflen, long skip)")
def sg_pcopy_to_buffer(kernel: Kernel, sgl: StructView, nents: int, buf: int, buflen: int, skip: int) -> int:
    return _copy(kernel, sgl.address, nents, buf, buflen, skip, True)


@export("size_t sg_zero_buffer(struct scatterlist *sgl, unsigned int nents, size_t buflen, long skip)")
def sg_zero_buffer(kernel: Kernel, sgl: StructView, nents: int, buflen: int, skip: int) -> int:
    return _copy(kernel, sgl.address, nents, 0, buflen, skip, None)


# Going through the pages


def _page_count(kernel: Kernel, sg: int) -> int:
    return -(-(kernel.memory.read_int(sg + _OFFSET) + _length(kernel, sg)) // PAGE_SIZE)


@export(
    "void __sg_page_iter_start(struct sg_page_iter *piter, struct scatterlist *sglist, unsigned int nents,"
    " unsigned long pgoffset)"
)
def __sg_page_iter_start(kernel: Kernel, piter: StructView, sglist: StructView, nents: int, pgoffset: int) -> None:
    piter["__pg_advance"] = 0
    piter["__nents"], piter["sg"], piter["sg_pgoffset"] = nents, sglist.address, pgoffset


def _next_page(kernel: Kernel, piter: StructView) -> bool:
    if not piter["__nents"] or not piter["sg"]:
        return False
    piter["sg_pgoffset"] += piter["__pg_advance"]
    piter["__pg_advance"] = 1
    while piter["sg_pgoffset"] >= (pages := _page_count(kernel, piter["sg"])):
        piter["sg_pgoffset"] -= pages
        piter["sg"] = _next(kernel, piter["sg"])
        piter["__nents"] -= 1
        if not piter["__nents"] or not piter["sg"]:
            return False
    return True


@export("bool __sg_page_iter_next(struct sg_page_iter *piter)")
def __sg_page_iter_next(kernel: Kernel, piter: StructView) -> bool:
    return _next_page(kernel, piter)


@export(
    "void sg_miter_start(struct sg_mapping_iter *miter, struct scatterlist *sgl, unsigned int nents,"
    " unsigned int flags)"
)
def sg_miter_start(kernel: Kernel, miter: StructView, sgl: StructView, nents: int, flags: int) -> None:
    kernel.memory.write(miter.address, bytes(miter.struct.size))
    __sg_page_iter_start(kernel, miter.sub("piter"), sgl, nents, 0)
    miter["__flags"] = flags


def _miter_page(kernel: Kernel, miter: StructView) -> bool:
    """``sg_miter_get_next_page()``."""
    if miter["__remaining"]:
        return True
    piter = miter.sub("piter")
    if not _next_page(kernel, piter):
        return False
    sg = piter["sg"]
    offset = 0 if piter["sg_pgoffset"] else kernel.memory.read_int(sg + _OFFSET)
    piter["sg_pgoffset"] += offset // PAGE_SIZE
    offset %= PAGE_SIZE
    end = kernel.memory.read_int(sg + _OFFSET) + _length(kernel, sg)
    miter["__offset"] = offset
    miter["__remaining"] = min(end - piter["sg_pgoffset"] * PAGE_SIZE - offset, PAGE_SIZE - offset)
    return True


def _miter_stop(kernel: Kernel, miter: StructView) -> None:
    if miter["addr"]:
        miter["__offset"] += miter["consumed"]
        miter["__remaining"] -= miter["consumed"]
        if miter["__flags"] & _SG_ATOMIC:
            kernel.sched.preempt_count -= 1
        for member in ("page", "addr", "length", "consumed"):
            miter[member] = 0


@export("bool sg_miter_next(struct sg_mapping_iter *miter)")
def sg_miter_next(kernel: Kernel, miter: StructView) -> bool:
    _miter_stop(kernel, miter)
    if not _miter_page(kernel, miter):
        return False
    page = (kernel.memory.read_pointer(miter["piter.sg"]) & ~3) + miter["piter.sg_pgoffset"] * STRUCT_PAGE
    miter["page"] = page
    miter["consumed"] = miter["length"] = miter["__remaining"]
    miter["addr"] = _page_address(page) + miter["__offset"]
    if miter["__flags"] & _SG_ATOMIC:
        kernel.sched.preempt_count += 1
    return True


@export("bool sg_miter_skip(struct sg_mapping_iter *miter, long offset)")
def sg_miter_skip(kernel: Kernel, miter: StructView, offset: int) -> bool:
    _miter_stop(kernel, miter)
    while offset:
        if not _miter_page(kernel, miter):
            return False
        consumed = min(offset, miter["__remaining"])
        miter["__offset"] += consumed
        miter["__remaining"] -= consumed
        offset -= consumed
    return True


@export("void sg_miter_stop(struct sg_mapping_iter *miter)")
def sg_miter_stop(kernel: Kernel, miter: StructView) -> None:
    _miter_stop(kernel, miter)
