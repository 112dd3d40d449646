"""Contractive autoencoder: the code must move little where the input moves little."""

from __future__ import annotations

from dataclasses import replace
from typing import Self, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from xhat.core.batch import Batch
from xhat.core.bottleneck import Bottleneck
from xhat.core.code import Code
from xhat.core.errors import require
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.schedule import Coefficient, coefficient
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.bottlenecks.rectified import Rectified
from xhat.parts.bottlenecks.sigmoid import Sigmoid
from xhat.parts.nets.linear import LinearEncoder
from xhat.parts.nets.mlp import MLPEncoder
from xhat.parts.objectives._jacobian import check_probes, differentiable_twice, movable, squared_jacobian

WHO = "Contractive"


class Contractive(Objective):
    r"""Press the code's derivative by the input, against a copy that needs to tell rows apart.

    .. math:: L = E[-\log p(x|z)] + \lambda\, \|J_f(x)\|_F^2, \qquad z = f(x),\ J_f = \partial z / \partial x

    What survives are the directions in which the data varies. Of one layer the norm is known,

    .. math:: z = s(W x + b): \quad \|J_f\|_F^2 = \sum_j s'(a_j)^2\, \|W_j\|^2, \qquad s' = z (1 - z)

    for a sigmoid code (`bottlenecks/sigmoid`), and :math:`s' = 1` for a plain one, or for a rectified one where it
    speaks. Of other nets it is estimated without bias, :math:`\|J_f\|_F^2 = E_v \|J_f^T v\|^2`, or added up exactly.

    A net may shrink its code and stretch it again in the decoder. A bounded code, as the sigmoid's, and weight decay
    work against it; a decoder that cannot stretch, `nets/spectral`, rules it out.

    The encoder must treat each row by itself: not so a batch normalisation, whose derivative is that of all rows.

    Parameters
    ----------
    weight : float or Schedule, default=1.0
        λ, in nats for a unit of squared slope. Must be >= 0. 1 suits a likelihood whose
        scale is learned, from a fine one on.
    probes : int or None, default=1
        Random directions v a row where no closed form is known; None for the exact value, by one pass backward for
        every code dimension.

    References
    ----------
    Rifai et al., "Contractive Auto-Encoders", ICML 2011, eqs. 5 and 6. Hutchinson 1989, for the estimate.
    """

    shapes_prior = False
    shapes_code = True

    def __init__(self, weight: Coefficient = 1.0, *, probes: int | None = 1) -> None:
        super().__init__()
        self.weight = coefficient(weight, WHO, "weight", hint="use objectives/reconstruction for none")
        self.probes = check_probes(probes, WHO)

    def check(self, model: Model) -> None:
        """Refuse rows of symbols, which cannot be moved a little."""
        symbols = getattr(model.encoder, "vocabulary", None) is not None
        require(not symbols, WHO, "needs rows of numbers; symbols have no derivative", hint="use objectives/sparse")

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion and the contraction, both (B,)."""
        layer = one_layer(model)
        if layer is not None:
            code = model.encode(batch)
            norm = norm_of_one_layer(layer, model.bottleneck, code)
        else:
            x = movable(batch.input, WHO)
            with differentiable_twice(cast(nn.Module, model.encoder)):
                code = model.encode(replace(batch, corrupted=x))
            norm = squared_jacobian(code.z, x, self.probes, WHO)
        data = model.decode(code.rsample(), batch)
        return Loss(
            distortion=-data.log_prob(batch.x, batch.mask),  # (B,)
            contraction=self.now(self.weight) * norm,  # (B,)  λ ‖J_f‖²
            **code.terms,
        )

    @classmethod
    def example(cls) -> Self:
        """Estimate along one direction."""
        return cls(0.1)


def one_layer(model: Model) -> nn.Linear | None:
    """Find the layer of an encoder that has but one, before a code of a known slope; None for all others."""
    if not isinstance(model.bottleneck, Plain | Sigmoid | Rectified):
        return None
    encoder = model.encoder
    if isinstance(encoder, LinearEncoder):
        return encoder.map
    if isinstance(encoder, MLPEncoder) and not encoder.hidden:
        return cast(nn.Linear, encoder.layers[0])
    return None


def norm_of_one_layer(layer: nn.Linear, bottleneck: Bottleneck, code: Code) -> Float[Tensor, "B"]:
    """Give the squared norm of the Jacobian in closed form."""
    z = code.z.flatten(1)  # (B, d)
    lengths = (layer.weight**2).sum(1)  # (d,)  ‖W_j‖²
    if isinstance(bottleneck, Sigmoid):
        slope = z * (1 - z)
    elif isinstance(bottleneck, Rectified):
        slope = (z > 0).to(z.dtype)
    else:
        slope = torch.ones_like(z)
    return slope**2 @ lengths  # (B,)
