"""The cryptographic algorithms that the kernel is built with, of which modules ask for hashes and ciphers by name.

Follows crypto/md5.c, sha1_generic.c, sha256_generic.c, hmac.c, cbc.c, aes_generic.c. What they compute is Python's own.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sysfsd.linux.err import err
from sysfsd.linux.lib.crypto.aes import BLOCK, Aes
from sysfsd.linux.lib.scatterlist_exports import sg_pieces

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = ["BuiltinAlgorithms"]

_PRIORITY: Final = 100
_ALG_TESTED: Final = 0x400
_TYPES: Final = {"shash_alg": 0xE, "skcipher_alg": 0x5}


class _Hash(NamedTuple):
    """A hash: its driver's name, the sizes of a block and of what it keeps meanwhile, and its functions."""

    driver: str
    blocksize: int
    descsize: int
    functions: tuple[str, str, str]


_SHA256: Final = ("crypto_sha256_update", "crypto_sha256_final")
_HASHES: Final = {
    "md5": _Hash("md5-generic", 64, 88, ("md5_init", "md5_update", "md5_final")),
    "sha1": _Hash("sha1-generic", 64, 96, ("sha1_base_init", "crypto_sha1_update", "sha1_final")),
    "sha224": _Hash("sha224-generic", 64, 104, ("sha224_base_init", *_SHA256)),
    "sha256": _Hash("sha256-generic", 64, 104, ("sha256_base_init", *_SHA256)),
}
_HMAC: Final = ("hmac_init", "hmac_update", "hmac_final")
_HMAC_KEY: Final = "int hmac_setkey(struct crypto_shash *parent, const u8 *inkey, unsigned int keylen)"


class BuiltinAlgorithms:
    """Those of one kernel, as it has registered them."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        #: By the address of a descriptor: what has been hashed so far; by that of a handle: the key.
        self._hashed: dict[int, Any] = {}
        self._keys: dict[int, bytes] = {}
        self._ciphers: dict[int, Aes] = {}

    @cached_property
    def algs(self) -> list[int]:
        """The addresses of their ``struct crypto_alg``."""
        hashes = [self._hash(name, known) for name, known in _HASHES.items()]
        macs = [
            self._hash(
                f"hmac({name})",
                known._replace(driver=f"hmac({known.driver})", descsize=known.descsize + 8, functions=_HMAC),
            )
            for name, known in _HASHES.items()
        ]
        return [*hashes, *macs, self._cbc()]

    # Hashes

    def _hash(self, name: str, known: _Hash) -> int:
        init, update, final = known.functions
        internal = self._kernel.exports.internal
        alg = self._alg("shash_alg", name, known.driver, known.blocksize)
        alg["init"] = internal(f"int {init}(struct shash_desc *desc)", self._init)
        alg["update"] = internal(
            f"int {update}(struct shash_desc *desc, const u8 *data, unsigned int len)", self._update
        )
        alg["final"] = internal(f"int {final}(struct shash_desc *desc, u8 *out)", self._final)
        alg["descsize"] = known.descsize
        alg["digestsize"] = hashlib.new(name.removeprefix("hmac(").rstrip(")")).digest_size
        if name.startswith("hmac("):
            alg["setkey"] = internal(_HMAC_KEY, self._hmac_setkey)
        return alg.at("base")

    def _name(self, desc: StructView) -> str:
        """Which hash a descriptor is for."""
        alg = self._kernel.struct("crypto_alg", desc.to("tfm")["base.__crt_alg"])
        return alg.string("cra_name").decode("latin-1")

    def _init(self, kernel: Kernel, desc: StructView) -> int:
        name = self._name(desc)
        if name.startswith("hmac("):
            key = self._keys.get(desc["tfm"], b"")
            self._hashed[desc.address] = hmac.new(key, digestmod=name[len("hmac(") : -1])
        else:
            self._hashed[desc.address] = hashlib.new(name)
        return 0

    def _update(self, kernel: Kernel, desc: StructView, data: int, len: int) -> int:
        if desc.address not in self._hashed:
            self._init(kernel, desc)
        self._hashed[desc.address].update(kernel.memory.read(data, len))
        return 0

    def _final(self, kernel: Kernel, desc: StructView, out: int) -> int:
        if desc.address not in self._hashed:
            self._init(kernel, desc)
        kernel.memory.write(out, self._hashed.pop(desc.address).digest())
        return 0

    def _hmac_setkey(self, kernel: Kernel, parent: StructView, inkey: int, keylen: int) -> int:
        self._keys[parent.address] = kernel.memory.read(inkey, keylen)
        return 0

    # Ciphers

    def _cbc(self) -> int:
        internal = self._kernel.exports.internal
        alg = self._alg("skcipher_alg", "cbc(aes)", "cbc(aes-generic)", BLOCK)
        alg["min_keysize"], alg["max_keysize"], alg["ivsize"] = 16, 32, BLOCK
        alg["chunksize"] = alg["walksize"] = BLOCK
        alg["setkey"] = internal(
            "int skcipher_setkey_simple(struct crypto_skcipher *tfm, const u8 *key, unsigned int keylen)", self._setkey
        )
        alg["encrypt"] = internal("int crypto_cbc_encrypt(struct skcipher_request *req)", self._encrypt)
        alg["decrypt"] = internal("int crypto_cbc_decrypt(struct skcipher_request *req)", self._decrypt)
        return alg.at("base")

    def _setkey(self, kernel: Kernel, tfm: StructView, key: int, keylen: int) -> int:
        try:
            self._ciphers[tfm.address] = Aes(kernel.memory.read(key, keylen))
        except ValueError:
            raise err(errno.EINVAL) from None
        return 0

    def _encrypt(self, kernel: Kernel, req: StructView) -> int:
        return self._crypt(req, Aes.cbc_encrypt, lambda source, result: result)

    def _decrypt(self, kernel: Kernel, req: StructView) -> int:
        return self._crypt(req, Aes.cbc_decrypt, lambda source, result: source)

    def _crypt(
        self, req: StructView, crypt: Callable[[Aes, bytes, bytes], bytes], last: Callable[[bytes, bytes], bytes]
    ) -> int:
        """Carry a request out, and leave its last block of cipher text for the next one.

        :raises OSError: EINVAL
        """
        memory, size = self._kernel.memory, req["cryptlen"]
        if size % BLOCK:
            raise err(errno.EINVAL)
        if not size:
            return 0
        places = {end: sg_pieces(self._kernel, req[end], size) for end in ("src", "dst")}
        source = b"".join(memory.read(address, length) for address, length in places["src"])
        tfm = self._kernel.image.structs.container_of(req["base.tfm"], "crypto_skcipher", "base")
        result = crypt(self._ciphers[tfm], source, memory.read(req["iv"], BLOCK))
        done = 0
        for address, length in places["dst"]:
            memory.write(address, result[done : done + length])
            done += length
        memory.write(req["iv"], last(source, result)[-BLOCK:])
        return 0

    def _alg(self, struct: str, name: str, driver: str, blocksize: int) -> StructView:
        """An algorithm's structure, with what all have."""
        kernel = self._kernel
        alg = kernel.struct(struct, kernel.slab.kmalloc(kernel.image.structs[struct].size))
        base = alg.sub("base")
        base["cra_name"], base["cra_driver_name"] = name.encode(), driver.encode()
        base["cra_blocksize"], base["cra_priority"] = blocksize, _PRIORITY
        base["cra_flags"], base["cra_refcnt.refs.counter"] = _TYPES[struct] | _ALG_TESTED, 1
        return alg
