"""Runs: from data to a fitted model, and the folder that keeps it."""
