"""I2C adapters, and the chips behind them (tests/modules/i2c_chips.c)."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from sysfsd.fs.kernfs import Tree
from sysfsd.linux.system import Kernel
from tests.fs.user import names, read, write
from tests.linux.state import log

Load = Callable[..., None]
BUS = "/sys/bus/i2c/devices"
ADAPTER = "/sys/devices/i2c-0"


def test_a_chip_is_found_and_asked(kernel: Kernel, files: Tree, load: Load) -> None:
    load("i2c_chips")
    assert names(files, BUS) == {"i2c-0", "0-0050"}
    assert read(files, f"{ADAPTER}/0-0050/modalias") == b"i2c:chip\n"
    said = log(kernel)
    assert "transfer 2: abc" in said
    assert "block 3: xyz" in said
    assert "chip 0-0050: chip, 1, irq 0" in said


def test_all_goes_with_the_module(kernel: Kernel, files: Tree, load: Load) -> None:
    load("i2c_chips")
    assert write(files, f"{ADAPTER}/new_device", b"chip 0x51\n") is None
    kernel.delete_module("i2c_chips")
    assert names(files, BUS) == set()
    assert names(files, "/sys/class/i2c-adapter") == set()
    load("i2c_chips")
    assert names(files, BUS) == {"i2c-0", "0-0050"}


def test_an_adapter_that_speaks_smbus_is_asked_so(kernel: Kernel, load: Load) -> None:
    load("i2c_chips", "smbus=1 numbered=1")
    said = log(kernel)
    assert "adapter 7" in said
    assert "byte data 90, write 0" in said
    # What it cannot do is done in messages.
    assert "  write 0 of 1: addr 50 flags 0 len 3" in said


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (b"chip", errno.EINVAL),
        (b"chip x", errno.EINVAL),
        (b"chip 0x51 more", errno.EINVAL),
        (b"chip 0x80", errno.EINVAL),
        (b"chip 0x50", errno.EBUSY),
        (b"chip 0xa123", None),
    ],
)
def test_what_users_ask_for(files: Tree, load: Load, text: bytes, number: int | None) -> None:
    load("i2c_chips")
    assert write(files, f"{ADAPTER}/new_device", text + b"\n") == number
    assert write(files, f"{ADAPTER}/delete_device", b"0x50\n") == errno.ENOENT
