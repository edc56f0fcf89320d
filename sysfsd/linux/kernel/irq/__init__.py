"""Interrupts (kernel/irq/)."""
