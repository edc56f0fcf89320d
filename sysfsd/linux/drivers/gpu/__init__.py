"""Graphics (drivers/gpu/)."""
