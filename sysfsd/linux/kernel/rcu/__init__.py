"""Read-copy-update (kernel/rcu/)."""
