"""Settings of terminals: termios, speeds, flow control, waiting for output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.drivers.tty.tty_baudrate import baud_rate, encode_baud_rate, input_baud_rate
from sysfsd.linux.drivers.tty.tty_io_exports import (
    ADDRB,
    CLOCAL,
    CREAD,
    CSTOPB,
    HUPCL,
    PARENB,
    declare_question,
    open_tty,
    ttys,
)
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/tty/tty_ioctl.c", "drivers/tty/tty_baudrate.c")


declare_question(export, "tty_write_room", "unsigned int", lambda tty: tty.write_room() & 0xFFFFFFFF)

declare_question(export, "tty_chars_in_buffer", "unsigned int", lambda tty: tty.chars_in_buffer())


@export("void tty_driver_flush_buffer(struct tty_struct *tty)")
def tty_driver_flush_buffer(kernel: Kernel, tty: StructView) -> None:
    known = open_tty(kernel, tty)
    if known is not None:
        known.flush_driver()


@export("void tty_unthrottle(struct tty_struct *tty)")
def tty_unthrottle(kernel: Kernel, tty: StructView) -> None:
    known = open_tty(kernel, tty)
    if known is not None:
        known.unthrottle()


@export("void tty_wait_until_sent(struct tty_struct *tty, long timeout)")
def tty_wait_until_sent(kernel: Kernel, tty: StructView, timeout: int) -> None:
    known = open_tty(kernel, tty)
    if known is not None:
        ttys(kernel).ioctls.wait_until_sent(known, timeout)


@export("int tty_set_termios(struct tty_struct *tty, struct ktermios *new_termios)")
def tty_set_termios(kernel: Kernel, tty: StructView, new_termios: StructView) -> int:
    known = open_tty(kernel, tty)
    if known is not None:
        known.set_termios(kernel.memory.read(new_termios.address, new_termios.struct.size))
    return 0


# What a terminal is like


@export("unsigned int tty_termios_baud_rate(const struct ktermios *termios)")
def tty_termios_baud_rate(kernel: Kernel, termios: StructView) -> int:
    return baud_rate(termios)


@export("unsigned int tty_termios_input_baud_rate(const struct ktermios *termios)")
def tty_termios_input_baud_rate(kernel: Kernel, termios: StructView) -> int:
    return input_baud_rate(termios)


@export("void tty_termios_encode_baud_rate(struct ktermios *termios, unsigned int ibaud, unsigned int obaud)")
def tty_termios_encode_baud_rate(kernel: Kernel, termios: StructView, ibaud: int, obaud: int) -> None:
    encode_baud_rate(termios, ibaud, obaud)


@export("void tty_encode_baud_rate(struct tty_struct *tty, unsigned int ibaud, unsigned int obaud)")
def tty_encode_baud_rate(kernel: Kernel, tty: StructView, ibaud: int, obaud: int) -> None:
    encode_baud_rate(tty.sub("termios"), ibaud, obaud)


@export("void tty_termios_copy_hw(struct ktermios *new, const struct ktermios *old)")
def tty_termios_copy_hw(kernel: Kernel, new: StructView, old: StructView) -> None:
    ttys(kernel).copy_hw(new, old)


@export("int tty_termios_hw_change(const struct ktermios *a, const struct ktermios *b)")
def tty_termios_hw_change(kernel: Kernel, a: StructView, b: StructView) -> int:
    speeds = any(a[speed] != b[speed] for speed in ("c_ispeed", "c_ospeed"))
    return int(speeds or bool((a["c_cflag"] ^ b["c_cflag"]) & ~(HUPCL | CREAD | CLOCAL) & 0xFFFFFFFF))


@export("unsigned char tty_get_char_size(unsigned int cflag)")
def tty_get_char_size(kernel: Kernel, cflag: int) -> int:
    return 5 + (cflag >> 4 & 3)


@export("unsigned char tty_get_frame_size(unsigned int cflag)")
def tty_get_frame_size(kernel: Kernel, cflag: int) -> int:
    return 2 + 5 + (cflag >> 4 & 3) + sum(bool(cflag & flag) for flag in (CSTOPB, PARENB, ADDRB))
