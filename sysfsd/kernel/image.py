"""The kernel being played, as data: release, version magic, exported symbols, built-in modules, structure layouts.

An image is a directory below ``images/`` (docs/kernel-image.md says what is in it); nothing here is read before it is
asked for.
"""

from __future__ import annotations

import json
import lzma
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

from sysfsd.kernel.btf import Member, Struct

__all__ = ["DEFAULT_RELEASE", "BuiltinModule", "BuiltinParameter", "ExportedSymbol", "KernelImage", "releases"]

DEFAULT_RELEASE: Final = "6.1.0-56-amd64"
_IMAGES: Final = Path(__file__).with_name("images")


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

    def _text(self, name: str) -> str:
        return (self._directory / name).read_text(encoding="utf-8")

    @cached_property
    def config(self) -> dict[str, str]:
        """The configuration that module loading depends on: ``{"CONFIG_MODULE_UNLOAD": "y", ...}``."""
        lines = (line.split("=", 1) for line in self._text("config.txt").splitlines() if "=" in line)
        return {name: value.strip('"') for name, value in lines}

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
        return lzma.decompress((self._directory / "kallsyms.xz").read_bytes())

    @cached_property
    def percpu_end(self) -> int:
        """Bytes of the kernel's own per-CPU variables."""
        for line in self.kallsyms().splitlines():
            if line.endswith(b" __per_cpu_end"):
                return int(line.split()[0], 16)
        return 0

    @cached_property
    def structs(self) -> dict[str, Struct]:
        """Structures that the loader reads and writes in a module's memory, by name."""
        table: dict[str, Any] = json.loads(self._text("structs.json"))
        return {
            name: Struct(s["size"], {m: Member(*where) for m, where in s["members"].items()})
            for name, s in table.items()
        }

    def offset(self, struct: str, member: str) -> int:
        """``offsetof(struct, member)``, in bytes."""
        return self.structs[struct].members[member].offset

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
