"""IPv6 (net/ipv6/)."""
