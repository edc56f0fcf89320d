"""Flip buffers: what a driver has received, on its way to the line discipline."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.tty.tty_io_exports import ttys
from sysfsd.linux.err import err
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/tty/tty_buffer.c")

_MIN_TTYB_SIZE: Final = 256


# Characters that drivers receive


@export("int __tty_insert_flip_char(struct tty_port *port, unsigned char ch, char flag)")
def __tty_insert_flip_char(kernel: Kernel, port: StructView, ch: int, flag: int) -> int:
    return ttys(kernel).buffers.insert(port.address, bytes((ch,)), bytes((flag & 0xFF,)))


@export(
    "int tty_insert_flip_string_fixed_flag(struct tty_port *port, const unsigned char *chars, char flag, size_t size)"
)
def tty_insert_flip_string_fixed_flag(kernel: Kernel, port: StructView, chars: int, flag: int, size: int) -> int:
    data = kernel.memory.read(chars, size) if size else b""
    return ttys(kernel).buffers.insert(port.address, data, bytes((flag & 0xFF,)) * size)


@export(
    "int tty_insert_flip_string_flags(struct tty_port *port, const unsigned char *chars, const char *flags,"
    " size_t size)"
)
def tty_insert_flip_string_flags(kernel: Kernel, port: StructView, chars: int, flags: bytes, size: int) -> int:
    data = kernel.memory.read(chars, size) if size else b""
    return ttys(kernel).buffers.insert(port.address, data, (flags or b"").ljust(size, b"\0")[:size])


@export("int tty_prepare_flip_string(struct tty_port *port, unsigned char **chars, size_t size)")
def tty_prepare_flip_string(kernel: Kernel, port: StructView, chars: int, size: int) -> int:
    address, count = ttys(kernel).buffers.prepare(port.address, size)
    if count:
        kernel.memory.write_pointer(chars, address)
    return count


@export("int tty_buffer_request_room(struct tty_port *port, size_t size)")
def tty_buffer_request_room(kernel: Kernel, port: StructView, size: int) -> int:
    return min(size, ttys(kernel).buffers.room(port.address))


@export("unsigned int tty_buffer_space_avail(struct tty_port *port)")
def tty_buffer_space_avail(kernel: Kernel, port: StructView) -> int:
    return ttys(kernel).buffers.room(port.address)


@export("int tty_buffer_set_limit(struct tty_port *port, int limit)")
def tty_buffer_set_limit(kernel: Kernel, port: StructView, limit: int) -> int:
    if limit < _MIN_TTYB_SIZE:
        raise err(errno.EINVAL)
    port["buf.mem_limit"] = limit
    return 0


@export("void tty_flip_buffer_push(struct tty_port *port)")
def tty_flip_buffer_push(kernel: Kernel, port: StructView) -> None:
    ttys(kernel).buffers.push(port)
