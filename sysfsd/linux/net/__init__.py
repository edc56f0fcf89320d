"""The network stack (net/)."""
