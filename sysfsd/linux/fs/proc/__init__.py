"""/proc (fs/proc/)."""
