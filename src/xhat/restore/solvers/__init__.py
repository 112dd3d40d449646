"""Ways back: one solver a file, all in one loop."""
