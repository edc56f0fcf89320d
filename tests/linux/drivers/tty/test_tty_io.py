"""Terminals of modules: drivers/tty/tty_io.c, tty_port.c, tty_ioctl.c, n_tty.c."""

from __future__ import annotations

import errno
import os
import stat
import struct
import time
from collections.abc import Callable

import pytest

from sysfsd.fs.tree import tree
from sysfsd.linux.drivers.base.devtmpfs import Devtmpfs
from sysfsd.linux.drivers.tty.tty_baudrate import baud_rate, encode_baud_rate
from sysfsd.linux.drivers.tty.tty_io import Ttys
from sysfsd.linux.fs.char_dev import DeviceNumbers
from sysfsd.linux.fs.vfs import File, Inode, chrdev_open
from sysfsd.linux.kernel.params import store_param
from sysfsd.linux.mm.uaccess import UserBuffers
from sysfsd.linux.system import Kernel
from tests.conftest import refusal, wait_until

TCGETS, TCSETS, TIOCGWINSZ, FIONREAD = 0x5401, 0x5402, 0x5413, 0x541B
ICANON, ECHO = 2, 8


class Lines:
    """The module ``tty_lines``."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._seen = len(list(kernel.log.records()))

    def open(self, flags: int = os.O_RDWR | os.O_NONBLOCK) -> File:
        node = self.kernel.state(Devtmpfs).nodes["ttyLN0"]
        inode = Inode(self.kernel, "ttyLN0", stat.S_IFCHR | node.mode, node.devt)
        try:
            return File(self.kernel, inode, flags).open(chrdev_open)
        finally:
            inode.put()

    def set(self, name: str, value: str) -> None:
        mod = self.kernel.modules.find("tty_lines")
        assert mod is not None
        with self.kernel.lock:
            store_param(self.kernel, next(kp for kp in mod.kp if kp.name == name), value.encode())

    def receive(self, how: str, text: str) -> None:
        """Have the first line receive something."""
        self.set("receive", f"0 {how} {text}")

    def said(self) -> list[str]:
        """What the driver has said since somebody asked."""
        records = list(self.kernel.log.records())
        new, self._seen = records[self._seen :], len(records)
        return [record.text.decode("latin-1").removeprefix("tty_lines: ") for record in new]

    def termios(self, file: File, change: Callable[[list[int]], None]) -> None:
        buffers = UserBuffers()
        place = buffers.map(size=36)
        assert file.ioctl(TCGETS, place, buffers) == 0
        flags = list(struct.unpack("<4I", buffers.read(place, 16)))
        change(flags)
        buffers.write(place, struct.pack("<4I", *flags))
        assert file.ioctl(TCSETS, place, buffers) == 0


@pytest.fixture
def lines(kernel: Kernel, load: Callable[..., None]) -> Lines:
    load("tty_lines")
    return Lines(kernel)


def available(file: File) -> int:
    """How much there is to be read, a moment from now."""
    time.sleep(0.01)
    buffers = UserBuffers()
    place = buffers.map(size=4)
    assert file.ioctl(FIONREAD, place, buffers) == 0
    return int.from_bytes(buffers.read(place, 4), "little")


def test_a_driver_is_listed_while_it_is_there(kernel: Kernel, lines: Lines) -> None:
    assert b"ttyLN" in kernel.state(DeviceNumbers).devices()
    assert b"\nlines                /dev/ttyLN    " in kernel.state(Ttys).proc_drivers()
    assert set(kernel.state(Devtmpfs).nodes) >= {"ttyLN0", "ttyLN1"}
    files = tree(kernel)
    assert files.lookup("/proc/tty/driver/lines").mode == 0o444
    kernel.delete_module("tty_lines")
    assert b"lines" not in kernel.state(Ttys).proc_drivers()
    assert b"ttyLN" not in kernel.state(DeviceNumbers).devices()
    assert "ttyLN0" not in kernel.state(Devtmpfs).nodes
    with refusal(errno.ENOENT):
        files.lookup("/proc/tty/driver/lines")


def test_output_is_made_to_be_seen(lines: Lines) -> None:
    file = lines.open()
    lines.said()
    assert file.write(b"a\tb\n") == 4
    assert lines.said() == ["write 1: a", "write 1: \\t", "write 1: b", "write 2: \\r\\n"]
    lines.termios(file, lambda flags: flags.__setitem__(1, 0))
    lines.said()
    assert file.write(b"a\tb\n") == 4
    assert lines.said() == ["write 4: a\\tb\\n"]
    file.release()


def test_only_lines_can_be_read(lines: Lines) -> None:
    file = lines.open()
    lines.receive("c", "ab")
    with refusal(errno.EAGAIN):
        file.read(10)
    lines.receive("p", "c\\nde\\nf")
    wait_until(lambda: available(file) == 7)
    assert file.read(2) == b"ab"
    assert file.read(10) == b"c\n"
    assert file.read(10) == b"de\n"
    with refusal(errno.EAGAIN):
        file.read(10)
    file.release()


def test_what_is_typed_can_be_taken_back(lines: Lines) -> None:
    file = lines.open()
    lines.receive("s", "one\\x20two\\027x\\177\\177ab\\025yes\\n")
    wait_until(lambda: available(file) > 0)
    assert file.read(100) == b"yes\n"
    file.release()


def test_the_end_of_input_is_no_character(lines: Lines) -> None:
    file = lines.open()
    lines.receive("s", "ab\\004\\004")
    wait_until(lambda: available(file) > 0)
    assert file.read(100) == b"ab"
    assert file.read(100) == b""
    file.release()


def test_what_is_not_for_people_comes_as_it_is(lines: Lines) -> None:
    file = lines.open()
    lines.termios(file, lambda flags: flags.__setitem__(slice(None), [0, 0, flags[2], 0]))
    lines.said()
    lines.receive("s", "\\003\\004\\r")
    wait_until(lambda: available(file) == 3)
    assert file.read(100) == b"\x03\x04\r"
    assert lines.said() == ["inserted 3"]  # nothing is echoed
    file.release()


def test_who_sends_too_much_is_stopped(lines: Lines) -> None:
    file = lines.open()
    lines.termios(file, lambda flags: flags.__setitem__(3, flags[3] & ~(ICANON | ECHO)))
    lines.said()
    lines.receive("m", "ab")
    wait_until(lambda: lines.said() == ["throttle"])
    assert available(file) == 4095
    assert len(file.read(5000)) == 4095
    assert lines.said() == ["unthrottle"]
    wait_until(lambda: available(file) == 905)
    file.release()


def test_a_line_that_is_hung_up_is_of_no_use_until_it_is_opened_again(lines: Lines) -> None:
    file = lines.open()
    lines.said()
    lines.receive("h", "x")
    assert lines.said() == ["flush_buffer", "hangup", "dtr_rts 0", "shutdown 0"]
    assert file.read(10) == b""
    with refusal(errno.EIO):
        file.write(b"x")
    with refusal(errno.EIO):
        file.ioctl(TIOCGWINSZ, 0, UserBuffers())
    file.release()
    again = lines.open()
    assert again.write(b"x") == 1
    again.release()


def test_a_driver_may_refuse(kernel: Kernel, lines: Lines) -> None:
    lines.set("refuse", "-16")
    with refusal(errno.EBUSY):
        lines.open()
    mod = kernel.modules.find("tty_lines")
    assert mod is not None and mod.refcount == 0


def test_an_open_line_holds_its_module_twice(kernel: Kernel, lines: Lines) -> None:
    mod = kernel.modules.find("tty_lines")
    assert mod is not None
    file, other = lines.open(), lines.open()
    assert mod.refcount == 3  # each file the device, both the terminal
    file.release()
    other.release()
    assert mod.refcount == 0


def test_an_ioctl_is_the_drivers_the_terminals_or_the_disciplines(lines: Lines) -> None:
    file = lines.open()
    buffers = UserBuffers()
    assert file.ioctl(0x6C01, 5, buffers) == 7
    with refusal(errno.ENOTTY):
        file.ioctl(0x6C02, 5, buffers)
    with refusal(errno.EFAULT):
        file.ioctl(TCGETS, 0, buffers)
    file.release()


@pytest.mark.parametrize("rate", [0, 9600, 38400, 115200, 4000000, 12345])
def test_speeds_have_codes(kernel: Kernel, rate: int) -> None:
    termios = kernel.struct("ktermios", kernel.slab.kmalloc(44))
    encode_baud_rate(termios, rate, rate)
    assert baud_rate(termios) == rate
