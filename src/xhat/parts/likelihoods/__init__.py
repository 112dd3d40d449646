"""Distributions over data: one a file."""
