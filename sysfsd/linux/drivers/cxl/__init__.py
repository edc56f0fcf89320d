"""The CXL bus (drivers/cxl/)."""
