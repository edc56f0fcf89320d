"""Suspend and resume (kernel/power/)."""
