"""Input devices and who listens to them.

Follows drivers/input/input.c, and as far as one sees them drivers/input/mousedev.c, input-leds.c and
drivers/tty/vt/keyboard.c, whose handlers the kernel proper has.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.drivers.input.events import InputEvents
from sysfsd.linux.drivers.input.input_core import (
    ABS_CNT,
    BTN_MISC,
    EV_ABS,
    EV_LED,
    EV_PWR,
    EV_REL,
    EV_SND,
    EV_SYN,
    INPUT_MAJOR,
    KEY_LEFTALT,
    KINDS,
    MOUSEDEV_MIX,
    Device,
    Handle,
)
from sysfsd.linux.drivers.input.input_leds import InputLeds
from sysfsd.linux.drivers.input.mousedev import Mice
from sysfsd.linux.drivers.input.sysfs import InputSysfs
from sysfsd.linux.err import err
from sysfsd.linux.fs.char_dev import MKDEV
from sysfsd.linux.kernel.printk.printk import Level
from sysfsd.linux.lib.list import INIT_LIST_HEAD, list_add, list_add_tail, list_del_init, list_entries
from sysfsd.linux.mm.memory import PageFault

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = ["Input"]

_KEYBOARD: Final = (*range(1, BTN_MISC), *range(0x1F1, 0x1FB))
_ENODEV: Final = -errno.ENODEV

#: The first number that a device gets: those before it the machine's own keyboard has had.
_FIRST: Final = 2
_ID_FLAGS: Final = {1: "bustype", 2: "vendor", 4: "product", 8: "version"}


class Input:
    """The input devices of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._next = _FIRST
        self.devices: dict[int, Device] = {}
        self.handlers: dict[int, StructView] = {}
        self._ready = False
        #: What the parents of managed devices give back: the address of the resource.
        self._managed: dict[tuple[int, str], int] = {}
        #: Events on their way from devices to who listens.
        self.events = InputEvents(self)
        #: What is seen of them in /sys and /proc.
        self.sysfs = InputSysfs(self)
        #: LEDs of keyboards.
        self.leds = InputLeds(self)
        #: Mice.
        self.mice = Mice(self)

    # Bits

    def bits(self, view: StructView, member: str) -> int:
        size = view.struct.member(member).size
        return int.from_bytes(view.memory.read(view.at(member), size), "little")

    def set_bits(self, view: StructView, member: str, bits: int) -> None:
        view.memory.write(view.at(member), bits.to_bytes(view.struct.member(member).size, "little"))

    def change_bit(self, view: StructView, member: str, bit: int) -> None:
        self.set_bits(view, member, self.bits(view, member) ^ 1 << bit)

    def has(self, view: StructView, member: str, bit: int) -> bool:
        return bool(self.bits(view, member) >> bit & 1)

    # The classes

    def input_class(self) -> int:
        """The class ``input``, with what is done for its devices."""
        kernel, core = self.kernel, self.kernel.state(DriverCore)
        address = kernel.exports.data_address("input_class")
        if not self._ready:
            self._ready = True
            found = core.class_.find_class(address)
            assert found is not None
            found.uevent, found.add_files = self.sysfs.uevent, self.sysfs.add_files
            core.own_devnode[address] = lambda dev: (f"input/{core.name(dev)}" if dev["devt"] else None, 0)
            core.device_create(address, 0, MKDEV(INPUT_MAJOR, MOUSEDEV_MIX), 0, 0, b"mice")
        return address

    # Life

    def allocate(self) -> StructView:
        """``input_allocate_device()``.

        :raises OSError: ENOMEM
        """
        kernel, core, memory = self.kernel, self.kernel.state(DriverCore), self.kernel.memory
        class_ = self.input_class()
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
            self.kernel.slab.kfree(dev[member])
        self.kernel.slab.kfree(dev.address)

    def devm_allocate(self, device: StructView) -> StructView:
        """``devm_input_allocate_device()``."""
        core = self.kernel.state(DriverCore)
        dev = self.allocate()
        dev["dev.parent"], dev["devres_managed"] = device.address, 1
        self._manage(dev, device, "memory", lambda data: core.put(dev.sub("dev")))
        return dev

    def free(self, dev: StructView) -> None:
        """``input_free_device()``."""
        if not dev.address:
            return
        self._forget_managed(dev, "memory")
        self.kernel.state(DriverCore).put(dev.sub("dev"))

    def _manage(self, dev: StructView, parent: StructView, what: str, release: Callable[[int], None]) -> None:
        """Have *parent* give something back."""
        core = self.kernel.state(DriverCore)
        data = self._managed[dev.address, what] = core.devres.alloc(release, 8)
        core.devres.add(parent, data)

    def _forget_managed(self, dev: StructView, what: str) -> None:
        """It is given back before the parent would."""
        data = self._managed.pop((dev.address, what), None)
        if data is not None:
            core, parent = self.kernel.state(DriverCore), dev.sub("dev").to("parent")
            found = core.devres.find(parent, None, lambda other: other == data)
            if found is not None:
                core.devres.remove(parent, found)
                core.devres.free(data)

    def set_capability(self, dev: StructView, type_: int, code: int) -> None:
        """``input_set_capability()``."""
        kernel, kind = self.kernel, KINDS.get(type_)
        if kind is not None and code > kind.max:
            kernel.log.pr_err(f"input: input_set_capability: invalid code {code} for type {type_}")
            kernel.traps.dump_stack()
            return
        if kind is None and type_ != EV_PWR:
            kernel.log.pr_err(f"input: input_set_capability: unknown type {type_} (code {code})")
            kernel.traps.dump_stack()
            return
        if type_ == EV_ABS:
            self.alloc_absinfo(dev)
        if kind is not None:
            self.set_bits(dev, kind.bits, self.bits(dev, kind.bits) | 1 << code)
        self.set_bits(dev, "evbit", self.bits(dev, "evbit") | 1 << type_)

    def alloc_absinfo(self, dev: StructView) -> None:
        """``input_alloc_absinfo()``."""
        kernel = self.kernel
        if not dev["absinfo"]:
            dev["absinfo"] = kernel.slab.kmalloc(ABS_CNT * kernel.image.structs["input_absinfo"].size)

    def absinfo(self, dev: StructView, axis: int) -> StructView:
        return self.kernel.struct("input_absinfo", dev["absinfo"] + axis * 24)

    def set_abs_params(self, dev: StructView, axis: int, limits: tuple[int, int, int, int]) -> None:
        """``input_set_abs_params()``."""
        self.set_bits(dev, "evbit", self.bits(dev, "evbit") | 1 << EV_ABS)
        self.set_bits(dev, "absbit", self.bits(dev, "absbit") | 1 << axis)
        self.alloc_absinfo(dev)
        info = self.absinfo(dev, axis)
        for member, value in zip(("minimum", "maximum", "fuzz", "flat"), limits, strict=True):
            info[member] = value

    def name(self, dev: StructView, member: str = "name") -> str:
        return dev.string(member).decode("latin-1") if dev[member] else ""

    def register(self, dev: StructView) -> None:
        """``input_register_device()``.

        :raises OSError: EINVAL, EEXIST, ENOMEM
        """
        kernel, core = self.kernel, self.kernel.state(DriverCore)
        if self.has(dev, "evbit", EV_ABS) and not dev["absinfo"]:
            text = b"Absolute device without dev->absinfo, refusing to register\n"
            core.printk(Level.ERR, dev.sub("dev"), text)
            raise err(errno.EINVAL)
        types = self.bits(dev, "evbit") | 1 << EV_SYN
        self.set_bits(dev, "evbit", types)
        self.set_bits(dev, "keybit", self.bits(dev, "keybit") & ~1)
        for type_, kind in KINDS.items():
            if not types >> type_ & 1:
                self.set_bits(dev, kind.bits, 0)
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
        kernel.log.pr_info(f"input: {self.name(dev) if dev['name'] else 'Unspecified device'} as {path}")
        known = self.devices[dev.address] = Device(dev)
        self._attach_own(known)
        for handler in list(self.handlers.values()):
            self._attach(handler, dev)
        if dev["devres_managed"]:
            parent = dev.sub("dev").to("parent")
            self._manage(dev, parent, "registration", lambda data: self._unregister(dev))

    def _repeat(self, dev: StructView, delay: int, period: int) -> None:
        self.kernel.memory.write_int(dev.at("rep"), delay)
        self.kernel.memory.write_int(dev.at("rep") + 4, period)

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
        if types >> EV_ABS & 1:
            events += sum(slots if 0x30 <= axis <= 0x3D else 1 for axis in range(ABS_CNT) if axes >> axis & 1)
        if types >> EV_REL & 1:
            events += self.bits(dev, "relbit").bit_count()
        return events

    def unregister(self, dev: StructView) -> None:
        """``input_unregister_device()``."""
        if dev["devres_managed"]:
            self._forget_managed(dev, "registration")
            self._unregister(dev)
        else:
            self._unregister(dev)
            self.kernel.state(DriverCore).put(dev.sub("dev"))

    def _unregister(self, dev: StructView) -> None:
        """``__input_unregister_device()``."""
        kernel = self.kernel
        dev["going_away"] = 1
        self.events.release_keys(dev)
        for handle in self.handles(dev):
            kernel.cpu.call(handle.to("handler")["disconnect"], handle.address)
        known = self.devices.pop(dev.address, None)
        for own in known.handles if known is not None else ():
            own.disconnect()
            if own.opened:
                self._closed(dev)
        kernel.softirq.disarm(dev.at("timer"))
        kernel.state(DriverCore).device_del(dev.sub("dev"))

    # Handlers

    def matches(self, dev: StructView, wanted: StructView) -> bool:
        """``input_match_device_id()``."""
        flags = wanted["flags"]
        if any(flags & flag and wanted[member] != dev[f"id.{member}"] for flag, member in _ID_FLAGS.items()):
            return False
        members = ("evbit", *(kind.bits for kind in KINDS.values()), "propbit")
        return not any(self.bits(wanted, member) & ~self.bits(dev, member) for member in members)

    def _attach(self, handler: StructView, dev: StructView) -> None:
        """``input_attach_handler()``."""
        kernel = self.kernel
        wanted = handler.to("id_table")
        while wanted["flags"] or wanted["driver_info"]:
            if self.matches(dev, wanted) and (
                not handler["match"] or kernel.cpu.call(handler["match"], handler.address, dev.address) & 0xFF
            ):
                ret = kernel.cpu.call(handler["connect"], handler.address, dev.address, wanted.address)
                if ret and ret != _ENODEV:
                    device = kernel.state(DriverCore).name(dev.sub("dev"))
                    kernel.log.pr_err(
                        f"input: failed to attach handler {self.name(handler)} to device {device}, error: {ret}"
                    )
                return
            wanted = kernel.struct("input_device_id", wanted.address + wanted.struct.size)

    def register_handler(self, handler: StructView) -> None:
        """``input_register_handler()``."""
        INIT_LIST_HEAD(self.kernel.memory, handler.at("h_list"))
        self.handlers[handler.address] = handler
        for known in list(self.devices.values()):
            self._attach(handler, known.view)

    def unregister_handler(self, handler: StructView) -> None:
        """``input_unregister_handler()``."""
        kernel = self.kernel
        offset = kernel.image.offset("input_handle", "h_node")
        for entry in list(list_entries(kernel.memory, handler.at("h_list"))):
            kernel.cpu.call(handler["disconnect"], entry - offset)
        self.handlers.pop(handler.address, None)

    def handles(self, dev: StructView) -> list[StructView]:
        """The handles of modules' handlers that have taken a device."""
        offset = self.kernel.image.offset("input_handle", "d_node")
        entries = list(list_entries(self.kernel.memory, dev.at("h_list")))
        return [self.kernel.struct("input_handle", entry - offset) for entry in entries]

    def register_handle(self, handle: StructView) -> None:
        """``input_register_handle()``."""
        memory, handler = self.kernel.memory, handle.to("handler")
        add = list_add if handler["filter"] else list_add_tail
        add(memory, handle.at("d_node"), handle.to("dev").at("h_list"))
        list_add_tail(memory, handle.at("h_node"), handler.at("h_list"))
        if handler["start"]:
            self.kernel.cpu.call(handler["start"], handle.address)

    def unregister_handle(self, handle: StructView) -> None:
        for node in ("h_node", "d_node"):
            list_del_init(self.kernel.memory, handle.at(node))

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
        ret = self.kernel.cpu.call(dev["open"], dev.address)
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
            self.kernel.cpu.call(dev["close"], dev.address)

    # Those of the kernel proper

    def _attach_own(self, known: Device) -> None:
        dev = known.view
        keys = self.bits(dev, "keybit")
        if self.has(dev, "evbit", EV_SND) or any(keys >> code & 1 for code in _KEYBOARD):
            self.take(known, "kbd", open=True)
        if keys >> KEY_LEFTALT & 1:
            self.take(known, "sysrq", open=True, first=True)
        if self.has(dev, "evbit", EV_LED):
            self.leds.take_leds(known)
        if self.mice.is_mouse(dev):
            self.mice.take_mouse(known)

    def take(self, known: Device, name: str, open: bool = False, first: bool = False) -> Handle:
        handle = Handle(name, first, open)
        known.handles.insert(0 if first else len(known.handles), handle)
        if open:
            try:
                self._opened(known.view)
            except PageFault:
                raise
            except OSError:
                handle.opened = False
        return handle
