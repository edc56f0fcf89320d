"""sysfsd: a Linux module subsystem in one ordinary process, shown through FUSE."""

__version__ = "0.1.0"
