"""SPI: drivers of chips, on a machine without a bus for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.base import Subsystem
from sysfsd.linux.drivers.base.bus_exports import builtin_bus
from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/spi/spi.c")


def _registered(kernel: Kernel, subsys: Subsystem) -> None:
    """``spi_match_device()``: by the driver's table of names, or by its own name."""

    def match(dev: StructView, drv: StructView) -> bool:
        structs = kernel.image.structs
        spi = kernel.struct("spi_device", structs.container_of(dev.address, "spi_device", "dev"))
        driver = kernel.struct("spi_driver", structs.container_of(drv.address, "spi_driver", "driver"))
        modalias = spi.string("modalias")
        if not driver["id_table"]:
            return modalias == drv.string("name")
        return modalias in _names(kernel, driver)

    subsys.match = match


builtin_bus(export, "spi_bus_type", "spi", _registered)


def _names(kernel: Kernel, driver: StructView) -> list[bytes]:
    """The names in a driver's table."""
    names: list[bytes] = []
    if driver["id_table"]:
        entry = driver.to("id_table")
        while name := entry.string("name"):
            names.append(name)
            entry = kernel.struct("spi_device_id", entry.address + entry.struct.size)
    return names


@export("int __spi_register_driver(struct module *owner, struct spi_driver *sdrv)")
def __spi_register_driver(kernel: Kernel, owner: StructView, sdrv: StructView) -> int:
    drv = sdrv.sub("driver")
    drv["owner"], drv["bus"] = owner.address, kernel.exports.data_address("spi_bus_type")
    if drv["of_match_table"]:
        names, entry = _names(kernel, sdrv), drv.to("of_match_table")
        while compatible := entry.string("compatible"):
            _vendor, comma, name = compatible.partition(b",")
            name = name if comma else compatible
            if name not in names and (sdrv["id_table"] or name != drv.string("name")):
                own = drv.string("name").decode("latin-1")
                kernel.log.pr_warn(f"SPI driver {own} has no spi_device_id for {compatible.decode('latin-1')}")
            entry = kernel.struct("of_device_id", entry.address + entry.struct.size)
    kernel.state(DriverCore).driver.driver_register(drv)
    return 0
