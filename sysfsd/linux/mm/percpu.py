"""Per-CPU data of modules: the reserved part of the first chunk (mm/percpu.c)."""

from __future__ import annotations

import errno
from bisect import insort
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.kernel.printk.printk import PrintkLog
from sysfsd.linux.mm.memory import PAGE_SIZE, align

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

__all__ = ["NR_CPUS", "PERCPU_MODULE_RESERVE", "Percpu", "ReservedPercpu"]

#: Processors that there are as far as anybody can see. All code runs on the first one.
NR_CPUS: Final = 2
#: Bytes for variables that are allocated while the kernel runs (PERCPU_DYNAMIC_RESERVE).
PERCPU_DYNAMIC_RESERVE: Final = 28 << 10

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


class Percpu(ReservedPercpu):
    """The per-CPU variables of one kernel: an area for each processor, alike in layout."""

    def __init__(self, kernel: Kernel) -> None:
        start = kernel.image.percpu_end
        super().__init__(start, kernel.log, kernel.warn)
        self._image = kernel.image
        self._memory = kernel.memory
        self.dynamic = ReservedPercpu(start + self.size, kernel.log, kernel.warn, PERCPU_DYNAMIC_RESERVE)
        self._unit = align(start + self.size + PERCPU_DYNAMIC_RESERVE, PAGE_SIZE)
        self._bases = [kernel.memory.direct_map.alloc(self._unit) for _ in range(NR_CPUS)]
        self._addresses: dict[str, int] = {}
        for cpu, base in enumerate(self._bases):
            kernel.memory.write_int(base + self._offset("cpu_number"), cpu)
            kernel.memory.write_pointer(base + self._offset("this_cpu_off"), base)

    def cpu_base(self, cpu: int) -> int:
        """``per_cpu_offset()``: where the variables of a processor begin."""
        return self._bases[cpu]

    def _offset(self, name: str) -> int:
        symbol = self._image.find_export(name)
        if symbol is None:
            raise KeyError(name)
        return symbol.value

    def address(self, name: str, cpu: int = 0) -> int:
        """Where an exported per-CPU variable of the kernel lies."""
        if cpu:
            return self._bases[cpu] + self._offset(name)
        found = self._addresses.get(name)
        if found is None:
            found = self._addresses[name] = self._bases[0] + self._offset(name)
        return found

    def initialise(self, offset: int, data: bytes) -> None:
        """``percpu_modcopy()``: give each processor's variables at *offset* their first values."""
        for base in self._bases:
            self._memory.write(base + offset, data)

    @property
    def offsets(self) -> list[int]:
        """``__per_cpu_offset[]``."""
        return self._bases
