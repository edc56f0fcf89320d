"""What modules register with IPv6: sockets, addresses' notifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area
from sysfsd.linux.registrations import declare_chain, registered

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("net/ipv6/addrconf_core.c", "net/ipv6/af_inet6.c")

declare_chain(export, "inet6addr", "register_inet6addr_notifier", "unregister_inet6addr_notifier")

declare_chain(
    export, "inet6addr_validator", "register_inet6addr_validator_notifier", "unregister_inet6addr_validator_notifier"
)


@export("int inet6_register_protosw(struct inet_protosw *p)")
def inet6_register_protosw(kernel: Kernel, p: StructView) -> int:
    registered(kernel).add("inetsw6", p.address, p.address)
    return 0


@export("void inet6_unregister_protosw(struct inet_protosw *p)")
def inet6_unregister_protosw(kernel: Kernel, p: StructView) -> None:
    registered(kernel).remove("inetsw6", p.address)


@export("bool ipv6_mod_enabled(void)")
def ipv6_mod_enabled(kernel: Kernel) -> bool:
    return True
