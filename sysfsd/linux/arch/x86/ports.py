"""What is read from ports: of a PC with its old devices, and nothing connected to them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

__all__ = ["Ports"]

_CMOS_INDEX, _CMOS_DATA = 0x70, 0x71
#: Status registers of the clock, and the century (drivers/rtc/rtc-cmos.c).
_CMOS_FIXED: Final = {0xA: 0x26, 0xB: 0x02, 0xC: 0x00, 0xD: 0x80, 0x32: 0x20}
_PARALLEL_DATA, _PARALLEL_STATUS, _PARALLEL_CONTROL = 0x378, 0x379, 0x37A
#: Of the control register: those that there are, those that are always set, and "no reset" (drivers/parport/).
_CONTROL_BITS, _CONTROL_ONES, _CONTROL_INIT = 0x3F, 0xC0, 0x04
#: Keyboard controller, speaker's gate, serial line.
_FIXED: Final = {0x60: 0x00, 0x61: 0x01, 0x64: 0x1C, 0x3FD: 0x60}


class Ports:
    """The ports of one kernel's machine."""

    def __init__(self, kernel: Kernel) -> None:
        self._index = 0
        self._parallel, self._parallel_status, self._parallel_control = 0, 0xD9, 0x0C

    def read(self, port: int, size: int) -> int:
        """*size* bytes; where there is no device all bits are set."""
        if size > 1:
            return (1 << 8 * size) - 1
        if port == _CMOS_DATA:
            return self._cmos()
        if port == _PARALLEL_DATA:
            return self._parallel
        if port == _PARALLEL_STATUS:
            return self._parallel_status
        if port == _PARALLEL_CONTROL:
            return self._parallel_control | _CONTROL_ONES
        return _FIXED.get(port, 0xFF)

    def write(self, port: int, size: int, value: int) -> None:
        if port == _CMOS_INDEX:
            self._index = value & 0x7F
        elif port == _PARALLEL_DATA:
            self._parallel = value & 0xFF
        elif port == _PARALLEL_CONTROL:
            self._parallel_control = value & _CONTROL_BITS
            if not value & _CONTROL_INIT:
                self._parallel_status &= ~1  # no timeout since then

    def inward(self, _uc: object, port: int, size: int, _data: object) -> int:
        """An ``in`` instruction of module code."""
        return self.read(port, size)

    def outward(self, _uc: object, port: int, size: int, value: int, _data: object) -> None:
        """An ``out`` instruction."""
        self.write(port, size, value)

    def _cmos(self) -> int:
        """A register of the clock, which has UTC, in binary-coded decimals."""
        now = time.gmtime()
        fields = {
            0: now.tm_sec,
            2: now.tm_min,
            4: now.tm_hour,
            6: (now.tm_wday + 1) % 7 + 1,
            7: now.tm_mday,
            8: now.tm_mon,
            9: now.tm_year % 100,
        }
        if self._index in fields:
            return int(str(fields[self._index]), 16)
        return _CMOS_FIXED.get(self._index, 0)
