"""PWM outputs (drivers/pwm/)."""
