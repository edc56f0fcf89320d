"""SPI (drivers/spi/)."""
