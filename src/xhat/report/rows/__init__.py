"""Rows: how data of one kind is shown, beside its reconstruction or its neighbour."""
