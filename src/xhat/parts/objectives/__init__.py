"""Training principles: one paper's equation a file."""
