"""Coefficients that follow the run: one shape a file."""
