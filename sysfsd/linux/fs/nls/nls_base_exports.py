"""Character sets of file systems."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import Registrations

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("fs/nls/nls_base.c")


# Character sets


@export("int __register_nls(struct nls_table *nls, struct module *owner)")
def __register_nls(kernel: Kernel, nls: StructView, owner: StructView) -> int:
    if nls["next"]:
        raise err(errno.EBUSY)
    registered = kernel.state(Registrations)
    last = list(registered.items("nls").values())[-1:]
    nls["owner"] = owner.address
    registered.add("nls", nls.address, nls.address, errno.EBUSY)
    for before in last:
        nls["next"] = before
    return 0


@export("int unregister_nls(struct nls_table *nls)")
def unregister_nls(kernel: Kernel, nls: StructView) -> int:
    registered = kernel.state(Registrations)
    if not registered.remove("nls", nls.address):
        raise err(errno.EINVAL)
    for address in registered.items("nls").values():
        other = kernel.struct("nls_table", address)
        if other["next"] == nls.address:
            other["next"] = nls["next"]
    return 0


def _find_nls(kernel: Kernel, charset: bytes) -> StructView | None:
    for address in reversed(kernel.state(Registrations).items("nls").values()):
        nls = kernel.struct("nls_table", address)
        if charset in (nls.string("charset"), nls.string("alias") if nls["alias"] else None):
            owner = kernel.modules.address(nls["owner"])
            return nls if owner is None or owner.try_module_get() else None
    return None


@export("struct nls_table *load_nls(const char *charset)")
def load_nls(kernel: Kernel, charset: bytes) -> StructView | None:
    found = _find_nls(kernel, charset)
    if found is None:
        kernel.request_module(f"nls_{charset.decode('latin-1')}", wait=True)
        found = _find_nls(kernel, charset)
    return found


@export("void unload_nls(struct nls_table *nls)")
def unload_nls(kernel: Kernel, nls: StructView) -> None:
    owner = kernel.modules.address(nls["owner"]) if nls.address else None
    if owner is not None:
        owner.module_put()
