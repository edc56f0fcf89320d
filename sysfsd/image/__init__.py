"""The kernel being played, as data."""
