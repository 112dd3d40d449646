"""Models: the autoencoder, its recipes, and what is kept of it on disk."""
