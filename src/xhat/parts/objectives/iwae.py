"""The importance-weighted bound: k draws a row, each counted by its weight."""

from __future__ import annotations

import math
from typing import Self, cast

import torch

from xhat.core.batch import Batch
from xhat.core.errors import require
from xhat.core.importance import log_weights
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.posterior import Posterior

GRADIENTS = ("doubly", "plain")


class IWAE(Objective):
    r"""Bound the evidence by k draws.

    .. math:: L_k = -E_{z_1 … z_k \sim q(z|x)}\Big[\log \frac1k \sum_i w_i\Big], \qquad
              w_i = \frac{p(x|z_i)\, p(z_i)}{q(z_i|x)}

    :math:`L_1` is the negative ELBO, and :math:`L_k` falls with k towards :math:`-\log p(x)`.

    The gradient to the decoder is :math:`-\sum_i \tilde w_i \nabla_\theta \log w_i`, with
    :math:`\tilde w_i = w_i / \sum_j w_j`. The plain gradient to the encoder is the same in φ; its signal falls against
    its noise as k rises, since its expectation holds a score term. Reparameterised once more that term becomes

    .. math:: \nabla_\phi L_k = -E\Big[\sum_i \tilde w_i^2\, \frac{\partial \log w_i}{\partial z_i}
              \frac{\partial z_i}{\partial \phi}\Big]

    which is unbiased as well and whose signal does not fall.

    Parameters
    ----------
    k : int, default=5
        Draws a row, >= 1.
    gradient : {"doubly", "plain"}, default="doubly"
        Of the encoder.

    References
    ----------
    Burda et al., "Importance Weighted Autoencoders", ICLR 2016. Tucker et al., "Doubly Reparameterized Gradient
    Estimators for Monte Carlo Objectives", ICLR 2019, eq. 8. Rainforth et al., "Tighter Variational Bounds are Not
    Necessarily Better", ICML 2018, for the signal that falls.
    """

    reads = Posterior

    def __init__(self, k: int = 5, *, gradient: str = "doubly") -> None:
        super().__init__()
        whole = isinstance(k, int) and k >= 1
        require(whole, "IWAE", "k must be a whole number >= 1", repr(k), "use k=1 for the ELBO")
        require(gradient in GRADIENTS, "IWAE", f"gradient must be one of {', '.join(GRADIENTS)}", f"'{gradient}'")
        self.k, self.gradient = k, gradient

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the negative bound, (B,)."""
        code = cast(Posterior, model.encode(batch))
        z = code.rsample(self.k)  # (k*B, *Z)
        doubly = self.gradient == "doubly" and z.requires_grad
        log_w, _ = log_weights(model, batch, code, z, detached=doubly)  # (k, B)
        bound = torch.logsumexp(log_w, 0) - math.log(self.k)  # (B,)
        if doubly:
            weight = torch.softmax(log_w.detach(), 0).reshape(-1, *(1,) * (z.ndim - 1))  # (k*B, 1, …)  w̃
            # What reaches φ comes by way of z alone, and is weighed once more there. The hook must not hold z itself:
            # z holds the hook, and such a ring of tensors is never freed.
            z.register_hook(lambda gradient: gradient * weight)
        return Loss(bound=-bound, **code.terms)

    @classmethod
    def example(cls) -> Self:
        """Take three draws."""
        return cls(3)
