"""FUSE: mounting, the protocol, and the tree of files behind it."""
