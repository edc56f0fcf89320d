"""A private kernel for a command and its children."""
