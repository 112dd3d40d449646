"""Regularised autoencoder by its decoder's derivative: near codes must give near rows."""

from __future__ import annotations

from typing import Self, cast

from torch import nn

from xhat.core.batch import Batch
from xhat.core.errors import require
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.schedule import Coefficient, coefficient
from xhat.core.shapes import per_row
from xhat.parts.likelihoods.categorical import Categorical
from xhat.parts.objectives._jacobian import check_probes, differentiable_twice, movable, squared_jacobian

WHO = "RAEGradient"


class RAEGradient(Objective):
    r"""A VAE without its noise: the code is pulled to the origin, and the decoder kept smooth where codes lie.

    .. math:: L = E[-\log p(x|z)] + \beta\, \tfrac12 \|z\|^2 + \lambda\, \|\nabla_z g(z)\|_F^2, \qquad z = f(x),\
              g(z) = E[x|z]

    To second order a VAE's noise of variance :math:`\sigma_z^2` on the code costs the squared error the same as
    :math:`\lambda = \sigma_z^2 / (2 \sigma_x^2)` here. The norm is estimated without bias,
    :math:`E_v \|v^T \nabla_z g\|^2`. The prior is fitted afterwards.

    The decoder must treat each code by itself, and its mean must have a derivative: not so that of symbols.

    Parameters
    ----------
    beta : float or Schedule, default=1.0
        β. Must be >= 0.
    smooth : float or Schedule, default=1.0
        λ, in nats for a unit of squared slope. Must be >= 0.
    probes : int or None, default=1
        Random directions v a row; None for the exact value, by one pass backward for every element of a row.

    References
    ----------
    Ghosh et al., "From Variational to Deterministic Autoencoders", ICLR 2020, eq. 8 and section 3.1: RAE-GP.
    Hutchinson 1989, for the estimate.
    """

    shapes_prior = False
    shapes_code = True

    def __init__(self, beta: Coefficient = 1.0, *, smooth: Coefficient = 1.0, probes: int | None = 1) -> None:
        super().__init__()
        self.beta = coefficient(beta, WHO, "beta", hint="use objectives/reconstruction for none")
        self.smooth = coefficient(smooth, WHO, "smooth")
        self.probes = check_probes(probes, WHO)

    def check(self, model: Model) -> None:
        """Refuse symbols, of whose mean, the likeliest one, there is no derivative."""
        symbols = isinstance(model.likelihood, Categorical)
        require(not symbols, WHO, "needs rows of numbers; symbols have no derivative", hint="use objectives/rae")

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion, the code's length and the decoder's slope, all (B,)."""
        code = model.encode(batch)
        z = movable(code.rsample(), WHO)  # (B, *Z)
        with differentiable_twice(cast(nn.Module, model.decoder)):
            data = model.decode(z, batch)
            mean = data.mean  # (B, *X)
        return Loss(
            distortion=-data.log_prob(batch.x, batch.mask),  # (B,)
            length=self.now(self.beta) * 0.5 * per_row(code.z**2),  # (B,)  β ‖z‖²/2
            slope=self.now(self.smooth) * squared_jacobian(mean, z, self.probes, WHO),  # (B,)
            **code.terms,
        )

    @classmethod
    def example(cls) -> Self:
        """Weigh both a little."""
        return cls(0.5, smooth=0.1)
