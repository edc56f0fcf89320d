"""Real-time clocks (drivers/rtc/)."""
