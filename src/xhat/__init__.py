"""xhat: the autoencoder library."""
