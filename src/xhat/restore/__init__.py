"""Restoring images: y = A x + n, solved for x with a denoiser as the prior."""
