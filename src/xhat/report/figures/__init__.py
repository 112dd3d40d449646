"""Figures: one a file, each a function from evidence to a `Figure`."""
