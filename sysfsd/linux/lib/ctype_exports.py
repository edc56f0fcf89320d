"""Tables of characters and bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

export = Area("lib/ctype.c", "lib/bitrev.c")

# The bits of include/linux/ctype.h.
_U, _L, _D, _C, _P, _S, _X, _SP = (1 << bit for bit in range(8))

#: What the characters in a range are.
_RANGES: Final = (
    (0x00, 0x1F, _C), (0x09, 0x0D, _S), (0x20, 0x20, _S | _SP), (0x21, 0x2F, _P), (0x30, 0x39, _D), (0x3A, 0x40, _P),
    (0x41, 0x5A, _U), (0x41, 0x46, _X), (0x5B, 0x60, _P), (0x61, 0x7A, _L), (0x61, 0x66, _X), (0x7B, 0x7E, _P),
    (0x7F, 0x7F, _C), (0xA0, 0xA0, _S | _SP), (0xA1, 0xBF, _P), (0xC0, 0xD6, _U), (0xD7, 0xD7, _P), (0xD8, 0xDE, _U),
    (0xDF, 0xF6, _L), (0xF7, 0xF7, _P), (0xF8, 0xFF, _L),
)  # fmt: skip

_CTYPE: Final = bytes(sum(bits for first, last, bits in _RANGES if first <= c <= last) for c in range(256))


def table_of(data: bytes) -> Callable[[Kernel, int], None]:
    """A table as the first value of a variable."""

    def put(kernel: Kernel, address: int) -> None:
        kernel.memory.write(address, data)

    return put


export.data("const unsigned char _ctype[256]", table_of(_CTYPE))

export.data("const u8 byte_rev_table[256]", table_of(bytes(int(f"{c:08b}"[::-1], 2) for c in range(256))))
