"""f: from a row to what the bottleneck reads."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.component import Component
from xhat.core.shapes import Shape


class Encoder(Component):
    """A function of rows, (B, *in_shape) -> (B, *out_shape).

    A net may have a property ``last``: its last linear or convolutional layer. Where the weights of that are zero, it
    says the same of every row; a warm start begins there.
    """

    in_shape: Shape
    out_shape: Shape

    reads_mask: bool = False
    """Whether `forward` takes the mask of what is present as its second argument."""

    reads_visible: bool = False
    """Whether `forward` takes, after that, the mask of where it may look: a net that skips the rest."""

    reads_labels: bool = False
    """Whether `forward` takes the labels (B,), or None, as its last argument, behind all masks."""

    reads_noise: bool = False
    """Whether `forward` takes the noise's standard deviations (B,), or None where unknown, behind all these."""

    ancestral: int = 0
    """D, where each number of the code sees only the first of a row's D elements, as such a decoder knows; else 0."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Encode rows x (B, *in_shape) as h (B, *out_shape)."""

    @classmethod
    def grid(cls, in_shape: Shape) -> Shape | None:
        """Give the places of a spatial code for rows of `in_shape`, as (H', W'); None where codes are only flat.

        A net with such codes takes the options that change its grid as keywords, and ignores others.
        """
        return None

    def example_batch(self, n: int) -> Batch:
        """Make `n` random rows that this encoder reads, for tests; nets of tokens, sets or graphs make their own."""
        return Batch(torch.rand(n, *self.in_shape))
