"""The core (kernel/)."""
