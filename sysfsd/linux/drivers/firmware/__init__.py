"""Firmware (drivers/firmware/)."""
