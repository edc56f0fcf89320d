"""Netfilter (net/netfilter/)."""
