"""Power management of devices (drivers/base/power/)."""
