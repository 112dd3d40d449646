"""Putting a model together whose codes are entries of a codebook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xhat.core.bottleneck import Bottleneck
from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.reconstruction import Reconstruction
from xhat.parts.priors.histogram import Histogram

# Numbers that a vector of a flat code has at least: fewer say too little to be worth an entry's bits.
WIDTH = 4


def quantised(shape: Shape, bottleneck: Callable[[Shape], Bottleneck], **choices: Any) -> Recipe:
    """Copy rows through a quantised code, whose prior counts its vectors.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    bottleneck : callable
        From the shape of a code to a bottleneck; where it splits codes, it says so by ``groups``.
    **choices
        See `assemble`.
    """
    model = assemble(shape, bottleneck, Gaussian(learned=True), **choices)
    # A normal would draw codes of no entries.
    model.prior = Histogram(model.code_shape, groups=int(getattr(model.bottleneck, "groups", 1)))
    return Recipe(model, Reconstruction())


def vectors_of(code_shape: Shape) -> int:
    """Count the vectors that a code is by default: one a place of a grid, of a flat one those of `WIDTH` or more."""
    whole = code_shape[0]
    width = min((d for d in range(WIDTH, whole) if whole % d == 0), default=whole)
    return 1 if len(code_shape) > 1 else whole // width
