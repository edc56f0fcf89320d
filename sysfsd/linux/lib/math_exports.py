"""Arithmetic."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area(
    "lib/math/gcd.c",
    "lib/math/lcm.c",
    "lib/math/int_sqrt.c",
    "lib/math/int_pow.c",
    "lib/math/div64.c",
    "lib/math/reciprocal_div.c",
)

U32_MAX: Final = (1 << 32) - 1


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
    bits = (d - 1 & U32_MAX).bit_length()
    m = ((((1 << bits) - d << 32) // d) + 1) & U32_MAX
    return m | min(bits, 1) << 32 | max(bits - 1, 0) << 40
