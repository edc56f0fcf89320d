"""What the parts of the driver core know of each other (drivers/base/base.h)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sysfsd.linux.lib.kobject import SysfsDirectory

if TYPE_CHECKING:
    from sysfsd.linux.kernel.module.module import Module
    from sysfsd.linux.struct_view import StructView

__all__ = ["UEVENT", "Driver", "Subsystem"]

UEVENT: Final = {"add": 0, "remove": 1, "change": 2, "move": 3, "bind": 6, "unbind": 7}


@dataclass(eq=False)
class Driver:
    """A registered ``struct device_driver``, which lies at *address*."""

    name: str
    address: int
    bus: Subsystem
    private: int
    owner: Module | None = None
    devices: dict[int, None] = field(default_factory=dict)


@dataclass(eq=False)
class Subsystem:
    """A registered bus or class: ``struct subsys_private``, which lies at *private*."""

    name: str
    #: Of its ``struct bus_type`` or ``struct class``.
    address: int
    private: int
    is_class: bool = False
    drivers: dict[str, Driver] = field(default_factory=dict)
    devices: dict[int, None] = field(default_factory=dict)
    interfaces: list[int] = field(default_factory=list)
    notifiers: list[int] = field(default_factory=list)
    glue_dirs: dict[int, int] = field(default_factory=dict)
    devices_kset: int = 0
    drivers_kset: int = 0
    #: What a bus or class of the kernel proper does itself.
    match: Callable[[StructView, StructView], bool] | None = None
    probe: Callable[[StructView], int] | None = None
    remove: Callable[[StructView], None] | None = None
    #: What it adds to what its devices say of themselves, and the files that it gives them.
    uevent: Callable[[StructView, StructView], None] | None = None
    add_files: Callable[[StructView, SysfsDirectory], None] | None = None
