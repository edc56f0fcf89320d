"""IPsec: types of transformations, managers of keys, input."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.net.ipv4.xfrm4_protocol_exports import AF_INET, AF_INET6, IPPROTO_ESP
from sysfsd.linux.registrations import declare_hook, registered

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("net/xfrm/xfrm_state.c", "net/xfrm/xfrm_policy.c", "net/xfrm/xfrm_input.c")


_XFRM_PROTOCOLS = (108, 51, 50, 4, 60, 43, 41)


@export("int xfrm_register_type(const struct xfrm_type *type, unsigned short family)")
def xfrm_register_type(kernel: Kernel, type: StructView, family: int) -> int:
    if family not in (AF_INET, AF_INET6):
        raise err(errno.EAFNOSUPPORT)
    if type["proto"] not in _XFRM_PROTOCOLS:
        kernel.traps.warn_here("net/xfrm/xfrm_state.c", 253)
        raise err(errno.EPROTONOSUPPORT)
    registered(kernel).add("xfrm_type", (family, type["proto"]), type.address)
    return 0


@export("void xfrm_unregister_type(const struct xfrm_type *type, unsigned short family)")
def xfrm_unregister_type(kernel: Kernel, type: StructView, family: int) -> None:
    registered(kernel).remove("xfrm_type", type.address)


declare_hook(export, "void xfrm_if_register_cb(const struct xfrm_if_cb *ifcb)", "xfrm_if")


@export("void xfrm_if_unregister_cb(void)")
def xfrm_if_unregister_cb(kernel: Kernel) -> None:
    registered(kernel).remove_key("hook", "xfrm_if")


@export("int xfrm_register_type_offload(const struct xfrm_type_offload *type, unsigned short family)")
def xfrm_register_type_offload(kernel: Kernel, type: StructView, family: int) -> int:
    if family not in (AF_INET, AF_INET6):
        raise err(errno.EAFNOSUPPORT)
    if type["proto"] != IPPROTO_ESP:
        kernel.traps.warn_here("net/xfrm/xfrm_state.c", 381)
        raise err(errno.EPROTONOSUPPORT)
    registered(kernel).add("xfrm_type_offload", (family, type["proto"]), type.address)
    return 0


@export("void xfrm_unregister_type_offload(const struct xfrm_type_offload *type, unsigned short family)")
def xfrm_unregister_type_offload(kernel: Kernel, type: StructView, family: int) -> None:
    registered(kernel).remove("xfrm_type_offload", type.address)


@export("int xfrm_input_register_afinfo(const struct xfrm_input_afinfo *afinfo)")
def xfrm_input_register_afinfo(kernel: Kernel, afinfo: StructView) -> int:
    if afinfo["family"] > AF_INET6:
        raise err(errno.EAFNOSUPPORT)
    registered(kernel).add("xfrm_input_afinfo", (afinfo["is_ipip"], afinfo["family"]), afinfo.address)
    return 0


@export("int xfrm_input_unregister_afinfo(const struct xfrm_input_afinfo *afinfo)")
def xfrm_input_unregister_afinfo(kernel: Kernel, afinfo: StructView) -> int:
    key = (afinfo["is_ipip"], afinfo["family"])
    found = registered(kernel).find("xfrm_input_afinfo", key)
    if found is not None and found != afinfo.address:
        raise err(errno.EINVAL)
    registered(kernel).remove_key("xfrm_input_afinfo", key)
    return 0


@export("void xfrm_register_km(struct xfrm_mgr *km)")
def xfrm_register_km(kernel: Kernel, km: StructView) -> None:
    registered(kernel).add("xfrm_mgr", km.address, km.address)


@export("void xfrm_unregister_km(struct xfrm_mgr *km)")
def xfrm_unregister_km(kernel: Kernel, km: StructView) -> None:
    registered(kernel).remove("xfrm_mgr", km.address)
