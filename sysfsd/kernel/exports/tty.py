"""Terminals, of a machine whose only console nobody has opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.kernel.exports.registry import Area

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("tty", "drivers/tty/")

_MINOR_BITS: Final = 20

export.data("int fg_console")


def _vc_cons(kernel: Kernel, address: int) -> None:
    """There is the first, without a terminal."""
    size = kernel.image.structs["vc_data"].size
    kernel.memory.write_pointer(address, kernel.slab.kmalloc(size))


export.data("struct vc vc_cons[63]", _vc_cons)


@export("struct tty_struct *get_current_tty(void)")
def get_current_tty(kernel: Kernel) -> int:
    return 0


@export("dev_t tty_devnum(struct tty_struct *tty)")
def tty_devnum(kernel: Kernel, tty: StructView) -> int:
    driver = tty.to("driver")
    return (driver["major"] << _MINOR_BITS | driver["minor_start"]) + tty["index"]
