"""Cryptographic algorithms: who offers which, and transformations by name (crypto/api.c, algapi.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, NamedTuple

from sysfsd.linux.crypto.algorithms import BuiltinAlgorithms
from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.lib.list import INIT_LIST_HEAD
from sysfsd.linux.registrations import registered

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area(
    "crypto/shash.c",
    "crypto/ahash.c",
    "crypto/skcipher.c",
    "crypto/aead.c",
    "crypto/rng.c",
    "crypto/akcipher.c",
    "crypto/kpp.c",
    "crypto/acompress.c",
    "crypto/scompress.c",
    "crypto/algapi.c",
    "crypto/fips.c",
    "crypto/api.c",
)

_ALG_DEAD, _ALG_DYING, _ALG_TESTED = 0x20, 0x40, 0x400

_ALG_OPTIONAL_KEY = 0x4000

_TFM_NEED_KEY = 1

_TYPE_MASK = 0xF

_MAX_NAME = 128

_MAX_ALIGNMASK, _MAX_BLOCKSIZE = 63, 160

_MAX_DIGESTSIZE, _MAX_STATESIZE, _MAX_DESCSIZE = 64, 512, 360

_MSG_ALG_LOADED = 2


class _Kind(NamedTuple):
    """A kind of algorithm: its structure, the type number in the flags, and the kernel's name of the type."""

    struct: str
    type: int
    frontend: str


_KINDS = {
    "shash": _Kind("shash_alg", 0xE, "crypto_shash_type"),
    "ahash": _Kind("ahash_alg", 0xF, "crypto_ahash_type"),
    "skcipher": _Kind("skcipher_alg", 0x5, "crypto_skcipher_type"),
    "aead": _Kind("aead_alg", 0x3, "crypto_aead_type"),
    "rng": _Kind("rng_alg", 0xC, "crypto_rng_type"),
    "akcipher": _Kind("akcipher_alg", 0xD, "crypto_akcipher_type"),
    "kpp": _Kind("kpp_alg", 0x8, "crypto_kpp_type"),
    "acomp": _Kind("acomp_alg", 0xA, "crypto_acomp_type"),
    "scomp": _Kind("scomp_alg", 0xB, "crypto_scomp_type"),
}

#: What an algorithm of a kind calls its function for the end of a handle.
_EXITS = {"shash": "exit_tfm", "skcipher": "exit"}

#: The functions for many at once: what they are called.
_PLURALS = {
    "shash": "shashes",
    "ahash": "ahashes",
    "rng": "rngs",
    "skcipher": "skciphers",
    "aead": "aeads",
    "scomp": "scomps",
    "acomp": "acomps",
}


def _check(alg: StructView) -> None:
    """``crypto_check_alg()``.

    :raises OSError: EINVAL
    """
    name = alg.string("cra_name")
    if not alg.string("cra_driver_name"):
        driver = name + b"-generic"
        if len(driver) >= _MAX_NAME:
            raise err(errno.ENAMETOOLONG)
        alg["cra_driver_name"] = driver
    mask = alg["cra_alignmask"]
    if mask & (mask + 1) or mask > _MAX_ALIGNMASK or alg["cra_blocksize"] > _MAX_BLOCKSIZE or alg["cra_priority"] < 0:
        raise err(errno.EINVAL)
    if not name:
        raise err(errno.EINVAL)


def _register(kernel: Kernel, alg: StructView) -> None:
    """``crypto_register_alg()``.

    :raises OSError: EINVAL, ENAMETOOLONG, EEXIST
    """
    alg["cra_flags"] &= ~_ALG_DEAD
    _check(alg)
    name, driver = alg.string("cra_name"), alg.string("cra_driver_name")
    registrations = registered(kernel)
    for other in registrations.items("crypto_alg").values():
        there = kernel.struct("crypto_alg", other)
        drivers = there.string("cra_driver_name")
        if drivers in (name, driver) or there.string("cra_name") == driver:
            raise err(errno.EEXIST)
    registrations.add("crypto_alg", alg.address, alg.address)
    alg["cra_refcnt.refs.counter"] = 1
    INIT_LIST_HEAD(kernel.memory, alg.at("cra_users"))
    alg["cra_flags"] |= _ALG_TESTED
    registrations.chain_call("crypto", _MSG_ALG_LOADED, alg.address)


