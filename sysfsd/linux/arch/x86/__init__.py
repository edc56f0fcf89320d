"""x86-64: the processor, and what happens in it (arch/x86/)."""
