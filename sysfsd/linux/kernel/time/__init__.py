"""Clocks and timers (kernel/time/)."""
