"""The copy itself: maximum likelihood of the input given its code."""

from __future__ import annotations

from typing import Self

from xhat.core.batch import Batch
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective


class Reconstruction(Objective):
    r"""Make the reconstruction likely.

    .. math:: L = E[-\log p(x|z)], \qquad z = f(x)

    With a Gaussian likelihood of scale 1 this is half the squared error, up to a constant.

    References
    ----------
    Hinton and Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks", Science 2006.
    """

    shapes_prior = False

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion, (B,)."""
        code = model.encode(batch)
        data = model.decode(code.rsample(), batch)  # p(x|z)
        return Loss(distortion=-data.log_prob(batch.x, batch.mask), **code.terms)

    @classmethod
    def example(cls) -> Self:
        """Make one; there is nothing to choose."""
        return cls()
