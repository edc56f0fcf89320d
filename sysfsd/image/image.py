"""The kernel being played, as data: release, version magic, exported symbols, built-in modules, structure layouts.

An image is a directory below ``images/`` (docs/kernel-image.md says what is in it); nothing here is read before it is
asked for.
"""

from __future__ import annotations

import lzma
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from sysfsd.image.structs import Structs, Table, find_line, map_table

__all__ = ["DEFAULT_RELEASE", "BuiltinModule", "BuiltinParameter", "ExportedSymbol", "KernelImage", "releases"]

DEFAULT_RELEASE: Final = "6.1.0-56-amd64"
_IMAGES: Final = Path(__file__).with_name("data")


class ExportedSymbol(NamedTuple):
    """``struct kernel_symbol`` with its version: what a module may link to."""

    name: str
    value: int
    #: None where the exporter was built without symbol versions.
    crc: int | None
    gpl_only: bool
    namespace: str


@dataclass(slots=True)
class BuiltinParameter:
    """A parameter of code that is part of the kernel proper: its mode and the text of its value."""

    mode: int
    value: str


@dataclass(slots=True)
class BuiltinModule:
    """What /sys/module shows of a module that is not loadable (kernel/params.c, param_sysfs_builtin)."""

    version: str | None = None
    parameters: dict[str, BuiltinParameter] = field(default_factory=dict)
    #: Links below drivers/, and where each leads.
    drivers: dict[str, str] = field(default_factory=dict)


def releases() -> list[str]:
    """The releases of which the package has an image."""
    return sorted(entry.name for entry in _IMAGES.iterdir() if entry.is_dir())


