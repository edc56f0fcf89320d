"""Handlers of IPv6 protocols."""

from __future__ import annotations

from sysfsd.linux.exports import Area
from sysfsd.linux.net.ipv4.protocol_exports import declare_protocol

export = Area("net/ipv6/protocol.c")

declare_protocol(export, "inet6_protos", "inet6_protocol", "inet6_protocol", "inet6_add_protocol", "inet6_del_protocol")

declare_protocol(export, "inet6_offloads", "net_offload", "inet6_offload", "inet6_add_offload", "inet6_del_offload")
