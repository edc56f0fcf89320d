"""Clients of the DMA engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("drivers/dma/dmaengine.c")


@export("void dmaengine_get(void)", "void dmaengine_put(void)")
def dmaengine_get(kernel: Kernel) -> None:
    """There is no channel that somebody could hold."""
