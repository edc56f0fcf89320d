"""Library functions of the kernel (lib/)."""
