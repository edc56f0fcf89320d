"""Memory (mm/)."""
