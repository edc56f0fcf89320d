"""How the kernel prints values (lib/vsprintf.c)."""

from __future__ import annotations

import hashlib
import os
from typing import Final

__all__ = ["ptr_to_hashval"]

_KEY: Final = os.urandom(16)


def ptr_to_hashval(pointer: int) -> str:
    """``%p``: a number that stands for the pointer as long as the kernel runs, and tells nothing about it."""
    digest = hashlib.blake2b(pointer.to_bytes(8, "little"), key=_KEY, digest_size=4).digest()
    return f"{int.from_bytes(digest, 'little'):016x}"
