"""What an allocation may do: the bits of gfp_t (include/linux/gfp_types.h)."""

from __future__ import annotations

from typing import Final

GFP_ZERO: Final = 0x100
GFP_DIRECT_RECLAIM: Final = 0x400
GFP_NOWARN: Final = 0x2000
GFP_COMP: Final = 0x40000
GFP_KERNEL: Final = 0xCC0
