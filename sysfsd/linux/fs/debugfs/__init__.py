"""debugfs (fs/debugfs/)."""
