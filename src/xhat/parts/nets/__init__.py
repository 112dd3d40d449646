"""Encoders and their mirrored decoders: one architecture a file."""
