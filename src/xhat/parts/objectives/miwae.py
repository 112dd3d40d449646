"""The importance-weighted bound of what was observed: learning from rows with gaps."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

import torch

from xhat.core.batch import Batch
from xhat.core.shapes import spread
from xhat.core.wrapping import Wrapping
from xhat.parts.objectives.iwae import IWAE


class MIWAE(Wrapping):
    r"""Bound the evidence of the observed entries :math:`x_o` by k draws.

    .. math:: L_k = -E_{z_1 … z_k \sim q(z|x_o)}\Big[\log \frac1k \sum_i
              \frac{p(x_o|z_i)\, p(z_i)}{q(z_i|x_o)}\Big]

    Missing entries count nothing and the encoder sees a 0 in their places, which under the scalings "global" and
    "standard" is an element's mean. What is then asked of the bound is that values are missing at random: whether one
    is missing may depend on what was observed, and not on itself. `xhat.metrics.imputation` fills the gaps.

    Parameters
    ----------
    k : int, default=20
        Draws a row, >= 1.
    gradient : {"doubly", "plain"}, default="doubly"
        Of the encoder; see `IWAE`.

    References
    ----------
    Mattei and Frellsen, "MIWAE: Deep Generative Modelling and Imputation of Incomplete Data Sets", ICML 2019, eq. 4.
    """

    def __init__(self, k: int = 20, *, gradient: str = "doubly") -> None:
        super().__init__(IWAE(k, gradient=gradient))
        self.k, self.gradient = k, gradient

    def changed(self, batch: Batch) -> Batch:
        """Show the encoder a 0 where an entry is missing."""
        return without_gaps(batch)

    @classmethod
    def example(cls) -> Self:
        """Take three draws."""
        return cls(3)


def without_gaps(batch: Batch) -> Batch:
    """Put 0 where an entry was not observed, whatever lies there, into what the encoder sees."""
    if batch.present is None:  # and not the mask: it may be narrowed to what is judged, with more to be seen
        return batch
    x = batch.input
    return replace(batch, corrupted=torch.where(spread(batch.present, x), x, 0.0))
