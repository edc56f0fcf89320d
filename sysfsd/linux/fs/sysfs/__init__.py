"""sysfs (fs/sysfs/)."""
