"""Character sets (fs/nls/)."""
