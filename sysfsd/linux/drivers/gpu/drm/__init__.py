"""The direct rendering manager (drivers/gpu/drm/)."""
