"""Arithmetic."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from sysfsd.kernel.exports.registry import Area

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel

export = Area("math", "lib/math/, lib/bcd.c, lib/errseq.c")

_U32: Final = (1 << 32) - 1


@export("unsigned long gcd(unsigned long a, unsigned long b)")
def gcd(kernel: Kernel, a: int, b: int) -> int:
    return math.gcd(a, b)


@export("unsigned long lcm(unsigned long a, unsigned long b)")
def lcm(kernel: Kernel, a: int, b: int) -> int:
    return a // math.gcd(a, b) * b if a and b else 0


@export("unsigned long lcm_not_zero(unsigned long a, unsigned long b)")
def lcm_not_zero(kernel: Kernel, a: int, b: int) -> int:
    return a // math.gcd(a, b) * b if a and b else b or a


@export("unsigned long int_sqrt(unsigned long x)")
def int_sqrt(kernel: Kernel, x: int) -> int:
    return math.isqrt(x)


@export("u64 int_pow(u64 base, unsigned int exp)")
def int_pow(kernel: Kernel, base: int, exp: int) -> int:
    return pow(base, exp, 1 << 64)


@export("u32 iter_div_u64_rem(u64 dividend, u32 divisor, u64 *remainder)")
def iter_div_u64_rem(kernel: Kernel, dividend: int, divisor: int, remainder: int) -> int:
    quotient, rest = divmod(dividend, divisor)
    kernel.memory.write_int(remainder, rest, 8)
    return quotient


# struct reciprocal_value is returned in a register: m, sh1, sh2.


@export("u64 reciprocal_value(u32 d)")
def reciprocal_value(kernel: Kernel, d: int) -> int:
    bits = (d - 1 & _U32).bit_length()
    m = ((((1 << bits) - d << 32) // d) + 1) & _U32
    return m | min(bits, 1) << 32 | max(bits - 1, 0) << 40


@export("unsigned int _bcd2bin(unsigned char val)")
def _bcd2bin(kernel: Kernel, val: int) -> int:
    return (val & 0x0F) + (val >> 4) * 10


@export("unsigned char _bin2bcd(unsigned int val)")
def _bin2bcd(kernel: Kernel, val: int) -> int:
    return (val // 10 << 4) + val % 10 & 0xFF


# Errors that are noticed once by each who asks: the error, whether it has been seen, a counter.

_MAX_ERRNO: Final = 4095
_SEEN: Final = 1 << 12
_COUNT: Final = 1 << 13


@export("u32 errseq_set(u32 *eseq, int err)")
def errseq_set(kernel: Kernel, eseq: int, err: int) -> int:
    old = kernel.memory.read_int(eseq)
    if not -_MAX_ERRNO <= err < 0:
        kernel.traps.warn_at("lib/errseq.c", 74, f"err = {err}", "errseq_set+0x59")
        return old
    new = old & ~(_MAX_ERRNO | _SEEN) | -err
    if old & _SEEN:
        new = new + _COUNT & _U32
    kernel.memory.write_int(eseq, new)
    return new if new == old else old


@export("u32 errseq_sample(u32 *eseq)")
def errseq_sample(kernel: Kernel, eseq: int) -> int:
    old = kernel.memory.read_int(eseq)
    return old if old & _SEEN else 0


@export("int errseq_check(u32 *eseq, u32 since)")
def errseq_check(kernel: Kernel, eseq: int, since: int) -> int:
    current = kernel.memory.read_int(eseq)
    return 0 if current == since else -(current & _MAX_ERRNO)


@export("int errseq_check_and_advance(u32 *eseq, u32 *since)")
def errseq_check_and_advance(kernel: Kernel, eseq: int, since: int) -> int:
    memory = kernel.memory
    old = memory.read_int(eseq)
    if old == memory.read_int(since):
        return 0
    memory.write_int(eseq, old | _SEEN)
    memory.write_int(since, old | _SEEN)
    return -(old & _MAX_ERRNO)
