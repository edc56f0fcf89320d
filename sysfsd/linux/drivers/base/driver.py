"""Device drivers (drivers/base/driver.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.drivers.base.base import UEVENT, Driver
from sysfsd.linux.err import err
from sysfsd.linux.lib.kobject import errors_ignored

if TYPE_CHECKING:
    from sysfsd.linux.drivers.base.core import DriverCore
    from sysfsd.linux.struct_view import StructView

__all__ = ["Drivers"]


class Drivers:
    """The drivers of one kernel."""

    def __init__(self, core: DriverCore) -> None:
        self.core = core
        self.kernel = core.kernel
        self.drivers: dict[int, Driver] = {}

    # Drivers

    def driver_register(self, drv: StructView) -> Driver:
        """:raises OSError: EINVAL for a bus that is not there, EBUSY for a name that is taken, ENOMEM"""
        log, name = self.kernel.log, drv.string("name").decode("latin-1")
        bus = self.core.bus.find_bus(drv["bus"])
        if bus is None:
            bus_name = drv.to("bus").string("name").decode("latin-1")
            log.pr_err(
                f"Driver '{name}' was unable to register with bus_type '{bus_name}'"
                " because the bus was not initialized."
            )
            raise err(errno.EINVAL)
        type_ = self.kernel.struct("bus_type", bus.address)
        if any(drv[op] and (type_[op] or getattr(bus, op, None)) for op in ("probe", "remove", "shutdown")):
            log.pr_warn(f"Driver '{name}' needs updating - please use bus_type methods")
        if name in bus.drivers:
            log.pr_err(f"Error: Driver '{name}' is already registered, aborting...")
            raise err(errno.EBUSY)
        driver = self.core.bus.bus_add_driver(drv, name, bus)
        kobj = self.core.kobjects.view(driver.private)
        try:
            self.core.sysfs.create_groups(kobj, drv["groups"])
        except OSError:
            self.core.bus.bus_remove_driver(drv, driver)
            raise
        with errors_ignored():
            self.core.kobjects.uevent(kobj, UEVENT["add"])
        return driver

    def driver_unregister(self, drv: StructView) -> None:
        driver = self.drivers.get(drv.address) if drv.address else None
        if driver is None or not drv["p"]:
            self.kernel.traps.warn_at(
                "drivers/base/driver.c", 270, "Unexpected driver unregister!", site="driver_unregister+0x38"
            )
            return
        self.core.sysfs.remove_groups(self.core.kobjects.view(driver.private), drv["groups"])
        self.core.bus.bus_remove_driver(drv, driver)
