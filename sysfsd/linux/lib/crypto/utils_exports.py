"""Comparing in constant time, and exclusive-or, of blocks of memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("lib/crypto/memneq.c", "lib/crypto/utils.c")


@export("unsigned long __crypto_memneq(const void *a, const void *b, size_t size)")
def __crypto_memneq(kernel: Kernel, a: int, b: int, size: int) -> bool:
    return bool(size) and kernel.memory.read(a, size) != kernel.memory.read(b, size)


@export("void __crypto_xor(u8 *dst, const u8 *src1, const u8 *src2, unsigned int len)")
def __crypto_xor(kernel: Kernel, dst: int, src1: int, src2: int, len: int) -> None:
    a, b = (int.from_bytes(kernel.memory.read(source, len), "little") for source in (src1, src2))
    kernel.memory.write(dst, (a ^ b).to_bytes(len, "little"))
