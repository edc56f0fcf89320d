"""LEDs (drivers/leds/)."""
