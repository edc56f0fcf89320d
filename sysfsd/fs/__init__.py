"""The trees of files over the kernel model: /sys/module, /proc, /dev and the control files. Still no FUSE."""
