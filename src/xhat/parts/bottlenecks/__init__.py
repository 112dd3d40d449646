"""Ways of making a code: one a file."""
