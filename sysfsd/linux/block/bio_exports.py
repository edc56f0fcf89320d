"""Block I/O as it is asked for: struct bio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.block.genhd_exports import disks
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("block/bio.c")


@export("void bio_endio(struct bio *bio)")
def bio_endio(kernel: Kernel, bio: StructView) -> None:
    disks(kernel).io.bio_endio(bio)
