"""Security modules and keys (security/)."""
