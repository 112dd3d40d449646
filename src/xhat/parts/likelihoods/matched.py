"""Sets: another likelihood, under the best assignment of elements to slots, so that their order says nothing."""

from __future__ import annotations

from typing import Self

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from xhat.core.data_distribution import DataDistribution
from xhat.core.errors import ShapeError, require
from xhat.core.likelihood import Likelihood
from xhat.core.shapes import Shape, spread
from xhat.parts.likelihoods.gaussian import Gaussian

WHO = "likelihoods/matched"


class Matched(Likelihood):
    r"""Every element of a set was made by one slot; which one, is chosen in the set's favour.

    .. math:: \log p(x|z) = \max_\sigma \sum_{i=1}^m \log p(x_i | \theta_{\sigma(i)})

    over the one-to-one maps σ from the m elements that are there to the first m slots: a small set must find its
    elements in the first slots, so that they are all that is read of a reconstruction. The mean and samples are in
    the order of slots, not in that of x.

    A row is a set with its elements on the first axis. σ is found by the Hungarian method in :math:`O(m^3)` a row,
    on the CPU; no gradient flows through the choice, nor needs to: it is piecewise constant. Of the m! orders of a
    set only the best one is counted, so that the value is a log-density up to at most log m!.

    Parameters
    ----------
    likelihood : Likelihood, optional
        Of the elements, each by its slot's θ; Gaussian by default.

    References
    ----------
    Kuhn, "The Hungarian Method for the Assignment Problem", 1955. Fan et al., "A Point Set Generation Network",
    CVPR 2017, for its use as a loss.
    """

    def __init__(self, likelihood: Likelihood | None = None) -> None:
        super().__init__()
        self.likelihood = Gaussian() if likelihood is None else likelihood
        self.support = self.likelihood.support

    def params(self, x_shape: Shape) -> Shape:
        """Give what the elements' likelihood needs."""
        return self.likelihood.params(x_shape)

    def forward(self, theta: Tensor) -> DataDistribution:
        """Read θ (B, n, ...) as slots."""
        return _MatchedSlots(self.likelihood(theta))

    @classmethod
    def example(cls) -> Self:
        """Match by the squared error."""
        return cls()


class _MatchedSlots(DataDistribution):
    """Slots that may be asked about elements in any order."""

    def __init__(self, slots: DataDistribution) -> None:
        super().__init__(slots.law)
        self.slots = slots

    @property
    def mean(self) -> Tensor:
        return self.slots.mean

    def sample(self) -> Tensor:
        return self.slots.sample()

    def log_prob(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is None:
            order = self._order(x, torch.ones_like(x, dtype=torch.bool))
            return self.slots.log_prob(_take(x, order))
        require(
            mask.shape == x.shape[: mask.ndim] and mask.ndim >= 2,
            WHO,
            f"a mask must be of elements, {tuple(x.shape[:2])}, or of entries, {tuple(x.shape)}",
            tuple(mask.shape),
            "make it True where an element is there",
            error=ShapeError,
        )
        there = spread(mask, x).expand_as(x)  # (B, n, *D)
        order = self._order(x, there)
        return self.slots.log_prob(_take(x, order), _take(there, order))

    @torch.no_grad()
    def _order(self, x: Tensor, there: Tensor) -> Tensor:
        """Say which element each slot is given, (B, n): those that are not there come last."""
        pairs = self._pairs(torch.where(there, x, torch.full_like(x, 0.5)), there).cpu().double().numpy()
        elements = there.reshape(*x.shape[:2], -1).any(2).cpu().numpy()  # (B, n)
        order = np.argsort(~elements, axis=1, kind="stable")
        for row, count in enumerate(elements.sum(1)):
            present = order[row, :count].copy()
            chosen, slot = linear_sum_assignment(pairs[row, present, :count], maximize=True)
            order[row, slot] = present[chosen]
        return torch.from_numpy(order).to(x.device)

    def _pairs(self, x: Tensor, there: Tensor) -> Tensor:
        """Give the log-density of element i under slot j, (B, n, n): entries that are not there count nothing."""
        # One element at a time, offered to every slot: the law need not know how to spread over pairs.
        offers = []
        for i in range(x.shape[1]):
            terms = self.law.log_prob(x[:, i : i + 1].expand_as(x))  # (B, n, *D)
            offers.append(torch.where(there[:, i : i + 1], terms, 0.0).reshape(*x.shape[:2], -1).sum(2))
        # The assignment refuses numbers that are none: an impossible pair is one that nobody would choose.
        return torch.stack(offers, 1).nan_to_num(nan=-1e30, neginf=-1e30, posinf=1e30)


def _take(values: Tensor, order: Tensor) -> Tensor:
    return values.gather(1, order.reshape(order.shape + (1,) * (values.ndim - 2)).expand_as(values))