def _unregister(kernel: Kernel, alg: StructView) -> None:
    """``crypto_unregister_alg()``."""
    if not registered(kernel).remove("crypto_alg", alg.address):
        name = alg.string("cra_driver_name").decode("latin-1")
        kernel.traps.warn_message(f"Algorithm {name} is not registered", "crypto/algapi.c", 477)
        return
    alg["cra_flags"] |= _ALG_DEAD
    if alg["cra_destroy"]:
        kernel.cpu.call(alg["cra_destroy"], alg.address)


def _prepare(kernel: Kernel, kind: str, alg: StructView) -> StructView:
    """What the type of an algorithm checks and fills in.

    :raises OSError: EINVAL
    """
    if kind == "shash":
        _prepare_shash(kernel, alg)
    elif kind == "ahash" and (
        not 0 < alg["halg.statesize"] <= _MAX_STATESIZE or alg["halg.digestsize"] > _MAX_DIGESTSIZE
    ):
        raise err(errno.EINVAL)
    elif kind == "skcipher":
        if max(alg["ivsize"], alg["chunksize"], alg["walksize"]) > 4096 // 8:
            raise err(errno.EINVAL)
        alg["chunksize"] = alg["chunksize"] or alg["base.cra_blocksize"]
        alg["walksize"] = alg["walksize"] or alg["chunksize"]
    elif kind == "aead":
        if max(alg["maxauthsize"], alg["ivsize"], alg["chunksize"]) > 4096 // 8:
            raise err(errno.EINVAL)
        alg["chunksize"] = alg["chunksize"] or alg["base.cra_blocksize"]
    elif kind == "rng" and alg["seedsize"] > 4096 // 8:
        raise err(errno.EINVAL)
    base = alg.sub("halg.base" if kind == "ahash" else "base")
    base["cra_type"] = kernel.kallsyms.address_of(_KINDS[kind].frontend) or 0
    base["cra_flags"] = base["cra_flags"] & ~_TYPE_MASK | _KINDS[kind].type
    return base


def _prepare_shash(kernel: Kernel, alg: StructView) -> None:
    """``shash_prepare_alg()``."""
    if (
        alg["digestsize"] > _MAX_DIGESTSIZE
        or alg["descsize"] > _MAX_DESCSIZE
        or alg["statesize"] > _MAX_STATESIZE
        or bool(alg["export"]) != bool(alg["import"])
    ):
        raise err(errno.EINVAL)
    if not alg["export"]:
        alg["statesize"] = alg["descsize"]
    for member, function in {
        "finup": "shash_finup_unaligned",
        "digest": "shash_digest_unaligned",
        "export": "shash_default_export",
        "import": "shash_default_import",
        "setkey": "shash_no_setkey",
    }.items():
        if not alg[member]:
            alg[member] = kernel.kallsyms.address_of(function) or 0


def _base(kind: str, alg: StructView) -> StructView:
    return alg.sub("halg.base" if kind == "ahash" else "base")


def _declare(kind: str, struct: str) -> None:
    @export(f"int crypto_register_{kind}(struct {struct} *alg)")
    def register(kernel: Kernel, alg: StructView) -> int:
        _register(kernel, _prepare(kernel, kind, alg))
        return 0

    @export(f"void crypto_unregister_{kind}(struct {struct} *alg)")
    def unregister(kernel: Kernel, alg: StructView) -> None:
        _unregister(kernel, _base(kind, alg))

    if kind not in _PLURALS:
        return

    @export(f"int crypto_register_{_PLURALS[kind]}(struct {struct} *algs, int count)")
    def register_all(kernel: Kernel, algs: StructView, count: int) -> int:
        for index in range(count):
            alg = kernel.struct(struct, algs.address + index * algs.struct.size)
            try:
                _register(kernel, _prepare(kernel, kind, alg))
            except OSError:
                for before in range(index - 1, -1, -1):
                    unregister(kernel, kernel.struct(struct, algs.address + before * algs.struct.size))
                raise
        return 0

    @export(f"void crypto_unregister_{_PLURALS[kind]}(struct {struct} *algs, int count)")
    def unregister_all(kernel: Kernel, algs: StructView, count: int) -> None:
        for index in range(count - 1, -1, -1):
            unregister(kernel, kernel.struct(struct, algs.address + index * algs.struct.size))


