"""AES and CBC, by the examples of FIPS 197 and SP 800-38A."""

from __future__ import annotations

import pytest

from sysfsd.linux.lib.crypto.aes import BLOCK, Aes

PLAIN = bytes.fromhex("00112233445566778899aabbccddeeff")
VECTORS = {
    16: "69c4e0d86a7b0430d8cdb78070b4c55a",
    24: "dda97ca4864cdfe06eaf70a0ec0d7191",
    32: "8ea2b7ca516745bfeafc49904b496089",
}


@pytest.mark.parametrize(("size", "cipher"), VECTORS.items())
def test_a_block_and_back(size: int, cipher: str) -> None:
    aes = Aes(bytes(range(size)))
    assert aes.encrypt(PLAIN).hex() == cipher
    assert aes.decrypt(bytes.fromhex(cipher)) == PLAIN


def test_cbc() -> None:
    aes = Aes(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"))
    iv = bytes(range(BLOCK))
    plain = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
    cipher = aes.cbc_encrypt(plain, iv)
    assert cipher.hex() == "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
    assert aes.cbc_decrypt(cipher, iv) == plain


def test_a_key_has_one_of_three_sizes() -> None:
    with pytest.raises(ValueError, match="20"):
        Aes(bytes(20))
