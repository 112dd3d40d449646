"""Regularised autoencoder: short codes and small decoder weights in the place of a VAE's noise."""

from __future__ import annotations

from typing import Self, cast

import torch
from torch import nn

from xhat.core.batch import Batch
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.schedule import Coefficient, coefficient
from xhat.core.shapes import per_row

WHO = "RAE"


class RAE(Objective):
    r"""A VAE without its noise: the code is pulled to the origin, and the decoder kept smooth by small weights.

    .. math:: L = E[-\log p(x|z)] + \beta\, \tfrac12 \|z\|^2 + \lambda\, \|\theta_g\|^2, \qquad z = f(x)

    :math:`\theta_g` are all parameters of the decoder. Without the last term codes could shrink for nothing, since
    the decoder would stretch them again. The prior is fitted afterwards: a density of the codes that training left.

    A decoder that is smooth by its making (`nets/spectral`) needs no last term: ``decay=0`` there.

    Parameters
    ----------
    beta : float or Schedule, default=1.0
        β. 1 weighs the code as the logarithm of a standard normal does. Must be >= 0.
    decay : float or Schedule, default=1e-3
        λ, in nats for a unit of squared weight. Must be >= 0.

    References
    ----------
    Ghosh et al., "From Variational to Deterministic Autoencoders", ICLR 2020, eqs. 5 to 7: RAE-L2.
    """

    shapes_prior = False
    shapes_code = True

    def __init__(self, beta: Coefficient = 1.0, *, decay: Coefficient = 1e-3) -> None:
        super().__init__()
        self.beta = coefficient(beta, WHO, "beta", hint="use objectives/reconstruction for none")
        self.decay = coefficient(decay, WHO, "decay")

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion and the code's length, (B,), and the decoder's weights, ()."""
        code = model.encode(batch)
        data = model.decode(code.rsample(), batch)
        weights = cast(nn.Module, model.decoder).parameters()
        return Loss(
            distortion=-data.log_prob(batch.x, batch.mask),  # (B,)
            length=self.now(self.beta) * 0.5 * per_row(code.z**2),  # (B,)  β ‖z‖²/2
            decay=self.now(self.decay) * torch.stack([(w**2).sum() for w in weights]).sum(),  # ()  λ ‖θ_g‖²
            **code.terms,
        )

    @classmethod
    def example(cls) -> Self:
        """Weigh both a little."""
        return cls(0.5, decay=1e-2)
