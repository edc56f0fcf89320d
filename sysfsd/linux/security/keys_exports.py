"""Types of keys (security/keys/key.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import Registrations

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("security/keys/key.c")

#: Types of keys that the kernel proper has.
_KEY_TYPES = (
    "keyring",
    "user",
    "logon",
    "big_key",
    "trusted",
    "encrypted",
    "asymmetric",
    "blacklist",
    ".request_key_auth",
)


@export("int register_key_type(struct key_type *ktype)")
def register_key_type(kernel: Kernel, ktype: StructView) -> int:
    name = ktype.string("name").decode("latin-1")
    if name in _KEY_TYPES:
        raise err(errno.EEXIST)
    kernel.state(Registrations).add("key_type", name, ktype.address)
    kernel.log.pr_notice(f"Key type {name} registered")
    return 0


@export("void unregister_key_type(struct key_type *ktype)")
def unregister_key_type(kernel: Kernel, ktype: StructView) -> None:
    if kernel.state(Registrations).remove("key_type", ktype.address):
        kernel.log.pr_notice(f"Key type {ktype.string('name').decode('latin-1')} unregistered")
