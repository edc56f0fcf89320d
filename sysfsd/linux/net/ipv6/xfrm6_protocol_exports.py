"""Handlers of IPsec protocols, over IPv6."""

from __future__ import annotations

from sysfsd.linux.exports import Area
from sysfsd.linux.net.ipv4.xfrm4_protocol_exports import AF_INET6, declare_xfrm_protocol

export = Area("net/ipv6/xfrm6_protocol.c")

declare_xfrm_protocol(export, AF_INET6, "xfrm6_protocol", "xfrm6_protocol_register", "xfrm6_protocol_deregister")
