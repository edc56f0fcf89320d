"""Transport protocols, and what socket diagnosis asks them."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.net.core.net_namespace_exports import NPROTO
from sysfsd.linux.registrations import registered

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("net/core/sock_diag.c", "net/core/sock.c", "net/core/sysctl_net_core.c")


@export("int sock_diag_register(const struct sock_diag_handler *hndl)")
def sock_diag_register(kernel: Kernel, hndl: StructView) -> int:
    if hndl["family"] >= NPROTO:
        raise err(errno.EINVAL)
    registered(kernel).add("sock_diag", hndl["family"], hndl.address, errno.EBUSY)
    return 0


@export("void sock_diag_unregister(const struct sock_diag_handler *hndl)")
def sock_diag_unregister(kernel: Kernel, hndl: StructView) -> None:
    registered(kernel).remove("sock_diag", hndl.address)


# Sockets


@export("int proto_register(struct proto *prot, int alloc_slab)")
def proto_register(kernel: Kernel, prot: StructView, alloc_slab: int) -> int:
    name = prot.string("name")
    if prot["memory_allocated"] and not prot["sysctl_mem"]:
        kernel.log.pr_err(f"proto_register: missing sysctl_mem for {name.decode('latin-1')}")
        raise err(errno.EINVAL)
    if alloc_slab:
        prot["slab"] = _socket_cache(kernel, name, prot["obj_size"])
        if prot["rsk_prot"]:
            rsk = prot.to("rsk_prot")
            rsk["slab_name"] = kernel.slab.string(b"request_sock_" + name)
            rsk["slab"] = _socket_cache(kernel, b"request_sock_" + name, rsk["obj_size"])
        if prot["twsk_prot"]:
            twsk = prot.to("twsk_prot")
            twsk["twsk_slab_name"] = kernel.slab.string(b"tw_sock_" + name)
            twsk["twsk_slab"] = _socket_cache(kernel, b"tw_sock_" + name, twsk["twsk_obj_size"])
    registered(kernel).add("proto", prot.address, prot.address)
    return 0


def _socket_cache(kernel: Kernel, name: bytes, size: int) -> int:
    address = kernel.slab.kmalloc(kernel.image.structs["kmem_cache"].size)
    kernel.slab.create(name.decode("latin-1"), size, 64, 0, address)
    view = kernel.struct("kmem_cache", address)
    view["object_size"], view["size"], view["name"] = size, size, kernel.slab.string(name)
    return address


@export("void proto_unregister(struct proto *prot)")
def proto_unregister(kernel: Kernel, prot: StructView) -> None:
    registered(kernel).remove("proto", prot.address)
    places = [(prot, "slab", "")]
    if prot["rsk_prot"]:
        places.append((prot.to("rsk_prot"), "slab", "slab_name"))
    if prot["twsk_prot"]:
        places.append((prot.to("twsk_prot"), "twsk_slab", "twsk_slab_name"))
    for view, slab, name in places:
        cache = kernel.slab.caches.get(view[slab])
        if cache is not None:
            kernel.slab.destroy(cache, lambda cache: None)
        view[slab] = 0
        if name:
            kernel.slab.kfree(view[name])
            view[name] = 0


export.data("int sysctl_fb_tunnels_only_for_init_net")

export.data("int sysctl_devconf_inherit_init_net")

export.data("u32 sysctl_wmem_max", 212992)

export.data("u32 sysctl_rmem_max", 212992)

export.data("int sysctl_optmem_max", 20480)


@export("void sock_diag_register_inet_compat(const struct sock_diag_inet_compat *ptr)")
def sock_diag_register_inet_compat(kernel: Kernel, ptr: StructView) -> None:
    registered(kernel).add("sock_diag_inet_compat", 0, ptr.address)


@export("void sock_diag_unregister_inet_compat(const struct sock_diag_inet_compat *ptr)")
def sock_diag_unregister_inet_compat(kernel: Kernel, ptr: StructView) -> None:
    registered(kernel).remove("sock_diag_inet_compat", ptr.address)
