"""Plug and play (drivers/pnp/)."""
