"""Input devices and who listens to them.

Follows drivers/input/input.c, and as far as one sees them drivers/input/mousedev.c, input-leds.c and
drivers/tty/vt/keyboard.c, whose handlers the kernel proper has.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from sysfsd.linux.drivers.base.base import Subsystem
from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.err import err
from sysfsd.linux.fs.char_dev import MKDEV
from sysfsd.linux.kernel.printk.printk import Level
from sysfsd.linux.lib.kobject import SysfsDirectory, SysfsFile
from sysfsd.linux.lib.kstrtox import INT_TYPES, kstrto, kstrtobool
from sysfsd.linux.lib.list import INIT_LIST_HEAD, list_add, list_add_tail, list_del_init, list_entries
from sysfsd.linux.mm.memory import PAGE_SIZE, PageFault
from sysfsd.linux.registrations import Registrations

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = ["Input"]

_EV_SYN, _EV_KEY, _EV_REL, _EV_ABS, _EV_MSC, _EV_SW, _EV_LED, _EV_SND, _EV_REP, _EV_FF, _EV_PWR = (
    0, 1, 2, 3, 4, 5, 0x11, 0x12, 0x14, 0x15, 0x16,
)  # fmt: skip
_SYN_REPORT, _SYN_CONFIG, _SYN_MT_REPORT = 0, 1, 2
_KEY_MIN_INTERESTING: Final = 0x71
_KEY_LEFTALT, _BTN_MISC, _BTN_LEFT, _BTN_TOOL_FINGER, _BTN_TOUCH = 56, 0x100, 0x110, 0x145, 0x14A
_KEYBOARD: Final = (*range(1, _BTN_MISC), *range(0x1F1, 0x1FB))
_ABS_MT_SLOT, _ABS_CNT = 0x2F, 0x40
_REP_DELAY, _REP_PERIOD = 0, 1
_ENODEV: Final = -errno.ENODEV

#: The first number that a device gets: those before it the machine's own keyboard has had.
_FIRST: Final = 2
_INPUT_MAJOR, _MOUSEDEV_MINOR_BASE, _MOUSEDEV_MIX = 13, 32, 63


class _Kind(NamedTuple):
    """A kind of event: the bits that say which codes a device has, the highest code, how ``modalias`` calls it."""

    bits: str
    max: int
    letter: str
    first: int = 0
    state: str = ""


_KINDS: Final = {
    _EV_KEY: _Kind("keybit", 0x2FF, "k", _KEY_MIN_INTERESTING, "key"),
    _EV_REL: _Kind("relbit", 0x0F, "r"),
    _EV_ABS: _Kind("absbit", 0x3F, "a"),
    _EV_MSC: _Kind("mscbit", 0x07, "m"),
    _EV_LED: _Kind("ledbit", 0x0F, "l", state="led"),
    _EV_SND: _Kind("sndbit", 0x07, "s", state="snd"),
    _EV_FF: _Kind("ffbit", 0x7F, "f"),
    _EV_SW: _Kind("swbit", 0x10, "w", state="sw"),
}
_EV_MAX: Final = 0x1F
#: How ``modalias`` begins.
_MODALIAS_ID: Final = (("b", "bustype"), ("v", "vendor"), ("p", "product"), ("e", "version"))
#: ``k+,``
_KEYS_SHORTEST: Final = 3
_UEVENT_ENV_EXTRA_LEN: Final = 96
_ID_FLAGS: Final = {1: "bustype", 2: "vendor", 4: "product", 8: "version"}
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

_TO_HANDLERS, _TO_DEVICE, _FLUSH = 1, 2, 8
_TO_ALL: Final = _TO_HANDLERS | _TO_DEVICE


@dataclass(eq=False)
class _Handle:
    """A handler of the kernel proper that has taken a device."""

    name: str
    first: bool = False
    #: Whether it has opened the device.
    opened: bool = False
    disconnect: Callable[[], None] = lambda: None


@dataclass(eq=False)
class _Led:
    number: int
    brightness: int = 0
    trigger: str = "none"


@dataclass(eq=False)
class _Device:
    """What is known of a registered device besides its ``struct input_dev``."""

    view: StructView
    handles: list[_Handle] = field(default_factory=list)


class Input:
    """The input devices of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._next = _FIRST
        self._devices: dict[int, _Device] = {}
        self._handlers: dict[int, StructView] = {}
        self._ready = False
        self._mice: set[int] = set()
        self._leds: dict[int, tuple[StructView, _Led]] = {}
        self._led_class = 0
        #: What the parents of managed devices give back: the address of the resource.
        self._managed: dict[tuple[int, str], int] = {}
        self._new_led: tuple[StructView, _Led] | None = None

    # Bits

    def bits(self, view: StructView, member: str) -> int:
        size = view.struct.member(member).size
        return int.from_bytes(view.memory.read(view.at(member), size), "little")

    def _set_bits(self, view: StructView, member: str, bits: int) -> None:
        view.memory.write(view.at(member), bits.to_bytes(view.struct.member(member).size, "little"))

    def _change_bit(self, view: StructView, member: str, bit: int) -> None:
        self._set_bits(view, member, self.bits(view, member) ^ 1 << bit)

    def has(self, view: StructView, member: str, bit: int) -> bool:
        return bool(self.bits(view, member) >> bit & 1)

    # The classes

    def _class(self) -> int:
        """The class ``input``, with what is done for its devices."""
        kernel, core = self._kernel, self._kernel.state(DriverCore)
        address = kernel.exports.data_address("input_class")
        if not self._ready:
            self._ready = True
            found = core.class_.find_class(address)
            assert found is not None
            found.uevent, found.add_files = self._uevent, self._add_files
            core.own_devnode[address] = lambda dev: (f"input/{core.name(dev)}" if dev["devt"] else None, 0)
            core.device_create(address, 0, MKDEV(_INPUT_MAJOR, _MOUSEDEV_MIX), 0, 0, b"mice")
        return address

    def _leds_class(self) -> int:
        core = self._kernel.state(DriverCore)
        if not self._led_class:
            with core.sysfs.foreign(False):
                self._led_class = core.class_.class_create(0, b"leds").address
            found: Subsystem | None = core.class_.find_class(self._led_class)
            assert found is not None
            found.add_files = self._add_led_files
        return self._led_class

    # Life

    def allocate(self) -> StructView:
        """``input_allocate_device()``.

        :raises OSError: ENOMEM
        """
        kernel, core, memory = self._kernel, self._kernel.state(DriverCore), self._kernel.memory
        class_ = self._class()
        dev = kernel.struct("input_dev", kernel.slab.kmalloc(kernel.image.structs["input_dev"].size))
        device = dev.sub("dev")
        device["class"] = class_
        core.device_initialize(device)
        for head in ("mutex.wait_list", "h_list", "node"):
            INIT_LIST_HEAD(memory, dev.at(head))
        core.set_name(device, b"input%d" % self._next)
        core.own_release[device.address] = lambda: self._release(dev)
        self._next += 1
        return dev

    def _release(self, dev: StructView) -> None:
        """``input_dev_release()``."""
        for what in ("memory", "registration"):
            self._managed.pop((dev.address, what), None)
        for member in ("absinfo", "vals"):
            self._kernel.slab.kfree(dev[member])
        self._kernel.slab.kfree(dev.address)

    def devm_allocate(self, device: StructView) -> StructView:
        """``devm_input_allocate_device()``."""
        core = self._kernel.state(DriverCore)
        dev = self.allocate()
        dev["dev.parent"], dev["devres_managed"] = device.address, 1
        self._manage(dev, device, "memory", lambda data: core.put(dev.sub("dev")))
        return dev

    def free(self, dev: StructView) -> None:
        """``input_free_device()``."""
        if not dev.address:
            return
        self._forget_managed(dev, "memory")
        self._kernel.state(DriverCore).put(dev.sub("dev"))

    def _manage(self, dev: StructView, parent: StructView, what: str, release: Callable[[int], None]) -> None:
        """Have *parent* give something back."""
        core = self._kernel.state(DriverCore)
        data = self._managed[dev.address, what] = core.devres.alloc(release, 8)
        core.devres.add(parent, data)

    def _forget_managed(self, dev: StructView, what: str) -> None:
        """It is given back before the parent would."""
        data = self._managed.pop((dev.address, what), None)
        if data is not None:
            core, parent = self._kernel.state(DriverCore), dev.sub("dev").to("parent")
            found = core.devres.find(parent, None, lambda other: other == data)
            if found is not None:
                core.devres.remove(parent, found)
                core.devres.free(data)

    def set_capability(self, dev: StructView, type_: int, code: int) -> None:
        """``input_set_capability()``."""
        kernel, kind = self._kernel, _KINDS.get(type_)
        if kind is not None and code > kind.max:
            kernel.log.pr_err(f"input: input_set_capability: invalid code {code} for type {type_}")
            kernel.traps.dump_stack()
            return
        if kind is None and type_ != _EV_PWR:
            kernel.log.pr_err(f"input: input_set_capability: unknown type {type_} (code {code})")
            kernel.traps.dump_stack()
            return
        if type_ == _EV_ABS:
            self.alloc_absinfo(dev)
        if kind is not None:
            self._set_bits(dev, kind.bits, self.bits(dev, kind.bits) | 1 << code)
        self._set_bits(dev, "evbit", self.bits(dev, "evbit") | 1 << type_)

    def alloc_absinfo(self, dev: StructView) -> None:
        """``input_alloc_absinfo()``."""
        kernel = self._kernel
        if not dev["absinfo"]:
            dev["absinfo"] = kernel.slab.kmalloc(_ABS_CNT * kernel.image.structs["input_absinfo"].size)

    def absinfo(self, dev: StructView, axis: int) -> StructView:
        return self._kernel.struct("input_absinfo", dev["absinfo"] + axis * 24)

    def set_abs_params(self, dev: StructView, axis: int, limits: tuple[int, int, int, int]) -> None:
        """``input_set_abs_params()``."""
        self._set_bits(dev, "evbit", self.bits(dev, "evbit") | 1 << _EV_ABS)
        self._set_bits(dev, "absbit", self.bits(dev, "absbit") | 1 << axis)
        self.alloc_absinfo(dev)
        info = self.absinfo(dev, axis)
        for member, value in zip(("minimum", "maximum", "fuzz", "flat"), limits, strict=True):
            info[member] = value

    def _name(self, dev: StructView, member: str = "name") -> str:
        return dev.string(member).decode("latin-1") if dev[member] else ""

    def register(self, dev: StructView) -> None:
        """``input_register_device()``.

        :raises OSError: EINVAL, EEXIST, ENOMEM
        """
        kernel, core = self._kernel, self._kernel.state(DriverCore)
        if self.has(dev, "evbit", _EV_ABS) and not dev["absinfo"]:
            text = b"Absolute device without dev->absinfo, refusing to register\n"
            core.printk(Level.ERR, dev.sub("dev"), text)
            raise err(errno.EINVAL)
        types = self.bits(dev, "evbit") | 1 << _EV_SYN
        self._set_bits(dev, "evbit", types)
        self._set_bits(dev, "keybit", self.bits(dev, "keybit") & ~1)
        for type_, kind in _KINDS.items():
            if not types >> type_ & 1:
                self._set_bits(dev, kind.bits, 0)
        size = self._estimate_events(dev)
        if dev["hint_events_per_packet"] < size:
            dev["hint_events_per_packet"] = size
        dev["max_vals"] = dev["hint_events_per_packet"] + 2
        dev["vals"] = kernel.slab.kmalloc(8 * dev["max_vals"])
        delay, period = dev.array("rep")
        if not delay and not period:
            self._repeat(dev, 250, 33)
        core.device_add(dev.sub("dev"))
        path = core.kobjects.path(dev.sub("dev").sub("kobj"))
        kernel.log.pr_info(f"input: {self._name(dev) if dev['name'] else 'Unspecified device'} as {path}")
        known = self._devices[dev.address] = _Device(dev)
        self._attach_own(known)
        for handler in list(self._handlers.values()):
            self._attach(handler, dev)
        if dev["devres_managed"]:
            parent = dev.sub("dev").to("parent")
            self._manage(dev, parent, "registration", lambda data: self._unregister(dev))

    def _repeat(self, dev: StructView, delay: int, period: int) -> None:
        self._kernel.memory.write_int(dev.at("rep"), delay)
        self._kernel.memory.write_int(dev.at("rep") + 4, period)

    def _estimate_events(self, dev: StructView) -> int:
        """``input_estimate_events_per_packet()``."""
        events, types = 1 + 7, self.bits(dev, "evbit")
        slots = 0
        axes = self.bits(dev, "absbit")
        if axes >> 0x39 & 1:
            info = self.absinfo(dev, 0x39)
            slots = min(max(info["maximum"] - info["minimum"] + 1, 2), 32)
        elif axes >> 0x35 & 1:
            slots = 2
        events += slots
        if types >> _EV_ABS & 1:
            events += sum(slots if 0x30 <= axis <= 0x3D else 1 for axis in range(_ABS_CNT) if axes >> axis & 1)
        if types >> _EV_REL & 1:
            events += self.bits(dev, "relbit").bit_count()
        return events

    def unregister(self, dev: StructView) -> None:
        """``input_unregister_device()``."""
        if dev["devres_managed"]:
            self._forget_managed(dev, "registration")
            self._unregister(dev)
        else:
            self._unregister(dev)
            self._kernel.state(DriverCore).put(dev.sub("dev"))

    def _unregister(self, dev: StructView) -> None:
        """``__input_unregister_device()``."""
        kernel = self._kernel
        dev["going_away"] = 1
        self._release_keys(dev)
        for handle in self._handles(dev):
            kernel.cpu.call(handle.to("handler")["disconnect"], handle.address)
        known = self._devices.pop(dev.address, None)
        for own in known.handles if known is not None else ():
            own.disconnect()
            if own.opened:
                self._closed(dev)
        kernel.softirq.disarm(dev.at("timer"))
        kernel.state(DriverCore).device_del(dev.sub("dev"))

    def _release_keys(self, dev: StructView) -> None:
        """``input_dev_release_keys()``."""
        pressed = self.bits(dev, "key")
        if self.has(dev, "evbit", _EV_KEY):
            for code in range(_KINDS[_EV_KEY].max + 1):
                if pressed >> code & 1 and self.has(dev, "keybit", code):
                    self.handle_event(dev, _EV_KEY, code, 0)
            self.handle_event(dev, _EV_SYN, _SYN_REPORT, 1)
            self._set_bits(dev, "key", 0)

    # Handlers

    def matches(self, dev: StructView, wanted: StructView) -> bool:
        """``input_match_device_id()``."""
        flags = wanted["flags"]
        if any(flags & flag and wanted[member] != dev[f"id.{member}"] for flag, member in _ID_FLAGS.items()):
            return False
        members = ("evbit", *(kind.bits for kind in _KINDS.values()), "propbit")
        return not any(self.bits(wanted, member) & ~self.bits(dev, member) for member in members)

    def _attach(self, handler: StructView, dev: StructView) -> None:
        """``input_attach_handler()``."""
        kernel = self._kernel
        wanted = handler.to("id_table")
        while wanted["flags"] or wanted["driver_info"]:
            if self.matches(dev, wanted) and (
                not handler["match"] or kernel.cpu.call(handler["match"], handler.address, dev.address) & 0xFF
            ):
                ret = kernel.cpu.call(handler["connect"], handler.address, dev.address, wanted.address)
                if ret and ret != _ENODEV:
                    device = kernel.state(DriverCore).name(dev.sub("dev"))
                    kernel.log.pr_err(
                        f"input: failed to attach handler {self._name(handler)} to device {device}, error: {ret}"
                    )
                return
            wanted = kernel.struct("input_device_id", wanted.address + wanted.struct.size)

    def register_handler(self, handler: StructView) -> None:
        """``input_register_handler()``."""
        INIT_LIST_HEAD(self._kernel.memory, handler.at("h_list"))
        self._handlers[handler.address] = handler
        for known in list(self._devices.values()):
            self._attach(handler, known.view)

    def unregister_handler(self, handler: StructView) -> None:
        """``input_unregister_handler()``."""
        kernel = self._kernel
        offset = kernel.image.offset("input_handle", "h_node")
        for entry in list(list_entries(kernel.memory, handler.at("h_list"))):
            kernel.cpu.call(handler["disconnect"], entry - offset)
        self._handlers.pop(handler.address, None)

    def _handles(self, dev: StructView) -> list[StructView]:
        """The handles of modules' handlers that have taken a device."""
        offset = self._kernel.image.offset("input_handle", "d_node")
        entries = list(list_entries(self._kernel.memory, dev.at("h_list")))
        return [self._kernel.struct("input_handle", entry - offset) for entry in entries]

    def register_handle(self, handle: StructView) -> None:
        """``input_register_handle()``."""
        memory, handler = self._kernel.memory, handle.to("handler")
        add = list_add if handler["filter"] else list_add_tail
        add(memory, handle.at("d_node"), handle.to("dev").at("h_list"))
        list_add_tail(memory, handle.at("h_node"), handler.at("h_list"))
        if handler["start"]:
            self._kernel.cpu.call(handler["start"], handle.address)

    def unregister_handle(self, handle: StructView) -> None:
        for node in ("h_node", "d_node"):
            list_del_init(self._kernel.memory, handle.at(node))

    def open(self, handle: StructView) -> None:
        """``input_open_device()``.

        :raises OSError: ENODEV, and what the device says
        """
        dev = handle.to("dev")
        if dev["going_away"]:
            raise err(errno.ENODEV)
        handle["open"] += 1
        try:
            self._opened(dev)
        except OSError:
            handle["open"] -= 1
            raise

    def _opened(self, dev: StructView) -> None:
        dev["users"] += 1
        if dev["users"] > 1 or dev["inhibited"] or not dev["open"]:
            return
        ret = self._kernel.cpu.call(dev["open"], dev.address)
        if ret:
            dev["users"] -= 1
            raise err(-ret)

    def close(self, handle: StructView) -> None:
        """``input_close_device()``."""
        self._closed(handle.to("dev"))
        handle["open"] -= 1

    def _closed(self, dev: StructView) -> None:
        dev["users"] -= 1
        if not dev["users"] and not dev["inhibited"] and dev["close"]:
            self._kernel.cpu.call(dev["close"], dev.address)

    # Those of the kernel proper

    def _attach_own(self, known: _Device) -> None:
        dev = known.view
        keys = self.bits(dev, "keybit")
        if self.has(dev, "evbit", _EV_SND) or any(keys >> code & 1 for code in _KEYBOARD):
            self._take(known, "kbd", open=True)
        if keys >> _KEY_LEFTALT & 1:
            self._take(known, "sysrq", open=True, first=True)
        if self.has(dev, "evbit", _EV_LED):
            self._take_leds(known)
        if self._is_mouse(dev):
            self._take_mouse(known)

    def _take(self, known: _Device, name: str, open: bool = False, first: bool = False) -> _Handle:
        handle = _Handle(name, first, open)
        known.handles.insert(0 if first else len(known.handles), handle)
        if open:
            try:
                self._opened(known.view)
            except PageFault:
                raise
            except OSError:
                handle.opened = False
        return handle

    def _is_mouse(self, dev: StructView) -> bool:
        """``mousedev_ids``."""
        keys, types = self.bits(dev, "keybit"), self.bits(dev, "evbit")
        moves, axes = self.bits(dev, "relbit"), self.bits(dev, "absbit")
        if types & 6 == 6 and ((keys >> _BTN_LEFT & 1 and moves & 3 == 3) or moves >> 8 & 1):
            return True
        return types & 10 == 10 and axes & 3 == 3 and bool(keys & (1 << _BTN_TOUCH | 1 << _BTN_LEFT))

    def _take_mouse(self, known: _Device) -> None:
        core = self._kernel.state(DriverCore)
        number = next(n for n in range(31) if n not in self._mice)
        self._mice.add(number)
        handle = self._take(known, f"mouse{number}")
        devt = MKDEV(_INPUT_MAJOR, _MOUSEDEV_MINOR_BASE + number)
        mouse = core.device_create(self._class(), known.view.at("dev"), devt, 0, 0, b"mouse%d" % number)

        def disconnect() -> None:
            core.device_unregister(mouse)
            self._mice.discard(number)

        handle.disconnect = disconnect

    def _take_leds(self, known: _Device) -> None:
        """``input_leds_connect()``."""
        core, dev = self._kernel.state(DriverCore), known.view
        names = {number: name for number, name in _NAMES.items() if self.has(dev, "ledbit", number)}
        if not names:
            return
        handle = self._take(known, "leds", open=True)
        made: list[StructView] = []
        for number, name in names.items():
            led = _Led(number, trigger=_LED_TRIGGERS.get(number, "none"))
            self._new_led = (dev, led)
            full = f"{core.name(dev.sub('dev'))}::{name}".encode()
            made.append(core.device_create(self._leds_class(), dev.at("dev"), 0, 0, 0, full))
            self._leds[made[-1].address] = (dev, led)

        def disconnect() -> None:
            for device in made:
                led = self._leds.pop(device.address)[1]
                self.event(dev, _EV_LED, led.number, 0)
                core.device_unregister(device)

        handle.disconnect = disconnect

    def _add_led_files(self, device: StructView, directory: SysfsDirectory) -> None:
        assert self._new_led is not None
        sysfs = self._kernel.state(DriverCore).sysfs
        dev, led = self._new_led

        def set_brightness(data: bytes) -> None:
            led.brightness = min(kstrto(INT_TYPES["ul"], data), 1)
            if not led.brightness:
                led.trigger = "none"
            self.event(dev, _EV_LED, led.number, led.brightness)

        def triggers() -> tuple[str, ...]:
            registered = self._kernel.state(Registrations).items("led_trigger")
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

    # Events

    def event(self, dev: StructView, type_: int, code: int, value: int) -> None:
        """``input_event()``."""
        if type_ <= _EV_MAX and self.has(dev, "evbit", type_):
            self.handle_event(dev, type_, code, value)

    def inject(self, handle: StructView, type_: int, code: int, value: int) -> None:
        """``input_inject_event()``."""
        dev = handle.to("dev")
        if type_ <= _EV_MAX and self.has(dev, "evbit", type_) and dev["grab"] in (0, handle.address):
            self.handle_event(dev, type_, code, value)

    def _disposition(self, dev: StructView, type_: int, code: int, value: int) -> tuple[int, int]:
        """``input_get_disposition()``: who is told, and of what value."""
        if dev["inhibited"]:
            return 0, value
        kind = _KINDS.get(type_)
        if kind is not None and type_ != _EV_FF and (code > kind.max or not self.has(dev, kind.bits, code)):
            return 0, value
        changed = kind is not None and bool(kind.state) and self.has(dev, kind.state, code) != bool(value)
        match type_:
            case 0:
                return {_SYN_REPORT: _TO_HANDLERS | _FLUSH, _SYN_CONFIG: _TO_ALL, _SYN_MT_REPORT: _TO_HANDLERS}.get(
                    code, 0
                ), value
            case 1 if value == 2:
                return _TO_HANDLERS, value
            case 1 | 5 if changed:
                self._change_bit(dev, kind.state if kind is not None else "", code)
                return _TO_HANDLERS, value
            case 2:
                return (_TO_HANDLERS if value else 0), value
            case 3:
                return self._abs_event(dev, code, value)
            case 4 | 0x16:
                return _TO_ALL, value
            case 0x11 | 0x12:
                if changed:
                    self._change_bit(dev, kind.state if kind is not None else "", code)
                return (_TO_ALL if changed or type_ == _EV_SND else 0), value
            case 0x14 if code < 2 and value >= 0 and dev.array("rep")[code] != value:
                self._kernel.memory.write_int(dev.at("rep") + 4 * code, value)
                return _TO_ALL, value
            case 0x15 if value >= 0:
                return _TO_ALL, value
        return 0, value

    def _abs_event(self, dev: StructView, code: int, value: int) -> tuple[int, int]:
        """``input_handle_abs_event()`` of a device without slots."""
        if code == _ABS_MT_SLOT:
            return 0, value
        if 0x30 <= code <= 0x3D:
            return _TO_HANDLERS, value
        info = self.absinfo(dev, code)
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
        kernel = self._kernel
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
            self._put_value(dev, _EV_SYN, _SYN_REPORT, 1)
            self._pass_values(dev)
            dev["num_vals"] = 0

    def _put_value(self, dev: StructView, type_: int, code: int, value: int) -> None:
        number = dev["num_vals"]
        slot = self._kernel.struct("input_value", dev["vals"] + 8 * number)
        slot["type"], slot["code"], slot["value"] = type_, code, value
        dev["num_vals"] = number + 1

    def _values(self, dev: StructView, count: int) -> Iterator[StructView]:
        return (self._kernel.struct("input_value", dev["vals"] + 8 * index) for index in range(count))

    def _pass_values(self, dev: StructView) -> None:
        """``input_pass_values()``."""
        count = dev["num_vals"]
        if dev["grab"]:
            count = self._to_handler(self._kernel.struct("input_handle", dev["grab"]), dev, count)
        else:
            for handle in self._handles(dev):
                if handle["open"]:
                    count = self._to_handler(handle, dev, count)
                    if not count:
                        break
        if self.has(dev, "evbit", _EV_REP) and self.has(dev, "evbit", _EV_KEY):
            for value in self._values(dev, count):
                if value["type"] == _EV_KEY and value["value"] != 2:
                    self._autorepeat(dev, value["code"], bool(value["value"]))

    def _to_handler(self, handle: StructView, dev: StructView, count: int) -> int:
        """``input_to_handler()``: how many are left for others."""
        call, handler = self._kernel.cpu.call, handle.to("handler")
        memory = self._kernel.memory
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
        softirq = self._kernel.softirq
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
        if not dev["inhibited"] and self.has(dev, "key", code) and self.has(dev, "keybit", code):
            self._put_value(dev, _EV_KEY, code, 2)
            self._put_value(dev, _EV_SYN, _SYN_REPORT, 1)
            self._pass_values(dev)
            dev["num_vals"] = 0
            period = dev.array("rep")[_REP_PERIOD]
            if period:
                deadline = time.monotonic() + period / 1000
                self._kernel.softirq.arm(dev.at("timer"), deadline, partial(self._repeat_key, dev))

    # What a device says of itself

    def bitmap(self, dev: StructView, member: str) -> str:
        """``input_print_bitmap()``: words, the highest first."""
        bits, words = self.bits(dev, member), []
        while bits:
            words.append(f"{bits & (1 << 64) - 1:x}")
            bits >>= 64
        return " ".join(reversed(words)) or "0"

    def modalias(self, dev: StructView, size: int) -> str:
        """``input_print_modalias()``: what does not fit into *size* bytes with a NUL is left out of the keys.

        Where that does not help, it is too long.
        """
        numbers = "".join(f"{letter}{dev[f'id.{m}']:04X}" for letter, m in _MODALIAS_ID)
        events, keys, *others = (
            kind.letter + "".join(f"{code:X}," for code in range(kind.first, kind.max + 1) if bits >> code & 1)
            for kind in (_Kind("evbit", _EV_MAX, "e"), *_KINDS.values())
            for bits in (self.bits(dev, kind.bits),)
        )
        before, rest = f"input:{numbers}-{events}", "".join(others)
        room = size - 1 - len(before) - len(rest) - 2
        if room < len(keys) - 2 and room > 0 and len(keys) > _KEYS_SHORTEST:
            keys = keys[: max(keys.rfind(",", 0, room), 0) + 1] + "+,"
        return before + keys + rest

    def _show_modalias(self, dev: StructView) -> bytes:
        """``input_dev_show_modalias()``."""
        text = self.modalias(dev, PAGE_SIZE)
        return (text + "\n" if len(text) < PAGE_SIZE - 2 else text)[:PAGE_SIZE].encode()

    def _add_modalias(self, dev: StructView, env: StructView) -> None:
        """``input_add_uevent_modalias_var()``: others may want to add something.

        :raises OSError: ENOMEM
        """
        add = self._kernel.state(DriverCore).kobjects.add_var
        room = env.struct.member("buf").size - env["buflen"] - len(b"MODALIAS=\0") - _UEVENT_ENV_EXTRA_LEN
        text = self.modalias(dev, room)
        if len(text) >= room:
            add(env, b"MODALIAS=")
            raise err(errno.ENOMEM)
        add(env, b"MODALIAS=" + text.encode())

    def _input_dev(self, device: StructView) -> StructView | None:
        """The input device that *device* is part of; not all of the class are one."""
        kernel = self._kernel
        name = kernel.state(DriverCore).name(device)
        if not name.startswith("input"):
            return None
        return kernel.struct("input_dev", kernel.image.structs.container_of(device.address, "input_dev", "dev"))

    def _uevent(self, device: StructView, env: StructView) -> None:
        """``input_dev_uevent()``."""
        dev = self._input_dev(device)
        if dev is None:
            return
        add = self._kernel.state(DriverCore).kobjects.add_var
        numbers = "/".join(f"{dev[f'id.{member}']:x}" for member in ("bustype", "vendor", "product", "version"))
        variables = [f"PRODUCT={numbers}"]
        variables += [f'{m.upper()}="{self._name(dev, m)}"' for m in ("name", "phys", "uniq") if dev[m]]
        variables += [f"PROP={self.bitmap(dev, 'propbit')}", f"EV={self.bitmap(dev, 'evbit')}"]
        variables += self._capabilities(dev, "{}={}")
        for variable in variables:
            add(env, variable.encode("latin-1"))
        self._add_modalias(dev, env)

    def _capabilities(self, dev: StructView, fmt: str) -> list[str]:
        return [
            fmt.format(kind.bits[:-3].upper(), self.bitmap(dev, kind.bits))
            for type_, kind in _KINDS.items()
            if self.has(dev, "evbit", type_)
        ]

    def _add_files(self, device: StructView, directory: SysfsDirectory) -> None:
        dev = self._input_dev(device)
        if dev is None:
            return
        sysfs = self._kernel.state(DriverCore).sysfs
        for member in ("name", "phys", "uniq"):
            sysfs.create_own_file(directory, member, 0o444, partial(self._show_text, dev, member))
        sysfs.create_own_file(directory, "modalias", 0o444, partial(self._show_modalias, dev))
        sysfs.create_own_file(directory, "properties", 0o444, partial(self._show_bits, dev, "propbit"))
        sysfs.create_own_file(
            directory, "inhibited", 0o644, lambda: b"%d\n" % dev["inhibited"], partial(self._store_inhibited, dev)
        )
        identity = sysfs.add(SysfsDirectory("id", directory, 0, directory.kobj))
        assert isinstance(identity, SysfsDirectory)
        for member in ("bustype", "vendor", "product", "version"):
            sysfs.create_own_file(identity, member, 0o444, partial(self._show_id, dev, member))
        capabilities = sysfs.add(SysfsDirectory("capabilities", directory, 0, directory.kobj))
        assert isinstance(capabilities, SysfsDirectory)
        for member in ("evbit", *(kind.bits for kind in _KINDS.values())):
            sysfs.create_own_file(capabilities, member[:-3], 0o444, partial(self._show_bits, dev, member))

    def _show_text(self, dev: StructView, member: str) -> bytes:
        return (dev.string(member) if dev[member] else b"") + b"\n"

    def _show_bits(self, dev: StructView, member: str) -> bytes:
        return self.bitmap(dev, member).encode() + b"\n"

    def _show_id(self, dev: StructView, member: str) -> bytes:
        return b"%04x\n" % dev[f"id.{member}"]

    def _store_inhibited(self, dev: StructView, data: bytes) -> None:
        """``inhibited_store()``.

        :raises OSError: EINVAL, and what the device says
        """
        wanted = kstrtobool(data)
        if wanted == bool(dev["inhibited"]):
            return
        function = dev["close" if wanted else "open"]
        if dev["users"] and function:
            ret = self._kernel.cpu.call(function, dev.address)
            if ret and not wanted:
                raise err(-ret)
        if wanted:
            self._release_keys(dev)
            self._toggle(dev, False)
            dev["inhibited"] = 1
        else:
            dev["inhibited"] = 0
            self._toggle(dev, True)

    def _toggle(self, dev: StructView, on: bool) -> None:
        """``input_dev_toggle()``."""
        if not dev["event"]:
            return
        for type_ in (_EV_LED, _EV_SND):
            kind = _KINDS[type_]
            for code in range(kind.max + 1):
                active = self.has(dev, kind.state, code)
                if self.has(dev, kind.bits, code) and (active or on) and active:
                    self._kernel.cpu.call(dev["event"], dev.address, type_, code, int(on))
        if on and self.has(dev, "evbit", _EV_REP):
            for code in (_REP_PERIOD, _REP_DELAY):
                self._kernel.cpu.call(dev["event"], dev.address, _EV_REP, code, dev.array("rep")[code])

    # /proc/bus/input

    def proc_devices(self) -> bytes:
        """``input_devices_seq_show()``."""
        text = ""
        kobjects = self._kernel.state(DriverCore).kobjects if self._devices else None
        for known in self._devices.values():
            dev = known.view
            assert kobjects is not None
            handles = [handle.name for handle in known.handles]
            handles += [self._name(handle) for handle in self._handles(dev)]
            text += (
                f"I: Bus={dev['id.bustype']:04x} Vendor={dev['id.vendor']:04x} Product={dev['id.product']:04x}"
                f" Version={dev['id.version']:04x}\n"
                f'N: Name="{self._name(dev)}"\nP: Phys={self._name(dev, "phys")}\n'
                f"S: Sysfs={kobjects.path(dev.sub('dev').sub('kobj'))}\nU: Uniq={self._name(dev, 'uniq')}\n"
                f"H: Handlers={''.join(f'{name} ' for name in handles)}\n"
                f"B: PROP={self.bitmap(dev, 'propbit')}\nB: EV={self.bitmap(dev, 'evbit')}\n"
            )
            text += "".join(line + "\n" for line in self._capabilities(dev, "B: {}={}")) + "\n"
        return text.encode("latin-1")

    def proc_handlers(self) -> bytes:
        """``input_handlers_seq_show()``."""
        lines = ["Name=kbd", "Name=sysrq (filter)", "Name=leds", "Name=mousedev Minor=32"]
        for handler in self._handlers.values():
            line = f"Name={self._name(handler)}"
            line += " (filter)" if handler["filter"] else ""
            lines.append(line + (f" Minor={handler['minor']}" if handler["legacy_minors"] else ""))
        return "".join(f"N: Number={number} {line}\n" for number, line in enumerate(lines)).encode("latin-1")
