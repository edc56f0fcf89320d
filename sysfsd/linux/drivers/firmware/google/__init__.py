"""Google's firmware (drivers/firmware/google/)."""
