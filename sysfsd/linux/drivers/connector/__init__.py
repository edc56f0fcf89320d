"""The connector (drivers/connector/)."""
