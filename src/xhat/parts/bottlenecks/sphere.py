"""The code is a direction: a von Mises-Fisher distribution on the unit sphere."""

from __future__ import annotations

import math
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from xhat.core.bottleneck import Bottleneck
from xhat.core.errors import ShapeError, require
from xhat.core.shapes import Shape, as_shape
from xhat.core.sphere_code import SphereCode

# Below, draws are uniform for all that anyone can tell; above, float32 cannot tell them from μ.
LOWEST, HIGHEST = 1e-3, 1e4


class Sphere(Bottleneck):
    r"""All but the last of h is the direction, the last is the concentration.

    .. math:: h = [h', a], \qquad \mu = h' / \|h'\|, \qquad \kappa = d\, e^a

    Draws lie about as far from μ as from everything else until κ nears d: so it is counted in units of d.

    Parameters
    ----------
    code_shape : tuple of int
        (d,), with d >= 2. The encoder gives one number more.

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

    @property
    def in_shape(self) -> Shape:
        """The direction's numbers and the concentration's."""
        return (self.code_shape[0] + 1,)

    def forward(self, h: Float[Tensor, "B H"]) -> SphereCode:
        """Part h into the direction and the concentration."""
        d = self.code_shape[0]
        log_kappa = (h[:, -1] + math.log(d)).clamp(math.log(LOWEST), math.log(HIGHEST))
        return SphereCode(normalize(h[:, :-1], dim=1), torch.exp(log_kappa))

    @classmethod
    def example(cls) -> Self:
        """Make codes on the sphere in three dimensions."""
        return cls((3,))
