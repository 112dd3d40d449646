"""Sparse autoencoder: the sum of the code's absolute values is pressed, so that few units speak at a time."""

from __future__ import annotations

from typing import Self

from xhat.core.batch import Batch
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.schedule import Coefficient, coefficient
from xhat.core.shapes import per_row


class Sparse(Objective):
    r"""Pay for every unit by how loud it is.

    .. math:: L = E[-\log p(x|z)] + \lambda \sum_j |z_j|, \qquad z = f(x)

    With a prior of independent Laplace units this is the most probable code. The pull is as strong at a faint unit
    as at a loud one, which is what makes codes sparse; behind `bottlenecks/rectified` silent units are exactly zero.

    A net may shrink its code and stretch it again in the decoder: as sparse coding bounds the length of its
    dictionary's atoms, a decoder that cannot stretch, `nets/spectral`, rules it out.

    Parameters
    ----------
    weight : float or Schedule, default=1.0
        λ, in nats for a unit of code. Must be >= 0. 1 suits a likelihood whose
        scale is learned, from a fine one on.

    References
    ----------
    Olshausen and Field, "Emergence of Simple-Cell Receptive Field Properties by Learning a Sparse Code for Natural
    Images", Nature 1996. Lee et al., "Efficient Sparse Coding Algorithms", NIPS 2006, for the bounded atoms.
    """

    shapes_prior = False
    shapes_code = True

    def __init__(self, weight: Coefficient = 1.0) -> None:
        super().__init__()
        self.weight = coefficient(weight, "Sparse", "weight", hint="use objectives/reconstruction for none")

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion and the code's L1 norm, both (B,)."""
        code = model.encode(batch)
        data = model.decode(code.rsample(), batch)
        return Loss(
            distortion=-data.log_prob(batch.x, batch.mask),  # (B,)
            loudness=self.now(self.weight) * per_row(code.z.abs()),  # (B,)  λ ‖z‖₁
            **code.terms,
        )

    @classmethod
    def example(cls) -> Self:
        """Press a little."""
        return cls(0.1)
