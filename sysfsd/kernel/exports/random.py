"""Random numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.kernel.exports.registry import Area

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("random", "drivers/char/random.c, lib/random32.c")

_U32: Final = (1 << 32) - 1


@export("void get_random_bytes(void *buf, size_t len)")
def get_random_bytes(kernel: Kernel, buf: int, len: int) -> None:
    if len:
        kernel.memory.write(buf, kernel.random_bytes(len))


def _number(kernel: Kernel, size: int) -> int:
    return int.from_bytes(kernel.random_bytes(size), "little")


@export("u8 get_random_u8(void)")
def get_random_u8(kernel: Kernel) -> int:
    return _number(kernel, 1)


@export("u16 get_random_u16(void)")
def get_random_u16(kernel: Kernel) -> int:
    return _number(kernel, 2)


@export("u32 get_random_u32(void)")
def get_random_u32(kernel: Kernel) -> int:
    return _number(kernel, 4)


@export("u64 get_random_u64(void)")
def get_random_u64(kernel: Kernel) -> int:
    return _number(kernel, 8)


@export("u32 __get_random_u32_below(u32 ceil)")
def __get_random_u32_below(kernel: Kernel, ceil: int) -> int:
    return _number(kernel, 8) % ceil if ceil else _number(kernel, 4)


@export("bool rng_is_initialized(void)")
def rng_is_initialized(kernel: Kernel) -> bool:
    return True


@export("int wait_for_random_bytes(void)")
def wait_for_random_bytes(kernel: Kernel) -> int:
    return 0


@export("void add_device_randomness(const void *buf, size_t len)")
def add_device_randomness(kernel: Kernel, buf: int, len: int) -> None:
    """The host's generator needs no help."""


@export("void add_interrupt_randomness(int irq)")
def add_interrupt_randomness(kernel: Kernel, irq: int) -> None:
    """The host's generator needs no help."""


# A generator whose state is the caller's: four combined shift registers.

#: How each register moves: the shift in, the shift out, the bits kept, the shift of those.
_TAUSWORTHE: Final = {
    "s1": (6, 13, 0xFFFFFFFE, 18),
    "s2": (2, 27, 0xFFFFFFF8, 2),
    "s3": (13, 21, 0xFFFFFFF0, 7),
    "s4": (3, 12, 0xFFFFFF80, 13),
}


def _prandom(state: StructView) -> int:
    result = 0
    for name, (mix, out, keep, up) in _TAUSWORTHE.items():
        s = state[name]
        s = (s & keep) << up & _U32 ^ (s << mix & _U32 ^ s) >> out
        state[name] = s
        result ^= s
    return result


@export("u32 prandom_u32_state(struct rnd_state *state)")
def prandom_u32_state(kernel: Kernel, state: StructView) -> int:
    return _prandom(state)


@export("void prandom_bytes_state(struct rnd_state *state, void *buf, size_t bytes)")
def prandom_bytes_state(kernel: Kernel, state: StructView, buf: int, bytes: int) -> None:
    data = b"".join(_prandom(state).to_bytes(4, "little") for _ in range(-(-bytes // 4)))
    if bytes:
        kernel.memory.write(buf, data[:bytes])
