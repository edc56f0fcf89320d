"""Locks (kernel/locking/)."""
