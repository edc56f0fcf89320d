"""Ethernet (net/ethernet/)."""