for _name, _kind in _KINDS.items():
    _declare(_name, _kind.struct)


@export("int crypto_register_alg(struct crypto_alg *alg)")
def crypto_register_alg(kernel: Kernel, alg: StructView) -> int:
    _register(kernel, alg)
    return 0


@export("void crypto_unregister_alg(struct crypto_alg *alg)")
def crypto_unregister_alg(kernel: Kernel, alg: StructView) -> None:
    _unregister(kernel, alg)


@export("int crypto_register_algs(struct crypto_alg *algs, int count)")
def crypto_register_algs(kernel: Kernel, algs: StructView, count: int) -> int:
    size = algs.struct.size
    for index in range(count):
        try:
            _register(kernel, kernel.struct("crypto_alg", algs.address + index * size))
        except OSError:
            for before in range(index - 1, -1, -1):
                _unregister(kernel, kernel.struct("crypto_alg", algs.address + before * size))
            raise
    return 0


@export("void crypto_unregister_algs(struct crypto_alg *algs, int count)")
def crypto_unregister_algs(kernel: Kernel, algs: StructView, count: int) -> None:
    for index in range(count):
        _unregister(kernel, kernel.struct("crypto_alg", algs.address + index * algs.struct.size))


# Templates


@export("int crypto_register_template(struct crypto_template *tmpl)")
def crypto_register_template(kernel: Kernel, tmpl: StructView) -> int:
    registered(kernel).add("crypto_template", tmpl.address, tmpl.address)
    return 0


@export("void crypto_unregister_template(struct crypto_template *tmpl)")
def crypto_unregister_template(kernel: Kernel, tmpl: StructView) -> None:
    if not registered(kernel).remove("crypto_template", tmpl.address):
        kernel.traps.bug_here("crypto/algapi.c", 573)


@export("int crypto_register_templates(struct crypto_template *tmpls, int count)")
def crypto_register_templates(kernel: Kernel, tmpls: StructView, count: int) -> int:
    size = tmpls.struct.size
    for index in range(count):
        try:
            crypto_register_template(kernel, kernel.struct("crypto_template", tmpls.address + index * size))
        except OSError:
            for before in range(index - 1, -1, -1):
                crypto_unregister_template(kernel, kernel.struct("crypto_template", tmpls.address + before * size))
            raise
    return 0


@export("void crypto_unregister_templates(struct crypto_template *tmpls, int count)")
def crypto_unregister_templates(kernel: Kernel, tmpls: StructView, count: int) -> None:
    for index in range(count - 1, -1, -1):
        where = tmpls.address + index * tmpls.struct.size
        crypto_unregister_template(kernel, kernel.struct("crypto_template", where))


@export("int crypto_register_notifier(struct notifier_block *nb)")
def crypto_register_notifier(kernel: Kernel, nb: StructView) -> int:
    registered(kernel).chain_register("crypto", nb.address)
    return 0


@export("int crypto_unregister_notifier(struct notifier_block *nb)")
def crypto_unregister_notifier(kernel: Kernel, nb: StructView) -> int:
    registered(kernel).chain_unregister("crypto", nb.address)
    return 0


export.data("int fips_enabled")


# Hashes


def _lookup(kernel: Kernel, name: bytes, type: int) -> StructView | None:
    """``__crypto_alg_lookup()``: the driver of that name, or of those that do it the one that is preferred."""
    best: StructView | None = None
    for address in [*registered(kernel).items("crypto_alg").values(), *kernel.state(BuiltinAlgorithms).algs]:
        alg = kernel.struct("crypto_alg", address)
        if alg["cra_flags"] & _TYPE_MASK != type or alg["cra_flags"] & (_ALG_DEAD | _ALG_DYING):
            continue
        if alg.string("cra_driver_name") == name:
            return alg
        if alg.string("cra_name") == name and (best is None or alg["cra_priority"] > best["cra_priority"]):
            best = alg
    return best


def _find(kernel: Kernel, name: bytes, kind: str) -> StructView:
    """``crypto_alg_mod_lookup()``: the algorithm, whose module is in use from now on.

    :raises OSError: ENOENT
    """
    base = _lookup(kernel, name, _KINDS[kind].type)
    if base is None:
        kernel.request_module(f"crypto-{name.decode('latin-1')}", True)
        base = _lookup(kernel, name, _KINDS[kind].type)
    if base is None:
        raise err(errno.ENOENT)
    owner = kernel.modules.address(base["cra_module"])
    if owner is not None and not owner.try_module_get():
        raise err(errno.ENOENT)
    return base


