"""GPIO lines (drivers/gpio/)."""
