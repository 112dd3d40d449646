"""A code that parts into a class and a style."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.code import Code


class ClassifiedCode(Code):
    r"""A class q(y|x) beside a style q(s|x): :math:`z = [\pi, s]`, with π the classes' probabilities.

    Parameters
    ----------
    logits : Tensor of shape (B, K)
        Of the classes.
    style : Code
        s, of shape (B, S); a point or a posterior.
    """

    def __init__(self, logits: Float[Tensor, "B K"], style: Code) -> None:
        super().__init__(torch.cat([torch.softmax(logits, 1), style.z], 1), **style.terms)
        self.logits, self.style = logits, style

    @property
    def probabilities(self) -> Float[Tensor, "B K"]:
        """π."""
        return self.z[:, : self.logits.shape[1]]

    def rsample(self, k: int = 1) -> Tensor:
        """Draw the style `k` times beside the classes' probabilities, (k * B, K + S)."""
        return torch.cat([self.probabilities.repeat(k, 1), self.style.rsample(k)], 1)

    def of_class(self, y: Float[Tensor, "N K"], style: Float[Tensor, "N S"]) -> Float[Tensor, "N Z"]:
        """Put one-hot classes beside styles."""
        return torch.cat([y, style], 1)
