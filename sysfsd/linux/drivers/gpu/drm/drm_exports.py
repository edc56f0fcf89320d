"""What graphics drivers ask of the kernel proper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.bus_exports import driver_only_buses
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/gpu/drm/drm_mipi_dsi.c", "drivers/gpu/drm/drm_nomodeset.c")


@export("int mipi_dsi_driver_register_full(struct mipi_dsi_driver *drv, struct module *owner)")
def mipi_dsi_driver_register_full(kernel: Kernel, drv: StructView, owner: StructView) -> int:
    driver_only_buses(kernel).register("mipi-dsi", drv.sub("driver"), owner.address)
    return 0


@export("void mipi_dsi_driver_unregister(struct mipi_dsi_driver *drv)")
def mipi_dsi_driver_unregister(kernel: Kernel, drv: StructView) -> None:
    driver_only_buses(kernel).unregister(drv.sub("driver"))


@export("bool drm_firmware_drivers_only(void)")
def drm_firmware_drivers_only(kernel: Kernel) -> bool:
    return "nomodeset" in kernel.cmdline.split()
