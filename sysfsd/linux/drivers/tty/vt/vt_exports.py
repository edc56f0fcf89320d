"""Virtual consoles, of a machine whose only console nobody has opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("drivers/tty/vt/vt.c")

export.data("int fg_console")


def _vc_cons(kernel: Kernel, address: int) -> None:
    """There is the first, without a terminal."""
    size = kernel.image.structs["vc_data"].size
    kernel.memory.write_pointer(address, kernel.slab.kmalloc(size))


export.data("struct vc vc_cons[63]", _vc_cons)
