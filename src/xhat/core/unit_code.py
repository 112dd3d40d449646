"""A code of activations between 0 and 1."""

from __future__ import annotations

from xhat.core.code import Code


class UnitCode(Code):
    """A code whose entries lie in [0, 1], as shares of how active a unit is."""
