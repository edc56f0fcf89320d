"""The kernel model, laid out as the Linux tree. It knows nothing of FUSE, and asks nothing of the host by itself."""
