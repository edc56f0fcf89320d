"""Drivers of the kernel proper, and what drivers register (drivers/)."""
