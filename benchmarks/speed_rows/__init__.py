"""The rows of `speed.py`, one a file: each has a function `row(options) -> Row`."""
