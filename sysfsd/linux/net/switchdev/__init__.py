"""Switches (net/switchdev/)."""