class KernelImage:
    """One kernel's description.

    :param release: the name of a directory below ``images/``
    :raises LookupError: if there is none of that name
    """

    def __init__(self, release: str = DEFAULT_RELEASE) -> None:
        if release not in releases():
            raise LookupError(f"no image of kernel {release}; there are: {', '.join(releases())}")
        self.release = release
        self._directory = _IMAGES / release
        #: Addresses that were asked for, by name.
        self._addresses: dict[str, int | None] = {}

    def _text(self, name: str) -> str:
        return (self._directory / name).read_text(encoding="utf-8")

    @cached_property
    def config(self) -> dict[str, str]:
        """The configuration that module loading depends on: ``{"CONFIG_MODULE_UNLOAD": "y", ...}``."""
        lines = (line.split("=", 1) for line in self._text("config.txt").splitlines() if "=" in line)
        return {name: value.strip('"') for name, value in lines}

    def modules_files(self) -> dict[str, bytes]:
        """What lies in /lib/modules/RELEASE from the start, for depmod(8), by name; no module does."""
        names = ("modules.builtin", "modules.builtin.modinfo")
        return {"modules.order": b"", **{name: (self._directory / name).read_bytes() for name in names}}

    @cached_property
    def vermagic(self) -> str:
        """``VERMAGIC_STRING`` (include/linux/vermagic.h)."""
        flags = {
            "CONFIG_SMP": "SMP",
            "CONFIG_PREEMPT_BUILD": "preempt",
            "CONFIG_MODULE_UNLOAD": "mod_unload",
            "CONFIG_MODVERSIONS": "modversions",
        }
        return "".join(f"{word} " for word in (self.release, *(w for c, w in flags.items() if c in self.config)))

    @cached_property
    def proc(self) -> dict[str, str]:
        """What files below /proc held when the kernel had just booted, by path from there."""
        found: dict[str, str] = {}
        for block in self._text("proc.txt").split("## ")[1:]:
            title, _, text = block.partition("\n")
            if title.startswith("/proc/"):
                found[title.removeprefix("/proc/")] = text
        return found

    @cached_property
    def _exports(self) -> dict[str, str]:
        lines = (line.split(" ", 1) for line in self._text("exports").splitlines())
        return dict(line for line in lines if len(line) == 2)

    def find_export(self, name: str) -> ExportedSymbol | None:
        """The symbol *name* as the kernel proper exports it, if it does."""
        row = self._exports.get(name)
        if row is None:
            return None
        address, crc, licence, *namespace = row.split(" ")
        return ExportedSymbol(name, int(address, 16), int(crc, 16), licence == "GPL", "".join(namespace))

    def kallsyms(self) -> bytes:
        """The kernel's own lines of /proc/kallsyms: ``ffffffff81000000 T _text``."""
        return self._kallsyms

    @cached_property
    def _kallsyms(self) -> bytes:
        return lzma.decompress((self._directory / "kallsyms.xz").read_bytes())

    @cached_property
    def _exports_by_address(self) -> dict[int, str]:
        return {int(row.split(" ", 1)[0], 16): name for name, row in self._exports.items()}

    def export_at(self, address: int) -> ExportedSymbol | None:
        """The exported symbol at *address*, if one begins there."""
        name = self._exports_by_address.get(address)
        return self.find_export(name) if name is not None else None

    @cached_property
    def symbols(self) -> dict[str, int]:
        """Addresses of the kernel's own landmarks, and of the functions that call modules' functions."""
        rows = (line.split() for line in self._text("layout.txt").splitlines())
        return {name: int(address, 16) for name, address in rows}

    def address(self, name: str) -> int | None:
        """Where an exported symbol or one of the landmarks is."""
        if name not in self._addresses:
            row = self._exports.get(name)
            self._addresses[name] = int(row.partition(" ")[0], 16) if row is not None else self.symbols.get(name)
        return self._addresses[name]

    @cached_property
    def text(self) -> tuple[int, int]:
        """Where the kernel's code begins and ends."""
        return self.symbols["_text"], self.symbols["_etext"]

    @cached_property
    def percpu_end(self) -> int:
        """Bytes of the kernel's own per-CPU variables."""
        return self.symbols["__per_cpu_end"]

    @cached_property
    def sysfs_directories(self) -> list[str]:
        """Directories of /sys that are there after the boot, each behind the one that it lies in."""
        return sorted(line for line in self._text("sysfs-directories.txt").splitlines() if not line.startswith("#"))

    @cached_property
    def call_sites(self) -> dict[str, tuple[int, ...]]:
        """From where the kernel calls modules' functions: return addresses, the innermost first, by occasion."""
        sites: dict[str, tuple[int, ...]] = {}
        for line in self._text("call-sites.txt").splitlines():
            if not line.startswith("#"):
                name, *frames = line.split()
                places = (frame.partition("+") for frame in frames)
                sites[name] = tuple(self.symbols[function] + int(offset, 16) for function, _, offset in places)
        return sites

    @cached_property
    def _call_sites_by_address(self) -> dict[int, dict[tuple[int, ...], None]]:
        found: dict[int, dict[tuple[int, ...], None]] = {}
        for frames in self.call_sites.values():
            found.setdefault(frames[0], {})[frames[1:]] = None
        return found

    def call_sites_at(self, address: int) -> tuple[tuple[int, ...], ...]:
        """The frames that may be above the return address *address*, where modules' functions are called from there."""
        return tuple(self._call_sites_by_address.get(address, ()))

    @property
    def build_version(self) -> tuple[str, str]:
        """``init_utsname()->version`` as backtraces show it: ``#1``, and the distribution's name and version."""
        version = self.proc["sys/kernel/version"].split()
        return version[0], " ".join(version[version.index("Debian") :][:2]) if "Debian" in version else ""

    @cached_property
    def structs(self) -> Structs:
        """The layouts of the kernel's structures, by name."""
        return Structs(map_table(self._directory / "structs"))

    def offset(self, struct: str, member: str) -> int:
        """``offsetof(struct, member)``, in bytes."""
        return self.structs[struct].offset(member)

    @cached_property
    def _constants(self) -> Table:
        return map_table(self._directory / "constants")

    def constant(self, name: str) -> int:
        """The value of an enumerator: ``constant("IRQ_HANDLED")``.

        :raises LookupError: if there is none of that name, or several that differ
        """
        value = find_line(self._constants, name.encode())
        if value is None:
            raise LookupError(f"no constant {name} in kernel {self.release}")
        return int(value)

    @cached_property
    def builtin_modules(self) -> dict[str, BuiltinModule]:
        """The modules that are part of the kernel and have something to show, by name."""
        modules: dict[str, BuiltinModule] = {}
        for line in self._text("builtin-modules.txt").splitlines():
            if line.startswith("value "):
                path, _, value = line.removeprefix("value ").partition("=")
                match path.split("/"):
                    case [name, "version"]:
                        modules[name].version = value
                    case [name, "parameters", parameter]:
                        modules[name].parameters[parameter].value = value
                continue
            path, mode, _size, _type, link = line.split(" ")
            match path.split("/"):
                case [name] if name:
                    modules[name] = BuiltinModule()
                case [name, "parameters", parameter]:
                    modules[name].parameters[parameter] = BuiltinParameter(int(mode, 8), "")
                case [name, "drivers", driver]:
                    modules[name].drivers[driver] = link
        return modules
