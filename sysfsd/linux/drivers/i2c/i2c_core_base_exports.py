"""I2C: drivers of chips, and of what they are connected to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.base.base import Subsystem
from sysfsd.linux.drivers.base.bus_exports import builtin_bus
from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.drivers.i2c.i2c_core_base import I2c
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/i2c/i2c-core-base.c")

export.data("struct device_type i2c_adapter_type")

export.data("struct device_type i2c_client_type")

I2C_SMBUS_READ, I2C_SMBUS_WRITE = 1, 0

_DYNAMIC: Final = -1


def _registered(kernel: Kernel, subsys: Subsystem) -> None:
    kernel.state(I2c).registered(subsys)


builtin_bus(export, "i2c_bus_type", "i2c", _registered)


# Drivers


@export("int i2c_register_driver(struct module *owner, struct i2c_driver *driver)")
def i2c_register_driver(kernel: Kernel, owner: StructView, driver: StructView) -> int:
    kernel.state(I2c).register_driver(driver, owner.address)
    return 0


@export("void i2c_del_driver(struct i2c_driver *driver)")
def i2c_del_driver(kernel: Kernel, driver: StructView) -> None:
    kernel.state(I2c).del_driver(driver)


@export("int i2c_for_each_dev(void *data, int (*fn)(struct device *, void *))")
def i2c_for_each_dev(kernel: Kernel, data: int, fn: int) -> int:
    core = kernel.state(DriverCore)
    bus = core.bus.find_bus(kernel.exports.data_address("i2c_bus_type"))
    for dev in core.each(bus.devices) if bus is not None else ():
        ret = kernel.cpu.call(fn, dev.address, data)
        if ret:
            return ret
    return 0


@export("const struct i2c_device_id *i2c_match_id(const struct i2c_device_id *id, const struct i2c_client *client)")
def i2c_match_id(kernel: Kernel, id: StructView, client: StructView) -> StructView | None:
    return kernel.state(I2c).match_id(id.address, client)


@export("const struct i2c_device_id *i2c_client_get_device_id(const struct i2c_client *client)")
def i2c_client_get_device_id(kernel: Kernel, client: StructView) -> StructView | None:
    structs = kernel.image.structs
    driver = kernel.struct("i2c_driver", structs.container_of(client["dev.driver"], "i2c_driver", "driver"))
    return kernel.state(I2c).match_id(driver["id_table"], client)


@export("struct i2c_client *i2c_verify_client(struct device *dev)")
def i2c_verify_client(kernel: Kernel, dev: StructView) -> StructView | None:
    return kernel.state(I2c).client(dev)


@export("struct i2c_adapter *i2c_verify_adapter(struct device *dev)")
def i2c_verify_adapter(kernel: Kernel, dev: StructView) -> StructView | None:
    return kernel.state(I2c).adapter(dev)


# Adapters


@export("int i2c_add_adapter(struct i2c_adapter *adapter)")
def i2c_add_adapter(kernel: Kernel, adapter: StructView) -> int:
    kernel.state(I2c).add_adapter(adapter, None)
    return 0


@export("int i2c_add_numbered_adapter(struct i2c_adapter *adap)")
def i2c_add_numbered_adapter(kernel: Kernel, adap: StructView) -> int:
    kernel.state(I2c).add_adapter(adap, None if adap["nr"] == _DYNAMIC else adap["nr"])
    return 0


@export("int devm_i2c_add_adapter(struct device *dev, struct i2c_adapter *adapter)")
def devm_i2c_add_adapter(kernel: Kernel, dev: StructView, adapter: StructView) -> int:
    i2c, core = kernel.state(I2c), kernel.state(DriverCore)
    i2c.add_adapter(adapter, None)
    core.devres.add(dev, core.devres.alloc(lambda _data: i2c.del_adapter(adapter), 0, "devm_i2c_del_adapter"))
    return 0


@export("void i2c_del_adapter(struct i2c_adapter *adap)")
def i2c_del_adapter(kernel: Kernel, adap: StructView) -> None:
    kernel.state(I2c).del_adapter(adap)


@export("struct i2c_adapter *i2c_get_adapter(int nr)")
def i2c_get_adapter(kernel: Kernel, nr: int) -> StructView | None:
    return kernel.state(I2c).get_adapter(nr)


@export("void i2c_put_adapter(struct i2c_adapter *adap)")
def i2c_put_adapter(kernel: Kernel, adap: StructView) -> None:
    kernel.state(I2c).put_adapter(adap)


@export("unsigned int i2c_adapter_depth(struct i2c_adapter *adapter)")
def i2c_adapter_depth(kernel: Kernel, adapter: StructView) -> int:
    i2c, depth, parent = kernel.state(I2c), 0, adapter["dev.parent"]
    while parent:
        dev = kernel.struct("device", parent)
        depth += i2c.adapter(dev) is not None
        parent = dev["parent"]
    return depth


# Clients


@export("struct i2c_client *i2c_new_client_device(struct i2c_adapter *adap, const struct i2c_board_info *info)")
def i2c_new_client_device(kernel: Kernel, adap: StructView, info: StructView) -> StructView:
    return kernel.state(I2c).new_client_device(adap, info)


@export("struct i2c_client *i2c_new_dummy_device(struct i2c_adapter *adapter, u16 address)")
def i2c_new_dummy_device(kernel: Kernel, adapter: StructView, address: int) -> StructView:
    return kernel.state(I2c).new_named(adapter, b"dummy", address)


@export(
    "struct i2c_client *i2c_new_scanned_device(struct i2c_adapter *adap, struct i2c_board_info *info,"
    " const unsigned short *addr_list, int (*probe)(struct i2c_adapter *, unsigned short))"
)
def i2c_new_scanned_device(
    kernel: Kernel, adap: StructView, info: StructView, addr_list: int, probe: int
) -> StructView:
    return kernel.state(I2c).new_scanned_device(adap, info, addr_list, probe)


@export("int i2c_probe_func_quick_read(struct i2c_adapter *adap, unsigned short addr)")
def i2c_probe_func_quick_read(kernel: Kernel, adap: StructView, addr: int) -> int:
    return int(kernel.state(I2c).smbus.smbus_xfer(adap, addr, 0, I2C_SMBUS_READ, 0, 0, 0) >= 0)


@export("void i2c_unregister_device(struct i2c_client *client)")
def i2c_unregister_device(kernel: Kernel, client: StructView) -> None:
    kernel.state(I2c).unregister_device(client)


# Transfers


@export("int i2c_transfer(struct i2c_adapter *adap, struct i2c_msg *msgs, int num)")
@export("int __i2c_transfer(struct i2c_adapter *adap, struct i2c_msg *msgs, int num)")
def i2c_transfer(kernel: Kernel, adap: StructView, msgs: StructView, num: int) -> int:
    return kernel.state(I2c).transfer(adap, msgs.address, num)


@export("int i2c_transfer_buffer_flags(const struct i2c_client *client, char *buf, int count, u16 flags)")
def i2c_transfer_buffer_flags(kernel: Kernel, client: StructView, buf: int, count: int, flags: int) -> int:
    return kernel.state(I2c).transfer_buffer(client, buf, count, flags)
