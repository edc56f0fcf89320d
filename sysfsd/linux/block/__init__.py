"""Block devices (block/)."""
