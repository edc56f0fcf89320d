"""Error detection and correction (drivers/edac/)."""
