"""SMBus transfers over I2C adapters."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.i2c.i2c_core_base import I2c
from sysfsd.linux.drivers.i2c.i2c_core_base_exports import I2C_SMBUS_READ, I2C_SMBUS_WRITE
from sysfsd.linux.drivers.i2c.i2c_core_smbus import pec
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/i2c/i2c-core-smbus.c")

_BYTE, _BYTE_DATA, _WORD_DATA, _BLOCK_DATA, _I2C_BLOCK_DATA = 1, 2, 3, 5, 8

_BLOCK_MAX: Final = 32

_READ_WORD_DATA, _READ_BYTE_DATA, _READ_I2C_BLOCK = 0x00200000, 0x00080000, 0x04000000


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
    return kernel.state(I2c).smbus.smbus_xfer(adapter, addr, flags, read_write, command, protocol, data.address)


@export("u8 i2c_smbus_pec(u8 crc, u8 *p, size_t count)")
def i2c_smbus_pec(kernel: Kernel, crc: int, p: int, count: int) -> int:
    return pec(crc, kernel.memory.read(p, count))


@export("s32 i2c_smbus_read_byte(const struct i2c_client *client)")
def i2c_smbus_read_byte(kernel: Kernel, client: StructView) -> int:
    return kernel.state(I2c).smbus.ask(client, I2C_SMBUS_READ, 0, _BYTE)[0]


@export("s32 i2c_smbus_write_byte(const struct i2c_client *client, u8 value)")
def i2c_smbus_write_byte(kernel: Kernel, client: StructView, value: int) -> int:
    kernel.state(I2c).smbus.ask(client, I2C_SMBUS_WRITE, value, _BYTE)
    return 0


@export("s32 i2c_smbus_read_byte_data(const struct i2c_client *client, u8 command)")
def i2c_smbus_read_byte_data(kernel: Kernel, client: StructView, command: int) -> int:
    return kernel.state(I2c).smbus.ask(client, I2C_SMBUS_READ, command, _BYTE_DATA)[0]


@export("s32 i2c_smbus_write_byte_data(const struct i2c_client *client, u8 command, u8 value)")
def i2c_smbus_write_byte_data(kernel: Kernel, client: StructView, command: int, value: int) -> int:
    kernel.state(I2c).smbus.ask(client, I2C_SMBUS_WRITE, command, _BYTE_DATA, bytes([value]))
    return 0


@export("s32 i2c_smbus_read_word_data(const struct i2c_client *client, u8 command)")
def i2c_smbus_read_word_data(kernel: Kernel, client: StructView, command: int) -> int:
    return int.from_bytes(kernel.state(I2c).smbus.ask(client, I2C_SMBUS_READ, command, _WORD_DATA)[:2], "little")


@export("s32 i2c_smbus_write_word_data(const struct i2c_client *client, u8 command, u16 value)")
def i2c_smbus_write_word_data(kernel: Kernel, client: StructView, command: int, value: int) -> int:
    kernel.state(I2c).smbus.ask(client, I2C_SMBUS_WRITE, command, _WORD_DATA, value.to_bytes(2, "little"))
    return 0


def _read_block(kernel: Kernel, data: bytes, values: int) -> int:
    kernel.memory.write(values, data[1 : data[0] + 1])
    return data[0]


@export("s32 i2c_smbus_read_block_data(const struct i2c_client *client, u8 command, u8 *values)")
def i2c_smbus_read_block_data(kernel: Kernel, client: StructView, command: int, values: int) -> int:
    return _read_block(kernel, kernel.state(I2c).smbus.ask(client, I2C_SMBUS_READ, command, _BLOCK_DATA), values)


@export("s32 i2c_smbus_read_i2c_block_data(const struct i2c_client *client, u8 command, u8 length, u8 *values)")
def i2c_smbus_read_i2c_block_data(kernel: Kernel, client: StructView, command: int, length: int, values: int) -> int:
    wanted = bytes([min(length, _BLOCK_MAX)])
    return _read_block(
        kernel, kernel.state(I2c).smbus.ask(client, I2C_SMBUS_READ, command, _I2C_BLOCK_DATA, wanted), values
    )


def _write_block(name: str, protocol: int) -> None:
    @export(f"s32 {name}(const struct i2c_client *client, u8 command, u8 length, const u8 *values)")
    def write(kernel: Kernel, client: StructView, command: int, length: int, values: int) -> int:
        count = min(length, _BLOCK_MAX)
        data = bytes([count]) + kernel.memory.read(values, count)
        kernel.state(I2c).smbus.ask(client, I2C_SMBUS_WRITE, command, protocol, data)
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
