"""Buses that the kernel keeps to itself: modules register drivers, and here no device ever comes."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.kernel.driver_core import DriverCore, Subsystem
from sysfsd.kernel.err import err
from sysfsd.kernel.exports.registry import Area

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area(
    "small_buses",
    "drivers/base/auxiliary.c, drivers/tty/serdev/core.c, drivers/gpu/drm/drm_mipi_dsi.c, drivers/pnp/driver.c,"
    " drivers/acpi/bus.c, drivers/cxl/core/port.c, drivers/dax/bus.c, drivers/firmware/google/coreboot_table.c",
)


class SmallBuses:
    """The buses that have been needed, by name."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._core = kernel.state(DriverCore)
        self._buses: dict[str, Subsystem] = {}

    def bus(self, name: str) -> Subsystem:
        found = self._buses.get(name)
        if found is None:
            kernel = self._kernel
            view = kernel.struct("bus_type", kernel.slab.kmalloc(kernel.image.structs["bus_type"].size))
            view["name"] = kernel.slab.string(name.encode())
            found = self._buses[name] = self._core.bus_register(view)
            found.match = lambda dev, drv: False
        return found

    def register(self, bus: str, driver: StructView, owner: int | None = None) -> None:
        """:raises OSError: EBUSY, ENOMEM"""
        driver["bus"] = self.bus(bus).address
        if owner is not None:
            driver["owner"] = owner
        self._core.driver_register(driver)

    def unregister(self, driver: StructView) -> None:
        self._core.driver_unregister(driver)


def _buses(kernel: Kernel) -> SmallBuses:
    return kernel.state(SmallBuses)


@export("int __auxiliary_driver_register(struct auxiliary_driver *auxdrv, struct module *owner, const char *modname)")
def __auxiliary_driver_register(kernel: Kernel, auxdrv: StructView, owner: StructView, modname: bytes) -> int:
    if not auxdrv["probe"] or not auxdrv["id_table"]:
        kernel.traps.warn_here("drivers/base/auxiliary.c", 363)
        raise err(errno.EINVAL)
    name = modname + (b"." + auxdrv.string("name") if auxdrv["name"] else b"")
    auxdrv["driver.name"], auxdrv["driver.mod_name"] = kernel.slab.string(name), 0
    _buses(kernel).register("auxiliary", auxdrv.sub("driver"), owner.address)
    return 0


@export("void auxiliary_driver_unregister(struct auxiliary_driver *auxdrv)")
def auxiliary_driver_unregister(kernel: Kernel, auxdrv: StructView) -> None:
    _buses(kernel).unregister(auxdrv.sub("driver"))
    kernel.slab.kfree(auxdrv["driver.name"])


@export("int __serdev_device_driver_register(struct serdev_device_driver *sdrv, struct module *owner)")
def __serdev_device_driver_register(kernel: Kernel, sdrv: StructView, owner: StructView) -> int:
    sdrv["driver.probe_type"] = kernel.image.constant("PROBE_PREFER_ASYNCHRONOUS")
    _buses(kernel).register("serial", sdrv.sub("driver"), owner.address)
    return 0


@export("int mipi_dsi_driver_register_full(struct mipi_dsi_driver *drv, struct module *owner)")
def mipi_dsi_driver_register_full(kernel: Kernel, drv: StructView, owner: StructView) -> int:
    _buses(kernel).register("mipi-dsi", drv.sub("driver"), owner.address)
    return 0


@export("void mipi_dsi_driver_unregister(struct mipi_dsi_driver *drv)")
def mipi_dsi_driver_unregister(kernel: Kernel, drv: StructView) -> None:
    _buses(kernel).unregister(drv.sub("driver"))


@export("int pnp_register_driver(struct pnp_driver *drv)")
def pnp_register_driver(kernel: Kernel, drv: StructView) -> int:
    drv["driver.name"] = drv["name"]
    _buses(kernel).register("pnp", drv.sub("driver"))
    return 0


@export("void pnp_unregister_driver(struct pnp_driver *drv)")
def pnp_unregister_driver(kernel: Kernel, drv: StructView) -> None:
    _buses(kernel).unregister(drv.sub("driver"))


@export("int pnp_register_card_driver(struct pnp_card_driver *drv)")
def pnp_register_card_driver(kernel: Kernel, drv: StructView) -> int:
    drv["link.name"], drv["link.id_table"], drv["link.flags"] = drv["name"], 0, drv["flags"]
    return pnp_register_driver(kernel, drv.sub("link"))  # type: ignore[no-any-return]


@export("void pnp_unregister_card_driver(struct pnp_card_driver *drv)")
def pnp_unregister_card_driver(kernel: Kernel, drv: StructView) -> None:
    pnp_unregister_driver(kernel, drv.sub("link"))


@export("int acpi_bus_register_driver(struct acpi_driver *driver)")
def acpi_bus_register_driver(kernel: Kernel, driver: StructView) -> int:
    driver["drv.name"] = driver.at("name")
    _buses(kernel).register("acpi", driver.sub("drv"), driver["owner"])
    return 0


@export("void acpi_bus_unregister_driver(struct acpi_driver *driver)")
def acpi_bus_unregister_driver(kernel: Kernel, driver: StructView) -> None:
    _buses(kernel).unregister(driver.sub("drv"))


@export("int __cxl_driver_register(struct cxl_driver *cxl_drv, struct module *owner, const char *modname)")
def __cxl_driver_register(kernel: Kernel, cxl_drv: StructView, owner: StructView, modname: bytes) -> int:
    if not cxl_drv["probe"] or not cxl_drv["name"]:
        raise err(errno.EINVAL)
    cxl_drv["drv.name"] = cxl_drv["name"]
    _buses(kernel).register("cxl", cxl_drv.sub("drv"), owner.address)
    return 0


@export("void cxl_driver_unregister(struct cxl_driver *cxl_drv)")
def cxl_driver_unregister(kernel: Kernel, cxl_drv: StructView) -> None:
    _buses(kernel).unregister(cxl_drv.sub("drv"))


@export("int coreboot_driver_register(struct coreboot_driver *driver)")
def coreboot_driver_register(kernel: Kernel, driver: StructView) -> int:
    _buses(kernel).register("coreboot", driver.sub("drv"))
    return 0


@export("void coreboot_driver_unregister(struct coreboot_driver *driver)")
def coreboot_driver_unregister(kernel: Kernel, driver: StructView) -> None:
    _buses(kernel).unregister(driver.sub("drv"))
