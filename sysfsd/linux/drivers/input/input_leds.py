"""LEDs of input devices, as a class of their own (drivers/input/input-leds.c)."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.base.base import Subsystem
from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.drivers.input.input_core import EV_LED, Device
from sysfsd.linux.err import err
from sysfsd.linux.lib.kobject import SysfsDirectory, SysfsFile
from sysfsd.linux.lib.kstrtox import INT_TYPES, kstrto
from sysfsd.linux.registrations import Registrations

if TYPE_CHECKING:
    from sysfsd.linux.drivers.input.input import Input
    from sysfsd.linux.struct_view import StructView

__all__ = ["InputLeds"]

_NAMES: Final = {
    0: "numlock", 1: "capslock", 2: "scrolllock", 3: "compose", 4: "kana", 5: "sleep", 6: "suspend", 7: "mute",
    8: "misc", 9: "mail", 10: "charging",
}  # fmt: skip
_LED_TRIGGERS: Final = {0: "kbd-numlock", 1: "kbd-capslock", 2: "kbd-scrolllock", 4: "kbd-kanalock"}
_TRIGGERS: Final = (
    "kbd-scrolllock", "kbd-numlock", "kbd-capslock", "kbd-kanalock", "kbd-shiftlock", "kbd-altgrlock", "kbd-ctrllock",
    "kbd-altlock", "kbd-shiftllock", "kbd-shiftrlock", "kbd-ctrlllock", "kbd-ctrlrlock", "disk-activity", "disk-read",
    "disk-write", "ide-disk", "mtd", "nand-disk", "cpu", "cpu0", "cpu1", "panic",
)  # fmt: skip


@dataclass(eq=False)
class _Led:
    number: int
    brightness: int = 0
    trigger: str = "none"


class InputLeds:
    """The LEDs of the input devices of one kernel."""

    def __init__(self, input: Input) -> None:
        self.input = input
        self.kernel = input.kernel
        self.shown: dict[int, tuple[StructView, _Led]] = {}
        self._led_class = 0
        self._new_led: tuple[StructView, _Led] | None = None

    def _leds_class(self) -> int:
        core = self.kernel.state(DriverCore)
        if not self._led_class:
            with core.sysfs.foreign(False):
                self._led_class = core.class_.class_create(0, b"leds").address
            found: Subsystem | None = core.class_.find_class(self._led_class)
            assert found is not None
            found.add_files = self._add_led_files
        return self._led_class

    def take_leds(self, known: Device) -> None:
        """``input_leds_connect()``."""
        core, dev = self.kernel.state(DriverCore), known.view
        names = {number: name for number, name in _NAMES.items() if self.input.has(dev, "ledbit", number)}
        if not names:
            return
        handle = self.input.take(known, "leds", open=True)
        made: list[StructView] = []
        for number, name in names.items():
            led = _Led(number, trigger=_LED_TRIGGERS.get(number, "none"))
            self._new_led = (dev, led)
            full = f"{core.name(dev.sub('dev'))}::{name}".encode()
            made.append(core.device_create(self._leds_class(), dev.at("dev"), 0, 0, 0, full))
            self.shown[made[-1].address] = (dev, led)

        def disconnect() -> None:
            for device in made:
                led = self.shown.pop(device.address)[1]
                self.input.events.event(dev, EV_LED, led.number, 0)
                core.device_unregister(device)

        handle.disconnect = disconnect

    def _add_led_files(self, device: StructView, directory: SysfsDirectory) -> None:
        assert self._new_led is not None
        sysfs = self.kernel.state(DriverCore).sysfs
        dev, led = self._new_led

        def set_brightness(data: bytes) -> None:
            led.brightness = min(kstrto(INT_TYPES["ul"], data), 1)
            if not led.brightness:
                led.trigger = "none"
            self.input.events.event(dev, EV_LED, led.number, led.brightness)

        def triggers() -> tuple[str, ...]:
            registered = self.kernel.state(Registrations).items("led_trigger")
            return ("none", *_TRIGGERS, *(str(name, "latin-1") for name in registered if isinstance(name, bytes)))

        def show_triggers() -> bytes:
            return " ".join(f"[{name}]" if name == led.trigger else name for name in triggers()).encode() + b"\n"

        def set_trigger(data: bytes) -> None:
            name = data.partition(b"\n")[0].decode("latin-1")
            if name not in triggers():
                raise err(errno.EINVAL)
            led.trigger = name

        sysfs.create_own_file(directory, "brightness", 0o644, lambda: b"%d\n" % led.brightness, set_brightness)
        sysfs.create_own_file(directory, "max_brightness", 0o444, lambda: b"1\n")
        sysfs.add(SysfsFile("trigger", directory, 0, 0o644, directory.kobj, 0, True, show_triggers, set_trigger))
