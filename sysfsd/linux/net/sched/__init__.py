"""Queueing disciplines (net/sched/)."""
