"""Drivers of the CXL bus (drivers/cxl/core/port.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.bus_exports import driver_only_buses
from sysfsd.linux.err import err
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/cxl/core/port.c")


@export("int __cxl_driver_register(struct cxl_driver *cxl_drv, struct module *owner, const char *modname)")
def __cxl_driver_register(kernel: Kernel, cxl_drv: StructView, owner: StructView, modname: bytes | None) -> int:
    if not cxl_drv["probe"] or not cxl_drv["name"]:
        raise err(errno.EINVAL)
    cxl_drv["drv.name"] = cxl_drv["name"]
    driver_only_buses(kernel).register("cxl", cxl_drv.sub("drv"), owner.address)
    return 0


@export("void cxl_driver_unregister(struct cxl_driver *cxl_drv)")
def cxl_driver_unregister(kernel: Kernel, cxl_drv: StructView) -> None:
    driver_only_buses(kernel).unregister(cxl_drv.sub("drv"))
