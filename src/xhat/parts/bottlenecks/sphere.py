"""The code is a direction: a von Mises-Fisher distribution on the unit sphere."""

from __future__ import annotations

from typing import Self

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize, softplus

from xhat.core.bottleneck import Bottleneck
from xhat.core.errors import ShapeError, require
from xhat.core.shapes import Shape, as_shape
from xhat.core.sphere_code import LARGEST, SphereCode

# Below, a draw says nothing of μ, and an encoding that has once fallen there gets no gradient to leave by; above,
# a draw is μ to three digits.
LOWEST, HIGHEST = 1.0, 1e4


class Sphere(Bottleneck):
    r"""All but the last of h is the direction, the last is the concentration.

    .. math:: h = [h', a], \qquad \mu = h' / \|h'\|, \qquad \kappa = 1 + d \log(1 + e^a)

    Draws lie about as far from μ as from everything else until κ nears d: so it is counted in units of d.

    Parameters
    ----------
    code_shape : tuple of int
        (d,), with d from 2 to 3000. The encoder gives one number more.

    References
    ----------
    Davidson et al., "Hyperspherical Variational Auto-Encoders", UAI 2018.
    """

    emits = SphereCode

    def __init__(self, code_shape: Shape) -> None:
        super().__init__()
        self.code_shape = as_shape(code_shape, "bottlenecks/sphere")
        flat = len(self.code_shape) == 1 and self.code_shape[0] >= 2
        rule = "the code must be flat, of 2 numbers or more"
        require(flat, "bottlenecks/sphere", rule, self.code_shape, "as (16,)", error=ShapeError)
        rule, d = f"the code must have at most {LARGEST} numbers", self.code_shape[0]
        require(d <= LARGEST, "bottlenecks/sphere", rule, d, "beyond, the density is not known", error=ShapeError)

    @property
    def in_shape(self) -> Shape:
        """The direction's numbers and the concentration's."""
        return (self.code_shape[0] + 1,)

    def forward(self, h: Float[Tensor, "B H"]) -> SphereCode:
        """Part h into the direction and the concentration."""
        d = self.code_shape[0]
        kappa = (LOWEST + d * softplus(h[:, -1])).clamp(max=HIGHEST)
        return SphereCode(normalize(h[:, :-1], dim=1), kappa)

    @classmethod
    def example(cls) -> Self:
        """Make codes on the sphere in three dimensions."""
        return cls((3,))
