"""Handlers of IPsec protocols, over IPv4."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import registered

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("net/ipv4/xfrm4_protocol.c")

AF_INET, AF_INET6 = 2, 10

IPPROTO_ESP, IPPROTO_AH, IPPROTO_COMP = 50, 51, 108

_MAX_LINKS = 32


# IPsec


def declare_xfrm_protocol(export: Area, family: int, struct: str, add_name: str, del_name: str) -> None:
    """Handlers of a protocol, chained by priority in the modules' own memory."""

    @export(f"int {add_name}(struct {struct} *handler, unsigned char protocol)")
    def add(kernel: Kernel, handler: StructView, protocol: int) -> int:
        if protocol not in (IPPROTO_ESP, IPPROTO_AH, IPPROTO_COMP):
            raise err(errno.EINVAL)
        registrations, key = registered(kernel), (family, protocol)
        first = registrations.find("xfrm_protocol", key) or 0
        before, at = 0, first
        for _ in range(_MAX_LINKS):
            if not at:
                break
            other = kernel.struct(struct, at)
            if other["priority"] == handler["priority"]:
                raise err(errno.EEXIST)
            if other["priority"] > handler["priority"]:
                break
            before, at = at, other["next"]
        handler["next"] = at
        if before:
            kernel.struct(struct, before)["next"] = handler.address
        else:
            registrations.remove_key("xfrm_protocol", key)
            registrations.add("xfrm_protocol", key, handler.address)
        return 0

    @export(f"int {del_name}(struct {struct} *handler, unsigned char protocol)")
    def remove(kernel: Kernel, handler: StructView, protocol: int) -> int:
        if protocol not in (IPPROTO_ESP, IPPROTO_AH, IPPROTO_COMP):
            raise err(errno.EINVAL)
        registrations, key = registered(kernel), (family, protocol)
        before, at = 0, registrations.find("xfrm_protocol", key) or 0
        for _ in range(_MAX_LINKS):
            if not at or at == handler.address:
                break
            before, at = at, kernel.struct(struct, at)["next"]
        if at != handler.address:
            raise err(errno.ENOENT)
        if before:
            kernel.struct(struct, before)["next"] = handler["next"]
        else:
            registrations.remove_key("xfrm_protocol", key)
            if handler["next"]:
                registrations.add("xfrm_protocol", key, handler["next"])
        return 0


declare_xfrm_protocol(export, AF_INET, "xfrm4_protocol", "xfrm4_protocol_register", "xfrm4_protocol_deregister")
