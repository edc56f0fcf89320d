"""Terminals (drivers/tty/)."""
