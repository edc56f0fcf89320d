"""AES (FIPS 197), and CBC with it (lib/crypto/aes.c, crypto/cbc.c): for the few blocks that a module's test has."""

from __future__ import annotations

from typing import Final

__all__ = ["BLOCK", "Aes"]

#: Bytes of a block.
BLOCK: Final = 16
_ROUNDS: Final = {16: 10, 24: 12, 32: 14}


def _xtime(value: int) -> int:
    """The product with x in GF(2^8)."""
    return (value << 1) ^ (0x11B if value & 0x80 else 0)


def _product(a: int, b: int) -> int:
    result = 0
    while b:
        if b & 1:
            result ^= a
        a, b = _xtime(a), b >> 1
    return result


def _sbox() -> bytes:
    """What SubBytes() makes of each byte: its inverse, and then an affine transformation."""
    inverse = [0] * 256
    for value in range(1, 256):
        inverse[value] = next(other for other in range(1, 256) if _product(value, other) == 1)
    table = bytearray()
    for value in inverse:
        doubled = value << 8 | value
        table.append((value ^ doubled >> 7 ^ doubled >> 6 ^ doubled >> 5 ^ doubled >> 4) & 0xFF ^ 0x63)
    return bytes(table)


class _Tables:
    """Made when the first key is set."""

    def __init__(self) -> None:
        self.sbox = _sbox()
        inverse = bytearray(256)
        for value, there in enumerate(self.sbox):
            inverse[there] = value
        self.inverse = bytes(inverse)
        self.times = {factor: [_product(value, factor) for value in range(256)] for factor in (1, 2, 3, 9, 11, 13, 14)}


def _xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


class Aes:
    """A key.

    :raises ValueError: it has not 16, 24 or 32 bytes
    """

    _tables: _Tables | None = None

    def __init__(self, key: bytes) -> None:
        if len(key) not in _ROUNDS:
            raise ValueError(len(key))
        if Aes._tables is None:
            Aes._tables = _Tables()
        self._t = Aes._tables
        self._round_keys = self._expand(key)

    def _expand(self, key: bytes) -> list[bytes]:
        """``KeyExpansion()``: a key for each round, and one before the first."""
        words, count, constant = [key[i : i + 4] for i in range(0, len(key), 4)], len(key) // 4, 1
        for index in range(count, 4 * (_ROUNDS[len(key)] + 1)):
            word = words[-1]
            if index % count == 0:
                word = word[1:] + word[:1]
                word = word.translate(self._t.sbox)
                word = bytes([word[0] ^ constant]) + word[1:]
                constant = _xtime(constant)
            elif count > 6 and index % count == 4:
                word = word.translate(self._t.sbox)
            words.append(_xor(words[-count], word))
        return [b"".join(words[i : i + 4]) for i in range(0, len(words), 4)]

    def _mix(self, state: bytes, factors: tuple[int, int, int, int]) -> bytes:
        """``MixColumns()``, or with other factors its inverse."""
        a, b, c, d = (self._t.times[factor] for factor in factors)
        mixed = bytearray()
        for column in range(0, BLOCK, 4):
            for row in range(4):
                s0, s1, s2, s3 = (state[column + (row + i) % 4] for i in range(4))
                mixed.append(a[s0] ^ b[s1] ^ c[s2] ^ d[s3])
        return bytes(mixed)

    def encrypt(self, block: bytes) -> bytes:
        """One block."""
        first, *rounds, last = self._round_keys
        state = _xor(block, first)
        for key in rounds:
            state = _xor(self._mix(self._shifted(state, 1), (2, 3, 1, 1)), key)
        return _xor(self._shifted(state, 1), last)

    def decrypt(self, block: bytes) -> bytes:
        """One block."""
        first, *rounds, last = self._round_keys
        state = self._shifted(_xor(block, last), -1)
        for key in reversed(rounds):
            state = self._shifted(self._mix(_xor(state, key), (14, 11, 13, 9)), -1)
        return _xor(state, first)

    def _shifted(self, state: bytes, direction: int) -> bytes:
        """``ShiftRows()`` and ``SubBytes()``, or the inverse of both."""
        shifted = bytes(state[(i + direction * 4 * (i % 4)) % BLOCK] for i in range(BLOCK))
        return shifted.translate(self._t.sbox if direction > 0 else self._t.inverse)

    def cbc_encrypt(self, data: bytes, iv: bytes) -> bytes:
        """Whole blocks, each mixed with the one before."""
        out = []
        for start in range(0, len(data), BLOCK):
            iv = self.encrypt(_xor(data[start : start + BLOCK], iv))
            out.append(iv)
        return b"".join(out)

    def cbc_decrypt(self, data: bytes, iv: bytes) -> bytes:
        """The same back."""
        blocks = [data[start : start + BLOCK] for start in range(0, len(data), BLOCK)]
        return b"".join(
            _xor(self.decrypt(block), before) for block, before in zip(blocks, [iv, *blocks[:-1]], strict=True)
        )
