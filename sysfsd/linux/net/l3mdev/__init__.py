"""Layer-3 master devices (net/l3mdev/)."""
