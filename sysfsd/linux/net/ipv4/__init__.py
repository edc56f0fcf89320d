"""IPv4 (net/ipv4/)."""
