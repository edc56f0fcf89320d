"""Allocators for compressed memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import registered

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("mm/zpool.c")


@export("void zpool_register_driver(struct zpool_driver *driver)")
def zpool_register_driver(kernel: Kernel, driver: StructView) -> None:
    registered(kernel).add("zpool", driver.address, driver.address)


@export("int zpool_unregister_driver(struct zpool_driver *driver)")
def zpool_unregister_driver(kernel: Kernel, driver: StructView) -> int:
    registered(kernel).remove("zpool", driver.address)
    return 0
