"""Open files, and file systems of the kernel (fs/)."""
