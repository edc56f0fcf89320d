"""Per-CPU data of modules: the reserved part of the first chunk (mm/percpu.c)."""

from __future__ import annotations

import errno
from bisect import insort
from collections.abc import Callable
from typing import Final

from sysfsd.kernel.err import err
from sysfsd.kernel.memory import PAGE_SIZE, align
from sysfsd.kernel.printk import PrintkLog

__all__ = ["PERCPU_MODULE_RESERVE", "ReservedPercpu"]

#: Bytes that the kernel sets aside for all modules' per-CPU variables.
PERCPU_MODULE_RESERVE: Final = 8 << 10
_MIN_ALLOC: Final = 4
#: PCPU_MIN_UNIT_SIZE (bytes).
_MIN_UNIT_SIZE: Final = 32 << 10


class ReservedPercpu:
    """The allocator behind ``__alloc_reserved_percpu()``: offsets into each CPU's area.

    :param start: the offset at which the kernel's own per-CPU variables end
    :param log: where it says that the reserve is used up
    :param warn: the kernel's WARN(), for requests that make no sense
    """

    def __init__(
        self, start: int, log: PrintkLog, warn: Callable[[str], None], size: int = PERCPU_MODULE_RESERVE
    ) -> None:
        self.start = start
        self.size = size
        self._log = log
        self._warn = warn
        self._warn_limit = 10
        self._used: list[tuple[int, int]] = []

    def alloc(self, size: int, alignment: int) -> int:
        """:returns: the offset of *size* bytes
        :raises OSError: ENOMEM if no gap is large enough
        """
        size, alignment = align(size, _MIN_ALLOC), max(alignment, _MIN_ALLOC)
        if size > _MIN_UNIT_SIZE or alignment > PAGE_SIZE or alignment & (alignment - 1):
            self._warn(f"illegal size ({size}) or align ({alignment}) for percpu allocation")
            raise err(errno.ENOMEM)
        offset = align(self.start, alignment)
        for start, end in self._used:
            if offset + size <= start:
                break
            offset = align(max(end, offset), alignment)
        if offset + size > self.start + self.size:
            if self._warn_limit:
                self._warn_limit -= 1
                self._log.pr_warn(
                    f"percpu: allocation failed, size={size} align={alignment} atomic=0,"
                    " alloc from reserved chunk failed"
                )
            raise err(errno.ENOMEM)
        insort(self._used, (offset, offset + size))
        return offset

    def free(self, offset: int) -> None:
        self._used = [piece for piece in self._used if piece[0] != offset]
