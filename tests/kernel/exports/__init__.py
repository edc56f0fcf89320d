"""Tests of the functions that modules import."""
