"""Character devices of the kernel proper (drivers/char/)."""
