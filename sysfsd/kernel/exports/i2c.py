"""I2C: drivers of chips, on a machine without a bus for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.kernel.driver_core import DriverCore, Subsystem
from sysfsd.kernel.exports.driver_core import builtin_bus
from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.list import INIT_LIST_HEAD

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("i2c", "drivers/i2c/i2c-core-base.c")

export.data("struct device_type i2c_adapter_type")
export.data("struct device_type i2c_client_type")


def _registered(kernel: Kernel, subsys: Subsystem) -> None:
    """``i2c_device_match()``: by the driver's table of names; adapters are no clients."""
    client_type = kernel.exports.data_address("i2c_client_type")

    def match(dev: StructView, drv: StructView) -> bool:
        if dev["type"] != client_type:
            return False
        structs = kernel.image.structs
        client = kernel.struct("i2c_client", structs.container_of(dev.address, "i2c_client", "dev"))
        driver = kernel.struct("i2c_driver", structs.container_of(drv.address, "i2c_driver", "driver"))
        if not driver["id_table"]:
            return False
        entry, name = driver.to("id_table"), client.string("name")
        while entry.string("name"):
            if entry.string("name") == name:
                return True
            entry = kernel.struct("i2c_device_id", entry.address + entry.struct.size)
        return False

    subsys.match = match


builtin_bus("i2c_bus_type", "i2c", _registered)


@export("int i2c_register_driver(struct module *owner, struct i2c_driver *driver)")
def i2c_register_driver(kernel: Kernel, owner: StructView, driver: StructView) -> int:
    drv = driver.sub("driver")
    drv["owner"], drv["bus"] = owner.address, kernel.exports.data_address("i2c_bus_type")
    INIT_LIST_HEAD(kernel.memory, driver.at("clients"))
    kernel.state(DriverCore).driver_register(drv)
    return 0


@export("void i2c_del_driver(struct i2c_driver *driver)")
def i2c_del_driver(kernel: Kernel, driver: StructView) -> None:
    kernel.state(DriverCore).driver_unregister(driver.sub("driver"))


@export("int i2c_for_each_dev(void *data, int (*fn)(struct device *, void *))")
def i2c_for_each_dev(kernel: Kernel, data: int, fn: int) -> int:
    core = kernel.state(DriverCore)
    bus = core.bus(kernel.exports.data_address("i2c_bus_type"))
    for dev in core.each(bus.devices) if bus is not None else ():
        ret = kernel.cpu.call(fn, dev.address, data)
        if ret:
            return ret
    return 0
