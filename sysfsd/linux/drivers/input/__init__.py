"""Input devices (drivers/input/)."""
