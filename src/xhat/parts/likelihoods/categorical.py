"""Categorical data: every element is one of V symbols, such as a character of a text."""

from __future__ import annotations

import math
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.data_distribution import DataDistribution
from xhat.core.errors import ShapeError, require
from xhat.core.likelihood import Likelihood
from xhat.core.shapes import Shape

WHO = "likelihoods/categorical"


class Categorical(Likelihood):
    r"""Every element is a symbol in 0 … V - 1, drawn by its own softmax.

    .. math:: -\log p(x|z) = \sum_i \log \sum_v e^{\theta_{iv}} - \theta_{i x_i}

    Rows hold symbols as whole numbers, of a float or an int type. A symbol outside the vocabulary has probability
    0, thus a log-density of -inf, unless it is masked: padding may be any number. A sum over symbols has no
    meaning, so the ``mean`` is the mode: every element's most probable symbol.

    Parameters
    ----------
    vocabulary : int
        V. Must be >= 2.
    """

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        require(vocabulary >= 2, WHO, "vocabulary must be >= 2", vocabulary, "count the data's symbols")
        self.vocabulary = vocabulary
        self.support = (0.0, vocabulary - 1.0)

    def params(self, x_shape: Shape) -> Shape:
        """Give V logits an element: (*X, V)."""
        return (*x_shape, self.vocabulary)

    def forward(self, theta: Float[Tensor, "B *X V"]) -> DataDistribution:
        """Read θ (B, *X, V) as logits."""
        require(
            theta.shape[-1] == self.vocabulary,
            WHO,
            f"θ must end in {self.vocabulary} logits",
            tuple(theta.shape),
            "give the decoder the out_shape that params(x_shape) says",
            error=ShapeError,
        )
        return DataDistribution(_Symbols(theta))

    @classmethod
    def example(cls) -> Self:
        """Choose among five symbols."""
        return cls(5)


class _Symbols:
    """Symbols with logits of shape (B, *X, V)."""

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits

    @property
    def mean(self) -> Tensor:
        # float32 whatever the logits are: bfloat16 counts only to 256.
        return self.logits.argmax(-1).float()

    def log_prob(self, value: Tensor) -> Tensor:
        size = self.logits.shape[-1]
        known = (value >= 0) & (value < size)  # False for NaN too
        index = torch.where(known, value, 0).long().unsqueeze(-1)  # (B, *X, 1)
        logs = self.logits.log_softmax(-1)
        logs = logs.expand(*index.shape[:-1], size).gather(-1, index).squeeze(-1)  # (B, *X)
        return torch.where(known, logs, -math.inf)

    def sample(self) -> Tensor:
        return torch.distributions.Categorical(logits=self.logits, validate_args=False).sample().float()
