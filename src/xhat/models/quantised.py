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


def quantised(
    shape: Shape, bottleneck: Callable[[Shape], Bottleneck], groups: Callable[[Shape], int], **choices: Any
) -> Recipe:
    """Copy rows through a quantised code, whose prior counts its vectors.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    bottleneck : callable
        From the shape of a code to a bottleneck.
    groups : callable
        From the shape of a code to how many vectors its first axis is, each counted by itself.
    **choices
        See `assemble`.
    """

    def prior(code: Shape) -> Histogram:  # a normal would draw codes of no entries
        return Histogram(code, groups=groups(code))

    return Recipe(assemble(shape, bottleneck, Gaussian(learned=True), prior=prior, **choices), Reconstruction())


def vectors_of(code_shape: Shape) -> int:
    """Count the vectors that a code is by default: one a place of a grid, of a flat one those of `WIDTH` or more."""
    whole = code_shape[0]
    width = min((d for d in range(WIDTH, whole) if whole % d == 0), default=whole)
    return 1 if len(code_shape) > 1 else whole // width
