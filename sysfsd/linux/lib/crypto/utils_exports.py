"""Comparing in constant time, and exclusive-or, of blocks of memory."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("lib/crypto/memneq.c", "lib/crypto/utils.c")


@export("unsigned long __crypto_memneq(const void *a, const void *b, size_t size)")
def __crypto_memneq(kernel: Kernel, a: int, b: int, size: int) -> int:
    """:returns: all differences, of whole words and then of bytes, in one word"""
    if not size:
        return 0
    pairs = zip(*(kernel.memory.read(address, size) for address in (a, b)), strict=True)
    differences = bytes(x ^ y for x, y in pairs)
    words = len(differences) // 8
    found = 0
    for word in struct.unpack(f"<{words}Q", differences[: 8 * words]):
        found |= word
    for byte in differences[8 * words :]:
        found |= byte
    return found


@export("void __crypto_xor(u8 *dst, const u8 *src1, const u8 *src2, unsigned int len)")
def __crypto_xor(kernel: Kernel, dst: int, src1: int, src2: int, len: int) -> None:
    a, b = (int.from_bytes(kernel.memory.read(source, len), "little") for source in (src1, src2))
    kernel.memory.write(dst, (a ^ b).to_bytes(len, "little"))
