"""Virtual consoles (drivers/tty/vt/)."""
