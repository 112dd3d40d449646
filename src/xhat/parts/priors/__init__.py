"""Distributions over codes: one a file."""
