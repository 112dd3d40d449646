"""How sparse a code is, how many of its units are dead, and what its copies leave unexplained."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Sparsity:
    r"""Three numbers by which sparse codes are compared.

    Parameters
    ----------
    active : float
        :math:`E\|z\|_0`, units that are not zero, a row.
    dead : float
        The share of units that are zero in every row.
    unexplained : float
        :math:`\sum \|x - \hat x\|^2 / \sum \|x - \bar x\|^2`, the fraction of variance unexplained: 0 for a copy, 1
        for the mean.
    """

    active: float
    dead: float
    unexplained: float


def l0(z: Float[Tensor, "N *Z"]) -> float:
    r"""Give :math:`E\|z\|_0`, the units that are not zero, a row."""
    return float((z != 0).flatten(1).sum(1).double().mean())


def sparsity(z: Float[Tensor, "N *Z"], x: Float[Tensor, "N *X"], copy: Float[Tensor, "N *X"]) -> Sparsity:
    """Measure codes and copies of many rows.

    Parameters
    ----------
    z : Tensor of shape (N, *Z)
        Codes.
    x, copy : Tensor of shape (N, *X)
        Rows and their reconstructions, in the same units.

    References
    ----------
    Gao et al., "Scaling and Evaluating Sparse Autoencoders", 2024, sections 2 and 4.
    """
    fires = z != 0  # (N, *Z)
    x, copy = x.double(), copy.double()
    variance = ((x - x.mean(0)) ** 2).sum()
    return Sparsity(
        active=l0(z),
        dead=float((~fires.any(0)).double().mean()),
        unexplained=float(((x - copy) ** 2).sum() / variance),
    )
