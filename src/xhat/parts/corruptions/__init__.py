"""Ways to spoil an input: one a file."""
