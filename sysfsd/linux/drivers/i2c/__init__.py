"""I2C and SMBus (drivers/i2c/)."""
