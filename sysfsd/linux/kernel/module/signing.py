"""Signatures appended to a module (kernel/module/signing.c, kernel/module_signature.c).

A well-formed signature counts as a good one: the keys that a distribution signs with are not at hand, and what a signed
module may do here is no more than what an unsigned one may.
"""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

__all__ = ["MODULE_SIG_STRING", "module_sig_check"]

MODULE_SIG_STRING: Final = b"~Module signature appended~\n"
#: ``struct module_signature``: algo, hash, id_type, signer_len, key_id_len, __pad[3], sig_len (big endian).
_MODULE_SIGNATURE: Final = struct.Struct(">BBBBB3sI")
_PKEY_ID_PKCS7: Final = 2
#: The first bytes of a PKCS#7 SignedData object in DER: a SEQUENCE that holds the OID 1.2.840.113549.1.7.2.
_SIGNED_DATA_OID: Final = bytes.fromhex("06092a864886f70d010702")

_NOT_FATAL: Final = {
    errno.ENODATA: "unsigned module",
    errno.ENOPKG: "module with unsupported crypto",
    errno.ENOKEY: "module with unavailable key",
}


def _check_trailer(kernel: Kernel, image: bytes) -> int:
    """``mod_check_sig()`` and ``mod_verify_sig()``: the length of the module before its signature.

    :raises OSError: EBADMSG or ENOPKG
    """
    if len(image) <= _MODULE_SIGNATURE.size:
        raise err(errno.EBADMSG)
    algo, digest, id_type, signer_len, key_id_len, pad, sig_len = _MODULE_SIGNATURE.unpack(
        image[-_MODULE_SIGNATURE.size :]
    )
    if sig_len >= len(image) - _MODULE_SIGNATURE.size:
        raise err(errno.EBADMSG)
    if id_type != _PKEY_ID_PKCS7:
        kernel.log.pr_err("module: not signed with expected PKCS#7 message")
        raise err(errno.ENOPKG)
    if algo or digest or signer_len or key_id_len or any(pad):
        kernel.log.pr_err("module: PKCS#7 signature info has unexpected non-zero params")
        raise err(errno.EBADMSG)
    length: int = len(image) - _MODULE_SIGNATURE.size - sig_len
    signature = image[length : length + sig_len]
    if signature[:1] != b"\x30" or _SIGNED_DATA_OID not in signature[:20]:
        raise err(errno.EBADMSG)
    return length


def module_sig_check(kernel: Kernel, image: bytes, mangled: bool) -> tuple[bytes, bool]:
    """Take a signature off the image.

    :param mangled: whether the caller asks to ignore versions: such a module is not the one that was signed
    :returns: the image without its signature, and whether it had a good one
    :raises OSError: EBADMSG for a malformed signature, EKEYREJECTED where signatures are enforced
    """
    reason = errno.ENODATA
    if not mangled and len(image) > len(MODULE_SIG_STRING) and image.endswith(MODULE_SIG_STRING):
        image = image[: -len(MODULE_SIG_STRING)]
        try:
            return image[: _check_trailer(kernel, image)], True
        except OSError as error:
            reason = error.errno or errno.EBADMSG
            if reason not in _NOT_FATAL:
                raise
    if kernel.sig_enforce:
        kernel.log.pr_notice(f"Loading of {_NOT_FATAL[reason]} is rejected")
        raise err(errno.EKEYREJECTED)
    return image, False
