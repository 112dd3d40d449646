"""A distribution over data, p(x|z), whose elements are independent given the code."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from xhat.core.shapes import per_row, spread


class Law(Protocol):
    """What is asked of the elements' distribution; every `torch.distributions.Distribution` answers it."""

    @property
    def mean(self) -> Tensor:
        """Of each element, (B, *X)."""

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-density of each element, (B, *X) -> (B, *X)."""

    def sample(self) -> Tensor:
        """Draw every element, (B, *X)."""


class DataDistribution:
    """Rows whose elements each follow `law`, independently.

    Parameters
    ----------
    law : Law
        The elements' distribution, with parameters of shape (B, *X).
    """

    def __init__(self, law: Law) -> None:
        self.law = law

    @property
    def mean(self) -> Tensor:
        """The reconstruction, of shape (B, *X)."""
        return self.law.mean

    def log_prob(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Log-density of rows in nats, of shape (B,): the sum over their observed elements.

        Parameters
        ----------
        x : Tensor of shape (B, *X)
            Rows.
        mask : bool Tensor of shape (B, *X) or a prefix of it, optional
            True where an element counts; a mask of time steps (B, T) counts for all of a step's elements.
        """
        if mask is None:
            return per_row(self.law.log_prob(x))
        mask = spread(mask, x)
        # An unobserved entry may be NaN, whose gradient stays NaN even where its term is dropped: it becomes a half
        # before (in whole numbers 0), which lies in every support.
        terms = self.law.log_prob(torch.where(mask, x, torch.full_like(x, 0.5)))  # (B, *X)
        return per_row(torch.where(mask, terms, 0.0))

    @torch.no_grad()
    def sample(self) -> Tensor:
        """Draw rows, of shape (B, *X), through which no gradient passes."""
        return self.law.sample()
