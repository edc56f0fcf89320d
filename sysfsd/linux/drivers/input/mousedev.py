"""Mice: /dev/input/mouseN (drivers/input/mousedev.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.drivers.input.input_core import BTN_LEFT, BTN_TOUCH, INPUT_MAJOR, MOUSEDEV_MINOR_BASE, Device
from sysfsd.linux.fs.char_dev import MKDEV

if TYPE_CHECKING:
    from sysfsd.linux.drivers.input.input import Input
    from sysfsd.linux.struct_view import StructView

__all__ = ["Mice"]


class Mice:
    """The mice of one kernel."""

    def __init__(self, input: Input) -> None:
        self.input = input
        self.kernel = input.kernel
        self._mice: set[int] = set()

    def is_mouse(self, dev: StructView) -> bool:
        """``mousedev_ids``."""
        keys, types = self.input.bits(dev, "keybit"), self.input.bits(dev, "evbit")
        moves, axes = self.input.bits(dev, "relbit"), self.input.bits(dev, "absbit")
        if types & 6 == 6 and ((keys >> BTN_LEFT & 1 and moves & 3 == 3) or moves >> 8 & 1):
            return True
        return types & 10 == 10 and axes & 3 == 3 and bool(keys & (1 << BTN_TOUCH | 1 << BTN_LEFT))

    def take_mouse(self, known: Device) -> None:
        core = self.kernel.state(DriverCore)
        number = next(n for n in range(31) if n not in self._mice)
        self._mice.add(number)
        handle = self.input.take(known, f"mouse{number}")
        devt = MKDEV(INPUT_MAJOR, MOUSEDEV_MINOR_BASE + number)
        mouse = core.device_create(self.input.input_class(), known.view.at("dev"), devt, 0, 0, b"mouse%d" % number)

        def disconnect() -> None:
            core.device_unregister(mouse)
            self._mice.discard(number)

        handle.disconnect = disconnect
