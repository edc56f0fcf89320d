"""Checksums."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("lib/crc32.c", "lib/crc-ccitt.c")

U32_MAX: Final = (1 << 32) - 1


def _table_low(polynomial: int) -> tuple[int, ...]:
    """What a byte adds, the lowest bit first."""
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (polynomial if value & 1 else 0)
        table.append(value)
    return tuple(table)


def _table_high(polynomial: int, bits: int) -> tuple[int, ...]:
    """What a byte adds, the highest bit first."""
    table = []
    for byte in range(256):
        value = byte << bits - 8
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> bits - 1 else 0)
            value &= (1 << bits) - 1
        table.append(value)
    return tuple(table)


_CRC32C: Final = _table_low(0x82F63B78)

_CRC32_BE: Final = _table_high(0x04C11DB7, 32)

_CCITT: Final = _table_low(0x8408)

_CCITT_FALSE: Final = _table_high(0x1021, 16)


def _low(table: tuple[int, ...], crc: int, data: bytes) -> int:
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc


def _high(table: tuple[int, ...], bits: int, crc: int, data: bytes) -> int:
    mask = (1 << bits) - 1
    for byte in data:
        crc = (crc << 8 & mask) ^ table[crc >> bits - 8 ^ byte]
    return crc


def read_buffer(kernel: Kernel, address: int, length: int) -> bytes:
    return kernel.memory.read(address, length) if length else b""


@export("u32 crc32_le(u32 crc, const unsigned char *p, size_t len)")
def crc32_le(kernel: Kernel, crc: int, p: int, len: int) -> int:
    return zlib.crc32(read_buffer(kernel, p, len), crc ^ U32_MAX) ^ U32_MAX


@export("u32 __crc32c_le(u32 crc, const unsigned char *p, size_t len)")
def __crc32c_le(kernel: Kernel, crc: int, p: int, len: int) -> int:
    return _low(_CRC32C, crc, read_buffer(kernel, p, len))


@export("u32 crc32_be(u32 crc, const unsigned char *p, size_t len)")
def crc32_be(kernel: Kernel, crc: int, p: int, len: int) -> int:
    return _high(_CRC32_BE, 32, crc, read_buffer(kernel, p, len))


def _shift(table: tuple[int, ...], crc: int, length: int) -> int:
    """The sum after *length* zeros more: each doubling of their number is a map of the 32 bits."""
    columns = [_low(table, 1 << bit, b"\0") for bit in range(32)]

    def apply(columns: list[int], value: int) -> int:
        result = 0
        for bit in range(32):
            if value >> bit & 1:
                result ^= columns[bit]
        return result

    while length:
        if length & 1:
            crc = apply(columns, crc)
        columns = [apply(columns, column) for column in columns]
        length >>= 1
    return crc


@export("u32 crc32_le_shift(u32 crc, size_t len)")
def crc32_le_shift(kernel: Kernel, crc: int, len: int) -> int:
    return _shift(_table_low(0xEDB88320), crc, len)


@export("u32 __crc32c_le_shift(u32 crc, size_t len)")
def __crc32c_le_shift(kernel: Kernel, crc: int, len: int) -> int:
    return _shift(_CRC32C, crc, len)


@export("u16 crc_ccitt(u16 crc, const u8 *buffer, size_t len)")
def crc_ccitt(kernel: Kernel, crc: int, buffer: int, len: int) -> int:
    return _low(_CCITT, crc, read_buffer(kernel, buffer, len))


@export("u16 crc_ccitt_false(u16 crc, const u8 *buffer, size_t len)")
def crc_ccitt_false(kernel: Kernel, crc: int, buffer: int, len: int) -> int:
    return _high(_CCITT_FALSE, 16, crc, read_buffer(kernel, buffer, len))


def _shorts(table: tuple[int, ...]) -> Callable[[Kernel, int], None]:
    """A table as the first value of a variable."""

    def put(kernel: Kernel, address: int) -> None:
        kernel.memory.write(address, struct.pack("<256H", *table))

    return put


export.data("const u16 crc_ccitt_table[256]", _shorts(_CCITT))

export.data("const u16 crc_ccitt_false_table[256]", _shorts(_CCITT_FALSE))
