"""The driver core (drivers/base/)."""
