"""What /sys/class/input and /proc/bus/input show of input devices (drivers/input/input.c)."""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.drivers.input.input_core import EV_MAX, KINDS, Kind
from sysfsd.linux.err import err
from sysfsd.linux.lib.kobject import SysfsDirectory
from sysfsd.linux.lib.kstrtox import kstrtobool
from sysfsd.linux.mm.memory import PAGE_SIZE

if TYPE_CHECKING:
    from sysfsd.linux.drivers.input.input import Input
    from sysfsd.linux.struct_view import StructView

__all__ = ["InputSysfs"]

#: How ``modalias`` begins.
_MODALIAS_ID: Final = (("b", "bustype"), ("v", "vendor"), ("p", "product"), ("e", "version"))
#: ``k+,``
_KEYS_SHORTEST: Final = 3
_UEVENT_ENV_EXTRA_LEN: Final = 96


class InputSysfs:
    """The files of the input devices of one kernel."""

    def __init__(self, input: Input) -> None:
        self.input = input
        self.kernel = input.kernel

    # What a device says of itself

    def bitmap(self, dev: StructView, member: str) -> str:
        """``input_print_bitmap()``: words, the highest first."""
        bits, words = self.input.bits(dev, member), []
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
            for kind in (Kind("evbit", EV_MAX, "e"), *KINDS.values())
            for bits in (self.input.bits(dev, kind.bits),)
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
        add = self.kernel.state(DriverCore).kobjects.add_var
        room = env.struct.member("buf").size - env["buflen"] - len(b"MODALIAS=\0") - _UEVENT_ENV_EXTRA_LEN
        text = self.modalias(dev, room)
        if len(text) >= room:
            add(env, b"MODALIAS=")
            raise err(errno.ENOMEM)
        add(env, b"MODALIAS=" + text.encode())

    def _input_dev(self, device: StructView) -> StructView | None:
        """The input device that *device* is part of; not all of the class are one."""
        kernel = self.kernel
        name = kernel.state(DriverCore).name(device)
        if not name.startswith("input"):
            return None
        return kernel.struct("input_dev", kernel.image.structs.container_of(device.address, "input_dev", "dev"))

    def uevent(self, device: StructView, env: StructView) -> None:
        """``input_dev_uevent()``."""
        dev = self._input_dev(device)
        if dev is None:
            return
        add = self.kernel.state(DriverCore).kobjects.add_var
        numbers = "/".join(f"{dev[f'id.{member}']:x}" for member in ("bustype", "vendor", "product", "version"))
        variables = [f"PRODUCT={numbers}"]
        variables += [f'{m.upper()}="{self.input.name(dev, m)}"' for m in ("name", "phys", "uniq") if dev[m]]
        variables += [f"PROP={self.bitmap(dev, 'propbit')}", f"EV={self.bitmap(dev, 'evbit')}"]
        variables += self._capabilities(dev, "{}={}")
        for variable in variables:
            add(env, variable.encode("latin-1"))
        self._add_modalias(dev, env)

    def _capabilities(self, dev: StructView, fmt: str) -> list[str]:
        return [
            fmt.format(kind.bits[:-3].upper(), self.bitmap(dev, kind.bits))
            for type_, kind in KINDS.items()
            if self.input.has(dev, "evbit", type_)
        ]

    def add_files(self, device: StructView, directory: SysfsDirectory) -> None:
        dev = self._input_dev(device)
        if dev is None:
            return
        sysfs = self.kernel.state(DriverCore).sysfs
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
        for member in ("evbit", *(kind.bits for kind in KINDS.values())):
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
            ret = self.kernel.cpu.call(function, dev.address)
            if ret and not wanted:
                raise err(-ret)
        if wanted:
            self.input.events.release_keys(dev)
            self.input.events.toggle(dev, False)
            dev["inhibited"] = 1
        else:
            dev["inhibited"] = 0
            self.input.events.toggle(dev, True)

    # /proc/bus/input

    def proc_devices(self) -> bytes:
        """``input_devices_seq_show()``."""
        text = ""
        kobjects = self.kernel.state(DriverCore).kobjects if self.input.devices else None
        for known in self.input.devices.values():
            dev = known.view
            assert kobjects is not None
            handles = [handle.name for handle in known.handles]
            handles += [self.input.name(handle) for handle in self.input.handles(dev)]
            text += (
                f"I: Bus={dev['id.bustype']:04x} Vendor={dev['id.vendor']:04x} Product={dev['id.product']:04x}"
                f" Version={dev['id.version']:04x}\n"
                f'N: Name="{self.input.name(dev)}"\nP: Phys={self.input.name(dev, "phys")}\n'
                f"S: Sysfs={kobjects.path(dev.sub('dev').sub('kobj'))}\nU: Uniq={self.input.name(dev, 'uniq')}\n"
                f"H: Handlers={''.join(f'{name} ' for name in handles)}\n"
                f"B: PROP={self.bitmap(dev, 'propbit')}\nB: EV={self.bitmap(dev, 'evbit')}\n"
            )
            text += "".join(line + "\n" for line in self._capabilities(dev, "B: {}={}")) + "\n"
        return text.encode("latin-1")

    def proc_handlers(self) -> bytes:
        """``input_handlers_seq_show()``."""
        lines = ["Name=kbd", "Name=sysrq (filter)", "Name=leds", "Name=mousedev Minor=32"]
        for handler in self.input.handlers.values():
            line = f"Name={self.input.name(handler)}"
            line += " (filter)" if handler["filter"] else ""
            lines.append(line + (f" Minor={handler['minor']}" if handler["legacy_minors"] else ""))
        return "".join(f"N: Number={number} {line}\n" for number, line in enumerate(lines)).encode("latin-1")
