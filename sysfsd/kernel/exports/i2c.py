"""I2C: drivers of chips, and of what they are connected to."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.kernel.driver_core import DriverCore, Subsystem
from sysfsd.kernel.exports.driver_core import builtin_bus
from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.i2c import I2c, pec

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("i2c", "drivers/i2c/i2c-core-base.c, drivers/i2c/i2c-core-smbus.c")

export.data("struct device_type i2c_adapter_type")
export.data("struct device_type i2c_client_type")

_READ, _WRITE = 1, 0
_BYTE, _BYTE_DATA, _WORD_DATA, _BLOCK_DATA, _I2C_BLOCK_DATA = 1, 2, 3, 5, 8
_BLOCK_MAX: Final = 32
_DYNAMIC: Final = -1
_READ_WORD_DATA, _READ_BYTE_DATA, _READ_I2C_BLOCK = 0x00200000, 0x00080000, 0x04000000


def _registered(kernel: Kernel, subsys: Subsystem) -> None:
    kernel.state(I2c).registered(subsys)


builtin_bus("i2c_bus_type", "i2c", _registered)


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
    bus = core.bus(kernel.exports.data_address("i2c_bus_type"))
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
    core.resource_add(dev, core.resource_alloc(lambda _data: i2c.del_adapter(adapter), 0, "devm_i2c_del_adapter"))
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
    return int(kernel.state(I2c).smbus_xfer(adap, addr, 0, _READ, 0, 0, 0) >= 0)


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


_SMBUS_XFER = (
    "(struct i2c_adapter *adapter, u16 addr, unsigned short flags, char read_write, u8 command, int protocol,"
    " union i2c_smbus_data *data)"
)


@export("s32 i2c_smbus_xfer" + _SMBUS_XFER)
@export("s32 __i2c_smbus_xfer" + _SMBUS_XFER)
def i2c_smbus_xfer(
    kernel: Kernel,
    adapter: StructView,
    addr: int,
    flags: int,
    read_write: int,
    command: int,
    protocol: int,
    data: StructView,
) -> int:
    return kernel.state(I2c).smbus_xfer(adapter, addr, flags, read_write, command, protocol, data.address)


@export("u8 i2c_smbus_pec(u8 crc, u8 *p, size_t count)")
def i2c_smbus_pec(kernel: Kernel, crc: int, p: int, count: int) -> int:
    return pec(crc, kernel.memory.read(p, count))


@export("s32 i2c_smbus_read_byte(const struct i2c_client *client)")
def i2c_smbus_read_byte(kernel: Kernel, client: StructView) -> int:
    return kernel.state(I2c).ask(client, _READ, 0, _BYTE)[0]


@export("s32 i2c_smbus_write_byte(const struct i2c_client *client, u8 value)")
def i2c_smbus_write_byte(kernel: Kernel, client: StructView, value: int) -> int:
    kernel.state(I2c).ask(client, _WRITE, value, _BYTE)
    return 0


@export("s32 i2c_smbus_read_byte_data(const struct i2c_client *client, u8 command)")
def i2c_smbus_read_byte_data(kernel: Kernel, client: StructView, command: int) -> int:
    return kernel.state(I2c).ask(client, _READ, command, _BYTE_DATA)[0]


@export("s32 i2c_smbus_write_byte_data(const struct i2c_client *client, u8 command, u8 value)")
def i2c_smbus_write_byte_data(kernel: Kernel, client: StructView, command: int, value: int) -> int:
    kernel.state(I2c).ask(client, _WRITE, command, _BYTE_DATA, bytes([value]))
    return 0


@export("s32 i2c_smbus_read_word_data(const struct i2c_client *client, u8 command)")
def i2c_smbus_read_word_data(kernel: Kernel, client: StructView, command: int) -> int:
    return int.from_bytes(kernel.state(I2c).ask(client, _READ, command, _WORD_DATA)[:2], "little")


@export("s32 i2c_smbus_write_word_data(const struct i2c_client *client, u8 command, u16 value)")
def i2c_smbus_write_word_data(kernel: Kernel, client: StructView, command: int, value: int) -> int:
    kernel.state(I2c).ask(client, _WRITE, command, _WORD_DATA, value.to_bytes(2, "little"))
    return 0


def _read_block(kernel: Kernel, data: bytes, values: int) -> int:
    kernel.memory.write(values, data[1 : data[0] + 1])
    return data[0]


@export("s32 i2c_smbus_read_block_data(const struct i2c_client *client, u8 command, u8 *values)")
def i2c_smbus_read_block_data(kernel: Kernel, client: StructView, command: int, values: int) -> int:
    return _read_block(kernel, kernel.state(I2c).ask(client, _READ, command, _BLOCK_DATA), values)


@export("s32 i2c_smbus_read_i2c_block_data(const struct i2c_client *client, u8 command, u8 length, u8 *values)")
def i2c_smbus_read_i2c_block_data(kernel: Kernel, client: StructView, command: int, length: int, values: int) -> int:
    wanted = bytes([min(length, _BLOCK_MAX)])
    return _read_block(kernel, kernel.state(I2c).ask(client, _READ, command, _I2C_BLOCK_DATA, wanted), values)


def _write_block(name: str, protocol: int) -> None:
    @export(f"s32 {name}(const struct i2c_client *client, u8 command, u8 length, const u8 *values)")
    def write(kernel: Kernel, client: StructView, command: int, length: int, values: int) -> int:
        count = min(length, _BLOCK_MAX)
        data = bytes([count]) + kernel.memory.read(values, count)
        kernel.state(I2c).ask(client, _WRITE, command, protocol, data)
        return 0


_write_block("i2c_smbus_write_block_data", _BLOCK_DATA)
_write_block("i2c_smbus_write_i2c_block_data", _I2C_BLOCK_DATA)


@export(
    "s32 i2c_smbus_read_i2c_block_data_or_emulated(const struct i2c_client *client, u8 command, u8 length, u8 *values)"
)
def i2c_smbus_read_i2c_block_data_or_emulated(
    kernel: Kernel, client: StructView, command: int, length: int, values: int
) -> int:
    able, count, done = kernel.state(I2c).functionality(client.to("adapter")), min(length, _BLOCK_MAX), 0
    if able & _READ_I2C_BLOCK:
        return int(i2c_smbus_read_i2c_block_data(kernel, client, command, count, values))
    if not able & _READ_BYTE_DATA:
        return -errno.EOPNOTSUPP
    while done < count:
        if able & _READ_WORD_DATA and done + 2 <= count:
            kernel.memory.write_int(values + done, i2c_smbus_read_word_data(kernel, client, command + done), 2)
            done += 2
        else:
            kernel.memory.write_int(values + done, i2c_smbus_read_byte_data(kernel, client, command + done), 1)
            done += 1
    return done
