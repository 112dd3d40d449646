"""A class and a style, independent of each other."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn.functional import one_hot

from xhat.core.errors import ShapeError, require
from xhat.core.prior import Prior
from xhat.parts.priors.normal import Normal


class Classified(Prior):
    r"""p(z) = p(y) p(s) over :math:`z = [y, s]`, with y one-hot.

    A code whose class part lies between the corners counts by its largest entry.

    Parameters
    ----------
    classes : int
        K. Equally likely until `fit` counts them.
    style : Prior
        p(s), over a flat code.
    named : bool, default=True
        Whether the classes are the data's own, so that its names for them hold; clusters have none.
    """

    continuous = False

    classes: int
    log_shares: Tensor

    def __init__(self, classes: int, style: Prior, *, named: bool = True) -> None:
        super().__init__()
        require(classes >= 2, "priors/classified", "classes must be >= 2", classes, "use the style alone for one")
        flat = len(style.code_shape) == 1
        require(flat, "priors/classified", "the style must be a flat code", style.code_shape, error=ShapeError)
        self.classes, self.style, self.named = classes, style, named
        self.code_shape = (classes + style.code_shape[0],)
        self.register_buffer("log_shares", torch.full((classes,), 1 / classes).log())

    def sample(self, n: int) -> Float[Tensor, "n Z"]:
        """Draw `n` classes with their styles."""
        return self.sample_of(torch.multinomial(self.log_shares.exp(), n, replacement=True))

    def sample_of(self, y: Int64[Tensor, "n"]) -> Float[Tensor, "n Z"]:
        """Draw styles for given classes."""
        style = self.style.sample(len(y))
        return torch.cat([one_hot(y, self.classes).to(style), style], 1)

    def log_prob(self, z: Float[Tensor, "N Z"]) -> Float[Tensor, "N"]:
        """Log-density of the style in nats, with the log-probability of the class."""
        y, style = z[:, : self.classes], z[:, self.classes :]
        return self.log_shares[y.argmax(1)] + self.style.log_prob(style)

    def fit(self, z: Float[Tensor, "N Z"]) -> None:
        """Count the classes, and fit the style's prior."""
        y, style = z[:, : self.classes], z[:, self.classes :]
        counts = torch.bincount(y.argmax(1), minlength=self.classes) + 1.0  # one more of each: none is impossible
        self.log_shares.copy_((counts / counts.sum()).log())
        self.style.fit(style)

    @classmethod
    def example(cls) -> Self:
        """Two classes beside one number."""
        return cls(2, Normal((1,)))
