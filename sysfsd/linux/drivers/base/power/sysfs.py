"""The directory ``power`` of a device whose power nobody manages (drivers/base/power/sysfs.c)."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView

__all__ = ["POWER_ATTRIBUTES"]

Show = Callable[["StructView"], bytes]
Store = Callable[["StructView", bytes], None]


def _word(data: bytes) -> bytes:
    """What sysfs_streq() compares."""
    return data.partition(b"\0")[0].removesuffix(b"\n")


def _choose(member: str, on: bytes, off: bytes) -> tuple[Show, Store]:
    """A flag that is one of two words."""

    def show(dev: StructView) -> bytes:
        return (on if dev[member] else off) + b"\n"

    def store(dev: StructView, data: bytes) -> None:
        word = _word(data)
        if word not in (on, off):
            raise err(errno.EINVAL)
        dev[member] = int(word == on)

    return show, store


def _control(dev: StructView, data: bytes) -> None:
    """``control_store()``: who forbids that the device sleeps also uses it."""
    was = dev["power.runtime_auto"]
    _choose("power.runtime_auto", b"auto", b"on")[1](dev, data)
    dev["power.usage_count.counter"] += was - dev["power.runtime_auto"]


def _enabled(dev: StructView) -> bytes:
    disabled, forbidden = dev["power.disable_depth"] > 0, not dev["power.runtime_auto"]
    words = [b"disabled"] * disabled + [b"forbidden"] * forbidden
    return (b" & ".join(words) or b"enabled") + b"\n"


def _status(dev: StructView) -> bytes:
    if dev["power.runtime_error"]:
        return b"error\n"
    if dev["power.disable_depth"]:
        return b"unsupported\n"
    return (b"active\n", b"resuming\n", b"suspended\n", b"suspending\n")[dev["power.runtime_status"] & 3]


def _autosuspend_delay(dev: StructView) -> bytes:
    if not dev["power.use_autosuspend"]:
        raise err(errno.EIO)
    return b"%d\n" % dev["power.autosuspend_delay"]


def _set_autosuspend_delay(dev: StructView, data: bytes) -> None:
    if not dev["power.use_autosuspend"]:
        raise err(errno.EIO)
    try:
        dev["power.autosuspend_delay"] = int(_word(data))
    except ValueError:
        raise err(errno.EINVAL) from None


#: Mode, and what shows and stores, by name.
POWER_ATTRIBUTES: Final[dict[str, tuple[int, Show, Store | None]]] = {
    "async": (0o644, *_choose("power.async_suspend", b"enabled", b"disabled")),
    "autosuspend_delay_ms": (0o644, _autosuspend_delay, _set_autosuspend_delay),
    "control": (0o644, _choose("power.runtime_auto", b"auto", b"on")[0], _control),
    "runtime_active_kids": (0o444, lambda dev: b"%d\n" % dev["power.child_count.counter"], None),
    "runtime_active_time": (0o444, lambda dev: b"0\n", None),
    "runtime_enabled": (0o444, _enabled, None),
    "runtime_status": (0o444, _status, None),
    "runtime_suspended_time": (0o444, lambda dev: b"0\n", None),
    "runtime_usage": (0o444, lambda dev: b"%d\n" % dev["power.usage_count.counter"], None),
}
