"""The kernel log (kernel/printk/)."""
