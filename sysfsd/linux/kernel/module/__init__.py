"""The module loader (kernel/module/)."""
