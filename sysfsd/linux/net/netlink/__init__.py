"""Netlink (net/netlink/)."""
