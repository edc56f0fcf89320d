"""Per-CPU data of modules: the reserved part of the first chunk (mm/percpu.c)."""

from __future__ import annotations

import errno
from bisect import insort
from typing import Final

from sysfsd.kernel.err import err
from sysfsd.kernel.memory import align

__all__ = ["PERCPU_MODULE_RESERVE", "ReservedPercpu"]

#: Bytes that the kernel sets aside for all modules' per-CPU variables.
PERCPU_MODULE_RESERVE: Final = 8 << 10
_MIN_ALLOC: Final = 4


class ReservedPercpu:
    """The allocator behind ``__alloc_reserved_percpu()``: offsets into each CPU's area.

    :param start: the offset at which the kernel's own per-CPU variables end
    """

    def __init__(self, start: int, size: int = PERCPU_MODULE_RESERVE) -> None:
        self.start = start
        self.size = size
        self._used: list[tuple[int, int]] = []

    def alloc(self, size: int, alignment: int) -> int:
        """:returns: the offset of *size* bytes
        :raises OSError: ENOMEM if no gap is large enough
        """
        size = align(size, _MIN_ALLOC)
        offset = align(self.start, alignment)
        for start, end in self._used:
            if offset + size <= start:
                break
            offset = align(max(end, offset), alignment)
        if offset + size > self.start + self.size:
            raise err(errno.ENOMEM)
        insort(self._used, (offset, offset + size))
        return offset

    def free(self, offset: int) -> None:
        self._used = [piece for piece in self._used if piece[0] != offset]
