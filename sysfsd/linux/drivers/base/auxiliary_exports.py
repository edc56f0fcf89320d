"""The auxiliary bus, where one driver's parts find others'."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.bus_exports import driver_only_buses
from sysfsd.linux.err import err
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/base/auxiliary.c")


@export("int __auxiliary_driver_register(struct auxiliary_driver *auxdrv, struct module *owner, const char *modname)")
def __auxiliary_driver_register(kernel: Kernel, auxdrv: StructView, owner: StructView, modname: bytes) -> int:
    if not auxdrv["probe"] or not auxdrv["id_table"]:
        kernel.traps.warn_here("drivers/base/auxiliary.c", 363)
        raise err(errno.EINVAL)
    name = modname + (b"." + auxdrv.string("name") if auxdrv["name"] else b"")
    auxdrv["driver.name"], auxdrv["driver.mod_name"] = kernel.slab.string(name), 0
    driver_only_buses(kernel).register("auxiliary", auxdrv.sub("driver"), owner.address)
    return 0


@export("void auxiliary_driver_unregister(struct auxiliary_driver *auxdrv)")
def auxiliary_driver_unregister(kernel: Kernel, auxdrv: StructView) -> None:
    driver_only_buses(kernel).unregister(auxdrv.sub("driver"))
    kernel.slab.kfree(auxdrv["driver.name"])
