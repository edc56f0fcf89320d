"""Serial input ports (drivers/input/serio/)."""
