"""Student's t: every element with a location, a scale and a tail of its own, robust to outlying values."""

from __future__ import annotations

from typing import Self

from torch import Tensor
from torch.distributions import StudentT as Law
from torch.nn.functional import softplus

from xhat.core.data_distribution import DataDistribution
from xhat.core.errors import ShapeError, require
from xhat.core.likelihood import Likelihood
from xhat.core.shapes import Shape

WHO = "likelihoods/student_t"


class StudentT(Likelihood):
    r"""Every element is :math:`t_\nu(\mu, \sigma)`, and the decoder says all three.

    .. math:: p(x|z) = \prod_i \frac{\Gamma(\frac{\nu_i + 1}{2})}{\Gamma(\frac{\nu_i}{2}) \sqrt{\pi \nu_i}\, \sigma_i}
              \Big(1 + \frac{(x_i - \mu_i)^2}{\nu_i \sigma_i^2}\Big)^{-\frac{\nu_i + 1}{2}}

    θ holds μ, s and d one after the other, on the axis of features: the last of a series, else the first; then
    :math:`\sigma = \mathrm{smallest} + \mathrm{softplus}(s)` and :math:`\nu = \mathrm{tail} + \mathrm{softplus}(d)`.
    With large ν it is a Gaussian.

    Parameters
    ----------
    smallest : float, default=1e-3
        The lowest σ, in the scaled data's units: without it an element that is copied exactly has no maximum. Must be
        > 0.
    tail : float, default=3.0
        The lowest ν. Above 2 the variance is finite. Must be > 1, for a mean to exist.

    References
    ----------
    Takahashi et al., "Student-t Variational Autoencoder for Robust Density Estimation", IJCAI 2018. Mattei and
    Frellsen, "MIWAE", ICML 2019, appendix, for the smallest scale and tail.
    """

    def __init__(self, smallest: float = 1e-3, *, tail: float = 3.0) -> None:
        super().__init__()
        require(smallest > 0, WHO, "smallest must be > 0", smallest, "0.001 of the data's spread suits most")
        require(tail > 1, WHO, "tail must be > 1", tail, "use 3 for a finite variance")
        self.smallest, self.tail = smallest, tail

    def params(self, x_shape: Shape) -> Shape:
        """Give three numbers an element, on the axis of features."""
        axis = 1 if len(x_shape) == 2 else 0
        return (*x_shape[:axis], 3 * x_shape[axis], *x_shape[axis + 1 :])

    def forward(self, theta: Tensor) -> DataDistribution:
        """Read θ as locations, scales and tails, (B, *X) each."""
        axis = 2 if theta.ndim == 3 else 1
        rule, hint = "θ must hold three numbers an element", "give the decoder the out_shape that params(x_shape) says"
        require(theta.shape[axis] % 3 == 0, WHO, rule, tuple(theta.shape), hint, error=ShapeError)
        mean, s, d = theta.chunk(3, axis)
        return DataDistribution(
            Law(self.tail + softplus(d), mean, self.smallest + softplus(s), validate_args=False)  # ν, μ, σ
        )

    @classmethod
    def example(cls) -> Self:
        """Allow narrower ones."""
        return cls(1e-2, tail=2.0)
