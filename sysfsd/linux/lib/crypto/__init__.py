"""Ciphers and hashes as library functions (lib/crypto/)."""
