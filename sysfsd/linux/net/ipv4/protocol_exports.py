"""Handlers of IP protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import BUILTIN, registered

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("net/ipv4/protocol.c")


def declare_protocol(export: Area, table: str, struct: str, kind: str, add_name: str, del_name: str) -> None:
    """Handlers of IP protocols, by number; the functions return -1 for any failure."""

    @export(f"int {add_name}(const struct {struct} *prot, unsigned char protocol)")
    def add(kernel: Kernel, prot: StructView, protocol: int) -> int:
        taken = protocol in BUILTIN.get(kind, ()) or registered(kernel).find(kind, protocol) is not None
        if taken:
            return -1
        registered(kernel).add(kind, protocol, prot.address)
        return 0

    @export(f"int {del_name}(const struct {struct} *prot, unsigned char protocol)")
    def remove(kernel: Kernel, prot: StructView, protocol: int) -> int:
        if registered(kernel).find(kind, protocol) != prot.address:
            return -1
        registered(kernel).remove_key(kind, protocol)
        return 0


declare_protocol(export, "inet_protos", "net_protocol", "inet_protocol", "inet_add_protocol", "inet_del_protocol")

declare_protocol(export, "inet_offloads", "net_offload", "inet_offload", "inet_add_offload", "inet_del_offload")
