"""Cryptographic algorithms (crypto/)."""
