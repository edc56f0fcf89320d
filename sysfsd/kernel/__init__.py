"""The kernel model. It knows nothing of file systems, FUSE, processes or namespaces."""
