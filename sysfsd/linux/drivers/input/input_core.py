"""What input devices and their listeners know of each other (include/linux/input.h)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView

__all__ = [
    "ABS_CNT",
    "ABS_MT_SLOT",
    "BTN_LEFT",
    "BTN_MISC",
    "BTN_TOUCH",
    "EV_ABS",
    "EV_FF",
    "EV_KEY",
    "EV_LED",
    "EV_MAX",
    "EV_PWR",
    "EV_REL",
    "EV_REP",
    "EV_SND",
    "EV_SYN",
    "INPUT_MAJOR",
    "KEY_LEFTALT",
    "KINDS",
    "MOUSEDEV_MINOR_BASE",
    "MOUSEDEV_MIX",
    "Device",
    "Handle",
    "Kind",
]


EV_SYN, EV_KEY, EV_REL, EV_ABS, _EV_MSC, _EV_SW, EV_LED, EV_SND, EV_REP, EV_FF, EV_PWR = (
    0, 1, 2, 3, 4, 5, 0x11, 0x12, 0x14, 0x15, 0x16,
)  # fmt: skip
_KEY_MIN_INTERESTING: Final = 0x71
KEY_LEFTALT, BTN_MISC, BTN_LEFT, _BTN_TOOL_FINGER, BTN_TOUCH = 56, 0x100, 0x110, 0x145, 0x14A
ABS_MT_SLOT, ABS_CNT = 0x2F, 0x40
INPUT_MAJOR, MOUSEDEV_MINOR_BASE, MOUSEDEV_MIX = 13, 32, 63


class Kind(NamedTuple):
    """A kind of event: the bits that say which codes a device has, the highest code, how ``modalias`` calls it."""

    bits: str
    max: int
    letter: str
    first: int = 0
    state: str = ""


KINDS: Final = {
    EV_KEY: Kind("keybit", 0x2FF, "k", _KEY_MIN_INTERESTING, "key"),
    EV_REL: Kind("relbit", 0x0F, "r"),
    EV_ABS: Kind("absbit", 0x3F, "a"),
    _EV_MSC: Kind("mscbit", 0x07, "m"),
    EV_LED: Kind("ledbit", 0x0F, "l", state="led"),
    EV_SND: Kind("sndbit", 0x07, "s", state="snd"),
    EV_FF: Kind("ffbit", 0x7F, "f"),
    _EV_SW: Kind("swbit", 0x10, "w", state="sw"),
}
EV_MAX: Final = 0x1F


@dataclass(eq=False)
class Handle:
    """A handler of the kernel proper that has taken a device."""

    name: str
    first: bool = False
    #: Whether it has opened the device.
    opened: bool = False
    disconnect: Callable[[], None] = lambda: None


@dataclass(eq=False)
class Device:
    """What is known of a registered device besides its ``struct input_dev``."""

    view: StructView
    handles: list[Handle] = field(default_factory=list)
