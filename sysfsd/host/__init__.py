"""What the rest asks of the host: its processes, mounts, namespaces, seccomp filters, system calls."""
