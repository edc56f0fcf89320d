"""Serial input ports and their drivers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.base import Subsystem
from sysfsd.linux.drivers.base.bus_exports import builtin_bus
from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.exports import Area
from sysfsd.linux.lib.kobject import Kobjects, Sysfs

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/input/serio/serio.c")


def _registered(kernel: Kernel, subsys: Subsystem) -> None:
    subsys.match = lambda dev, drv: False


builtin_bus(export, "serio_bus", "serio", _registered)


@export("int __serio_register_driver(struct serio_driver *drv, struct module *owner, const char *mod_name)")
def __serio_register_driver(kernel: Kernel, drv: StructView, owner: StructView, mod_name: bytes | None) -> int:
    driver = drv.sub("driver")
    driver["bus"], driver["owner"] = kernel.exports.data_address("serio_bus"), owner.address
    try:
        registered = kernel.state(DriverCore).driver.driver_register(driver)
    except OSError as error:
        name = driver.string("name").decode("latin-1")
        kernel.log.pr_err(f"serio: driver_register() failed for {name}, error: {-(error.errno or 0)}")
        raise
    sysfs = kernel.state(Sysfs)
    directory = sysfs.directory(kernel.state(Kobjects).view(registered.private))
    assert directory is not None
    description = drv.string("description") if drv["description"] else b"(none)"
    sysfs.create_own_file(directory, "description", 0o444, lambda: description + b"\n")
    sysfs.create_own_file(directory, "bind_mode", 0o644, lambda: b"manual\n" if drv["manual_bind"] else b"auto\n")
    return 0


@export("void serio_unregister_driver(struct serio_driver *drv)")
def serio_unregister_driver(kernel: Kernel, drv: StructView) -> None:
    kernel.state(DriverCore).driver.driver_unregister(drv.sub("driver"))
