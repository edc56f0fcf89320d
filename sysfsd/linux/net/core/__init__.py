"""Network devices, packets, namespaces, sockets (net/core/)."""
