"""Time on digits to PCA's error."""

from __future__ import annotations

from speed_rows._row import Options, Row
from speed_rows._sooner import sooner


def row(options: Options) -> Row:
    return sooner(options, "digits", 1)
