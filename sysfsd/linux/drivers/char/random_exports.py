"""Random numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("drivers/char/random.c")


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
