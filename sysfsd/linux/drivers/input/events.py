"""Events: from a driver to those who listen, and back (drivers/input/input.c)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.input.input_core import (
    ABS_MT_SLOT,
    EV_FF,
    EV_KEY,
    EV_LED,
    EV_MAX,
    EV_REP,
    EV_SND,
    EV_SYN,
    KINDS,
)

if TYPE_CHECKING:
    from sysfsd.linux.drivers.input.input import Input
    from sysfsd.linux.struct_view import StructView

__all__ = ["InputEvents"]

_SYN_REPORT, _SYN_CONFIG, _SYN_MT_REPORT = 0, 1, 2
_REP_DELAY, _REP_PERIOD = 0, 1

_TO_HANDLERS, _TO_DEVICE, _FLUSH = 1, 2, 8
_TO_ALL: Final = _TO_HANDLERS | _TO_DEVICE


class InputEvents:
    """Hands on the events of the input devices of one kernel."""

    def __init__(self, input: Input) -> None:
        self.input = input
        self.kernel = input.kernel

    def release_keys(self, dev: StructView) -> None:
        """``input_dev_release_keys()``."""
        pressed = self.input.bits(dev, "key")
        if self.input.has(dev, "evbit", EV_KEY):
            for code in range(KINDS[EV_KEY].max + 1):
                if pressed >> code & 1 and self.input.has(dev, "keybit", code):
                    self.handle_event(dev, EV_KEY, code, 0)
            self.handle_event(dev, EV_SYN, _SYN_REPORT, 1)
            self.input.set_bits(dev, "key", 0)

    # Events

    def event(self, dev: StructView, type_: int, code: int, value: int) -> None:
        """``input_event()``."""
        if type_ <= EV_MAX and self.input.has(dev, "evbit", type_):
            self.handle_event(dev, type_, code, value)

    def inject(self, handle: StructView, type_: int, code: int, value: int) -> None:
        """``input_inject_event()``."""
        dev = handle.to("dev")
        if type_ <= EV_MAX and self.input.has(dev, "evbit", type_) and dev["grab"] in (0, handle.address):
            self.handle_event(dev, type_, code, value)

    def _disposition(self, dev: StructView, type_: int, code: int, value: int) -> tuple[int, int]:
        """``input_get_disposition()``: who is told, and of what value."""
        if dev["inhibited"]:
            return 0, value
        kind = KINDS.get(type_)
        if kind is not None and type_ != EV_FF and (code > kind.max or not self.input.has(dev, kind.bits, code)):
            return 0, value
        changed = kind is not None and bool(kind.state) and self.input.has(dev, kind.state, code) != bool(value)
        match type_:
            case 0:
                return {_SYN_REPORT: _TO_HANDLERS | _FLUSH, _SYN_CONFIG: _TO_ALL, _SYN_MT_REPORT: _TO_HANDLERS}.get(
                    code, 0
                ), value
            case 1 if value == 2:
                return _TO_HANDLERS, value
            case 1 | 5 if changed:
                self.input.change_bit(dev, kind.state if kind is not None else "", code)
                return _TO_HANDLERS, value
            case 2:
                return (_TO_HANDLERS if value else 0), value
            case 3:
                return self._abs_event(dev, code, value)
            case 4 | 0x16:
                return _TO_ALL, value
            case 0x11 | 0x12:
                if changed:
                    self.input.change_bit(dev, kind.state if kind is not None else "", code)
                return (_TO_ALL if changed or type_ == EV_SND else 0), value
            case 0x14 if code < 2 and value >= 0 and dev.array("rep")[code] != value:
                self.kernel.memory.write_int(dev.at("rep") + 4 * code, value)
                return _TO_ALL, value
            case 0x15 if value >= 0:
                return _TO_ALL, value
        return 0, value

    def _abs_event(self, dev: StructView, code: int, value: int) -> tuple[int, int]:
        """``input_handle_abs_event()`` of a device without slots."""
        if code == ABS_MT_SLOT:
            return 0, value
        if 0x30 <= code <= 0x3D:
            return _TO_HANDLERS, value
        info = self.input.absinfo(dev, code)
        old, fuzz = info["value"], info["fuzz"]
        if fuzz:
            half = fuzz // 2
            if old - half < value < old + half:
                value = old
            elif old - fuzz < value < old + fuzz:
                value = int((old * 3 + value) / 4)
            elif old - fuzz * 2 < value < old + fuzz * 2:
                value = int((old + value) / 2)
        if value == old:
            return 0, value
        info["value"] = value
        return _TO_HANDLERS, value

    def handle_event(self, dev: StructView, type_: int, code: int, value: int) -> None:
        """``input_handle_event()``."""
        kernel = self.kernel
        disposition, value = self._disposition(dev, type_, code, value)
        if disposition & _TO_DEVICE and dev["event"]:
            kernel.cpu.call(dev["event"], dev.address, type_, code, value)
        if not dev["vals"]:
            return
        if disposition & _TO_HANDLERS:
            self._put_value(dev, type_, code, value)
        if disposition & _FLUSH:
            if dev["num_vals"] >= 2:
                self._pass_values(dev)
            dev["num_vals"] = 0
        elif dev["num_vals"] >= dev["max_vals"] - 2:
            self._put_value(dev, EV_SYN, _SYN_REPORT, 1)
            self._pass_values(dev)
            dev["num_vals"] = 0

    def _put_value(self, dev: StructView, type_: int, code: int, value: int) -> None:
        number = dev["num_vals"]
        slot = self.kernel.struct("input_value", dev["vals"] + 8 * number)
        slot["type"], slot["code"], slot["value"] = type_, code, value
        dev["num_vals"] = number + 1

    def _values(self, dev: StructView, count: int) -> Iterator[StructView]:
        return (self.kernel.struct("input_value", dev["vals"] + 8 * index) for index in range(count))

    def _pass_values(self, dev: StructView) -> None:
        """``input_pass_values()``."""
        count = dev["num_vals"]
        if dev["grab"]:
            count = self._to_handler(self.kernel.struct("input_handle", dev["grab"]), dev, count)
        else:
            for handle in self.input.handles(dev):
                if handle["open"]:
                    count = self._to_handler(handle, dev, count)
                    if not count:
                        break
        if self.input.has(dev, "evbit", EV_REP) and self.input.has(dev, "evbit", EV_KEY):
            for value in self._values(dev, count):
                if value["type"] == EV_KEY and value["value"] != 2:
                    self._autorepeat(dev, value["code"], bool(value["value"]))

    def _to_handler(self, handle: StructView, dev: StructView, count: int) -> int:
        """``input_to_handler()``: how many are left for others."""
        call, handler = self.kernel.cpu.call, handle.to("handler")
        memory = self.kernel.memory
        if handler["filter"]:
            kept = b""
            for value in self._values(dev, count):
                args = (value["type"], value["code"], value["value"])
                if not call(handler["filter"], handle.address, *args) & 0xFF:
                    kept += memory.read(value.address, 8)
            memory.write(dev["vals"], kept)
            count = len(kept) // 8
        if not count:
            return 0
        if handler["events"]:
            call(handler["events"], handle.address, dev["vals"], count)
        elif handler["event"]:
            for value in self._values(dev, count):
                call(handler["event"], handle.address, value["type"], value["code"], value["value"])
        return count

    def _autorepeat(self, dev: StructView, code: int, pressed: bool) -> None:
        """``input_start_autorepeat()``, ``input_stop_autorepeat()``."""
        softirq = self.kernel.softirq
        if not pressed:
            softirq.disarm(dev.at("timer"))
            return
        delay, period = dev.array("rep")
        if delay and period:
            dev["repeat_key"] = code
            softirq.arm(dev.at("timer"), time.monotonic() + delay / 1000, partial(self._repeat_key, dev))

    def _repeat_key(self, dev: StructView) -> None:
        """``input_repeat_key()``."""
        code = dev["repeat_key"]
        if not dev["inhibited"] and self.input.has(dev, "key", code) and self.input.has(dev, "keybit", code):
            self._put_value(dev, EV_KEY, code, 2)
            self._put_value(dev, EV_SYN, _SYN_REPORT, 1)
            self._pass_values(dev)
            dev["num_vals"] = 0
            period = dev.array("rep")[_REP_PERIOD]
            if period:
                deadline = time.monotonic() + period / 1000
                self.kernel.softirq.arm(dev.at("timer"), deadline, partial(self._repeat_key, dev))

    def toggle(self, dev: StructView, on: bool) -> None:
        """``input_dev_toggle()``."""
        if not dev["event"]:
            return
        for type_ in (EV_LED, EV_SND):
            kind = KINDS[type_]
            for code in range(kind.max + 1):
                active = self.input.has(dev, kind.state, code)
                if self.input.has(dev, kind.bits, code) and (active or on) and active:
                    self.kernel.cpu.call(dev["event"], dev.address, type_, code, int(on))
        if on and self.input.has(dev, "evbit", EV_REP):
            for code in (_REP_PERIOD, _REP_DELAY):
                self.kernel.cpu.call(dev["event"], dev.address, EV_REP, code, dev.array("rep")[code])
