"""Tasks and whose turn it is (kernel/sched/)."""
