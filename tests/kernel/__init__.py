"""Tests of the kernel model."""
