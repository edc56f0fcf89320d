"""Pseudo-random numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("lib/random32.c")

_U32: Final = (1 << 32) - 1


# A generator whose state is the caller's: four combined shift registers.

#: How each register moves: the shift in, the shift out, the bits kept, the shift of those.
_TAUSWORTHE: Final = {
    "s1": (6, 13, 0xFFFFFFFE, 18),
    "s2": (2, 27, 0xFFFFFFF8, 2),
    "s3": (13, 21, 0xFFFFFFF0, 7),
    "s4": (3, 12, 0xFFFFFF80, 13),
}


def _prandom(state: StructView) -> int:
    result = 0
    for name, (mix, out, keep, up) in _TAUSWORTHE.items():
        s = state[name]
        s = (s & keep) << up & _U32 ^ (s << mix & _U32 ^ s) >> out
        state[name] = s
        result ^= s
    return result


@export("u32 prandom_u32_state(struct rnd_state *state)")
def prandom_u32_state(kernel: Kernel, state: StructView) -> int:
    return _prandom(state)


@export("void prandom_bytes_state(struct rnd_state *state, void *buf, size_t bytes)")
def prandom_bytes_state(kernel: Kernel, state: StructView, buf: int, bytes: int) -> None:
    data = b"".join(_prandom(state).to_bytes(4, "little") for _ in range(-(-bytes // 4)))
    if bytes:
        kernel.memory.write(buf, data[:bytes])