def _create(kernel: Kernel, base: StructView, tfm: StructView, *inits: tuple[int, int]) -> int:
    """``crypto_create_tfm()``: a handle of an algorithm, whose own functions have a say.

    :param inits: those, and what they are called with; 0: there is none
    :raises OSError: what they say
    """
    tfm["base.__crt_alg"], tfm["base.refcnt.refs.counter"] = base.address, 1
    base["cra_refcnt.refs.counter"] += 1
    for function, argument in (*inits, (base["cra_init"], tfm.at("base"))):
        ret = kernel.cpu.call(function, argument) if function else 0
        if ret:
            _put(kernel, base)
            kernel.slab.kfree(tfm.address)
            raise err(-ret)
    return tfm.address


def _own(kernel: Kernel, kind: str, base: StructView) -> StructView:
    """The structure of its kind that an algorithm's is in."""
    struct = _KINDS[kind].struct
    return kernel.struct(struct, kernel.image.structs.container_of(base.address, struct, "base"))


@export("struct crypto_shash *crypto_alloc_shash(const char *alg_name, u32 type, u32 mask)")
def crypto_alloc_shash(kernel: Kernel, alg_name: bytes, type: int, mask: int) -> int:
    base = _find(kernel, alg_name, "shash")
    alg, size = _own(kernel, "shash", base), kernel.image.structs["crypto_shash"].size
    hash_ = kernel.struct("crypto_shash", kernel.slab.kmalloc(size + base["cra_ctxsize"]))
    hash_["descsize"] = alg["descsize"]
    if _wants_key(kernel, alg):
        hash_["base.crt_flags"] |= _TFM_NEED_KEY
    return _create(kernel, base, hash_, (alg["init_tfm"], hash_.address))


def _wants_key(kernel: Kernel, alg: StructView) -> bool:
    """``crypto_shash_alg_needs_key()``."""
    optional = alg["base.cra_flags"] & _ALG_OPTIONAL_KEY
    return alg["setkey"] not in (0, kernel.kallsyms.address_of("shash_no_setkey")) and not optional


@export("int crypto_shash_setkey(struct crypto_shash *tfm, const u8 *key, unsigned int keylen)")
def crypto_shash_setkey(kernel: Kernel, tfm: StructView, key: int, keylen: int) -> int:
    alg = _own(kernel, "shash", tfm.sub("base").to("__crt_alg"))
    if alg["setkey"] in (0, kernel.kallsyms.address_of("shash_no_setkey")):
        raise err(errno.ENOSYS)
    return _set_key(kernel, alg["setkey"], tfm, key, keylen, _wants_key(kernel, alg))


def _set_key(kernel: Kernel, setkey: int, tfm: StructView, key: int, keylen: int, wanted: bool) -> int:
    """Have an algorithm take a key; what has none cannot be used."""
    ret = kernel.cpu.call(setkey, tfm.address, key, keylen)
    flags = tfm["base.crt_flags"] & ~_TFM_NEED_KEY
    tfm["base.crt_flags"] = flags | (_TFM_NEED_KEY if ret and wanted else 0)
    return ret


@export("struct crypto_skcipher *crypto_alloc_skcipher(const char *alg_name, u32 type, u32 mask)")
def crypto_alloc_skcipher(kernel: Kernel, alg_name: bytes, type: int, mask: int) -> int:
    base = _find(kernel, alg_name, "skcipher")
    alg, size = _own(kernel, "skcipher", base), kernel.image.structs["crypto_skcipher"].size
    cipher = kernel.struct("crypto_skcipher", kernel.slab.kmalloc(size + base["cra_ctxsize"]))
    if alg["max_keysize"]:
        cipher["base.crt_flags"] |= _TFM_NEED_KEY
    return _create(kernel, base, cipher, (alg["init"], cipher.address))


