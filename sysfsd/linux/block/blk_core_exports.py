"""Request queues: their flags, and how a request's status becomes an errno."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("block/blk-core.c")

_ERRNOS = {0: 0, 1: -95, 2: -110, 3: -28, 4: -67, 5: -121, 6: -52, 7: -61, 8: -84, 9: -12, 10: -5, 12: -11, 13: -16}


@export("void blk_queue_flag_set(unsigned int flag, struct request_queue *q)")
def blk_queue_flag_set(kernel: Kernel, flag: int, q: StructView) -> None:
    q["queue_flags"] |= 1 << flag


@export("void blk_queue_flag_clear(unsigned int flag, struct request_queue *q)")
def blk_queue_flag_clear(kernel: Kernel, flag: int, q: StructView) -> None:
    q["queue_flags"] &= ~(1 << flag)


@export("int blk_status_to_errno(blk_status_t status)")
def blk_status_to_errno(kernel: Kernel, status: int) -> int:
    return _ERRNOS.get(status, -5)
