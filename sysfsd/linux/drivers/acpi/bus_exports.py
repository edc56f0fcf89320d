"""ACPI, of a machine whose firmware has no tables: buses, notifiers, lookups."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.bus_exports import driver_only_buses
from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import declare_chain, registered

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area(
    "drivers/acpi/bus.c",
    "drivers/acpi/event.c",
    "drivers/acpi/glue.c",
    "drivers/acpi/acpica/nsxfeval.c",
    "drivers/acpi/acpica/tbxface.c",
    "drivers/acpi/acpica/nsxfname.c",
    "drivers/acpi/osi.c",
)


@export("int acpi_bus_register_driver(struct acpi_driver *driver)")
def acpi_bus_register_driver(kernel: Kernel, driver: StructView) -> int:
    driver["drv.name"] = driver.at("name")
    driver_only_buses(kernel).register("acpi", driver.sub("drv"), driver["owner"])
    return 0


@export("void acpi_bus_unregister_driver(struct acpi_driver *driver)")
def acpi_bus_unregister_driver(kernel: Kernel, driver: StructView) -> None:
    driver_only_buses(kernel).unregister(driver.sub("drv"))


#: ``AE_NOT_FOUND``.
_AE_NOT_FOUND = 0x5

declare_chain(export, "acpi_notifier", "register_acpi_notifier", "unregister_acpi_notifier")

export.data("int acpi_disabled")


# ACPI and DMI: there are no tables


@export("int register_acpi_bus_type(struct acpi_bus_type *type)")
def register_acpi_bus_type(kernel: Kernel, type: StructView) -> int:
    if not type.address or not type["match"] or not type["find_companion"]:
        raise err(errno.ENODEV)
    registered(kernel).add("acpi_bus_type", type.address, type.address)
    kernel.log.pr_info(f"ACPI: bus type {type.string('name').decode('latin-1')} registered")
    return 0


@export("int unregister_acpi_bus_type(struct acpi_bus_type *type)")
def unregister_acpi_bus_type(kernel: Kernel, type: StructView) -> int:
    if not type.address or not registered(kernel).remove("acpi_bus_type", type.address):
        raise err(errno.ENODEV)
    kernel.log.pr_info(f"ACPI: bus type {type.string('name').decode('latin-1')} unregistered")
    return 0


# The firmware describes no devices, and has no tables.


@export(
    "acpi_status acpi_get_devices(const char *HID, acpi_walk_callback user_function, void *context,"
    " void **return_value)"
)
def acpi_get_devices(kernel: Kernel, hid: bytes | None, user_function: int, context: int, return_value: int) -> int:
    return 0


@export("acpi_status acpi_get_table(char *signature, u32 instance, struct acpi_table_header **out_table)")
def acpi_get_table(kernel: Kernel, signature: int, instance: int, out_table: int) -> int:
    return _AE_NOT_FOUND


@export("acpi_status acpi_get_handle(acpi_handle parent, acpi_string pathname, acpi_handle *ret_handle)")
def acpi_get_handle(kernel: Kernel, parent: int, pathname: int, ret_handle: int) -> int:
    return _AE_NOT_FOUND


@export("bool acpi_osi_is_win8(void)")
def acpi_osi_is_win8(kernel: Kernel) -> bool:
    """No table has asked what the system is."""
    return False