@export("int crypto_skcipher_setkey(struct crypto_skcipher *tfm, const u8 *key, unsigned int keylen)")
def crypto_skcipher_setkey(kernel: Kernel, tfm: StructView, key: int, keylen: int) -> int:
    alg = _own(kernel, "skcipher", tfm.sub("base").to("__crt_alg"))
    if not alg["min_keysize"] <= keylen <= alg["max_keysize"]:
        raise err(errno.EINVAL)
    return _set_key(kernel, alg["setkey"], tfm, key, keylen, bool(alg["max_keysize"]))


def _crypt(kernel: Kernel, req: StructView, function: str) -> int:
    tfm = req.sub("base").to("tfm")
    if tfm["crt_flags"] & _TFM_NEED_KEY:
        raise err(errno.ENOKEY)
    return kernel.cpu.call(_own(kernel, "skcipher", tfm.to("__crt_alg"))[function], req.address)


@export("int crypto_skcipher_encrypt(struct skcipher_request *req)")
def crypto_skcipher_encrypt(kernel: Kernel, req: StructView) -> int:
    return _crypt(kernel, req, "encrypt")


@export("int crypto_skcipher_decrypt(struct skcipher_request *req)")
def crypto_skcipher_decrypt(kernel: Kernel, req: StructView) -> int:
    return _crypt(kernel, req, "decrypt")


def _put(kernel: Kernel, base: StructView) -> None:
    base["cra_refcnt.refs.counter"] -= 1
    owner = kernel.modules.address(base["cra_module"])
    if owner is not None:
        owner.module_put()


@export("void crypto_destroy_tfm(void *mem, struct crypto_tfm *tfm)")
def crypto_destroy_tfm(kernel: Kernel, mem: int, tfm: StructView) -> None:
    if not 0 < mem < (1 << 64) - 4095:
        return
    base = tfm.to("__crt_alg")
    for kind, member in _EXITS.items():
        if base["cra_flags"] & _TYPE_MASK == _KINDS[kind].type and (exit_ := _own(kernel, kind, base)[member]):
            kernel.cpu.call(exit_, mem)
    if base["cra_exit"]:
        kernel.cpu.call(base["cra_exit"], tfm.address)
    _put(kernel, base)
    kernel.slab.kfree(mem)


def _alg(kernel: Kernel, desc: StructView) -> StructView:
    return _own(kernel, "shash", desc.to("tfm").sub("base").to("__crt_alg"))


@export("int crypto_shash_update(struct shash_desc *desc, const u8 *data, unsigned int len)")
def crypto_shash_update(kernel: Kernel, desc: StructView, data: int, len: int) -> int:
    return kernel.cpu.call(_alg(kernel, desc)["update"], desc.address, data, len)


@export("int crypto_shash_final(struct shash_desc *desc, u8 *out)")
def crypto_shash_final(kernel: Kernel, desc: StructView, out: int) -> int:
    return kernel.cpu.call(_alg(kernel, desc)["final"], desc.address, out)


@export("int crypto_shash_finup(struct shash_desc *desc, const u8 *data, unsigned int len, u8 *out)")
def crypto_shash_finup(kernel: Kernel, desc: StructView, data: int, len: int, out: int) -> int:
    finup = _alg(kernel, desc)["finup"]
    if kernel.modules.address(finup) is not None:
        return kernel.cpu.call(finup, desc.address, data, len, out)
    return int(crypto_shash_update(kernel, desc, data, len) or crypto_shash_final(kernel, desc, out))


@export("int crypto_shash_digest(struct shash_desc *desc, const u8 *data, unsigned int len, u8 *out)")
def crypto_shash_digest(kernel: Kernel, desc: StructView, data: int, len: int, out: int) -> int:
    if desc.to("tfm")["base.crt_flags"] & _TFM_NEED_KEY:
        raise err(errno.ENOKEY)
    alg = _alg(kernel, desc)
    if kernel.modules.address(alg["digest"]) is not None:
        return kernel.cpu.call(alg["digest"], desc.address, data, len, out)
    return int(kernel.cpu.call(alg["init"], desc.address) or crypto_shash_finup(kernel, desc, data, len, out))


@export("void crypto_init_queue(struct crypto_queue *queue, unsigned int max_qlen)")
def crypto_init_queue(kernel: Kernel, queue: StructView, max_qlen: int) -> None:
    INIT_LIST_HEAD(kernel.memory, queue.at("list"))
    queue["backlog"], queue["qlen"], queue["max_qlen"] = queue.at("list"), 0, max_qlen
