"""Errors that each listener sees once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area
from sysfsd.linux.lib.math_exports import U32_MAX

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("lib/errseq.c")


# Errors that are noticed once by each who asks: the error, whether it has been seen, a counter.

_MAX_ERRNO: Final = 4095

_SEEN: Final = 1 << 12

_COUNT: Final = 1 << 13


@export("u32 errseq_set(u32 *eseq, int err)")
def errseq_set(kernel: Kernel, eseq: int, err: int) -> int:
    old = kernel.memory.read_int(eseq)
    if not -_MAX_ERRNO <= err < 0:
        kernel.traps.warn_at("lib/errseq.c", 74, f"err = {err}", "errseq_set+0x59")
        return old
    new = old & ~(_MAX_ERRNO | _SEEN) | -err
    if old & _SEEN:
        new = new + _COUNT & U32_MAX
    kernel.memory.write_int(eseq, new)
    return new if new == old else old


@export("u32 errseq_sample(u32 *eseq)")
def errseq_sample(kernel: Kernel, eseq: int) -> int:
    old = kernel.memory.read_int(eseq)
    return old if old & _SEEN else 0


@export("int errseq_check(u32 *eseq, u32 since)")
def errseq_check(kernel: Kernel, eseq: int, since: int) -> int:
    current = kernel.memory.read_int(eseq)
    return 0 if current == since else -(current & _MAX_ERRNO)


@export("int errseq_check_and_advance(u32 *eseq, u32 *since)")
def errseq_check_and_advance(kernel: Kernel, eseq: int, since: int) -> int:
    memory = kernel.memory
    old = memory.read_int(eseq)
    if old == memory.read_int(since):
        return 0
    memory.write_int(eseq, old | _SEEN)
    memory.write_int(since, old | _SEEN)
    return -(old & _MAX_ERRNO)
