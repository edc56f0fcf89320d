"""Drivers of PNP devices and cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.bus_exports import driver_only_buses
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/pnp/driver.c", "drivers/pnp/card.c")


@export("int pnp_register_driver(struct pnp_driver *drv)")
def pnp_register_driver(kernel: Kernel, drv: StructView) -> int:
    drv["driver.name"] = drv["name"]
    driver_only_buses(kernel).register("pnp", drv.sub("driver"))
    return 0


@export("void pnp_unregister_driver(struct pnp_driver *drv)")
def pnp_unregister_driver(kernel: Kernel, drv: StructView) -> None:
    driver_only_buses(kernel).unregister(drv.sub("driver"))


@export("int pnp_register_card_driver(struct pnp_card_driver *drv)")
def pnp_register_card_driver(kernel: Kernel, drv: StructView) -> int:
    drv["link.name"], drv["link.id_table"], drv["link.flags"] = drv["name"], 0, drv["flags"]
    return pnp_register_driver(kernel, drv.sub("link"))


@export("void pnp_unregister_card_driver(struct pnp_card_driver *drv)")
def pnp_unregister_card_driver(kernel: Kernel, drv: StructView) -> None:
    pnp_unregister_driver(kernel, drv.sub("link"))
