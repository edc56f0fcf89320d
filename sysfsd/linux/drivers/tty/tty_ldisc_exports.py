"""Line disciplines."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.drivers.tty.tty_io_exports import open_tty, ttys
from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import registered

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/tty/tty_ldisc.c")

_NR_LDISCS = 30


# Line disciplines


@export("int tty_register_ldisc(struct tty_ldisc_ops *new_ldisc)")
def tty_register_ldisc(kernel: Kernel, new_ldisc: StructView) -> int:
    number = new_ldisc["num"]
    if not 0 <= number < _NR_LDISCS:
        raise err(errno.EINVAL)
    registered(kernel).remove_key("ldisc", number)
    registered(kernel).add("ldisc", number, new_ldisc.address)
    return 0


@export("void tty_unregister_ldisc(struct tty_ldisc_ops *ldisc)")
def tty_unregister_ldisc(kernel: Kernel, ldisc: StructView) -> None:
    registered(kernel).remove_key("ldisc", ldisc["num"])


@export("void tty_ldisc_flush(struct tty_struct *tty)")
def tty_ldisc_flush(kernel: Kernel, tty: StructView) -> None:
    known = open_tty(kernel, tty)
    if known is not None:
        ttys(kernel).buffers.flush_received(tty["port"])
        if known.discipline is not None:
            known.discipline.flush()
