"""Quotas (fs/quota/)."""
