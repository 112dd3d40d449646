"""Code dimensions that say something."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

# Burda et al.'s threshold on the variance of the posterior mean, where the prior's variance is 1.
ACTIVE = 0.01


def active_units(z: Float[Tensor, "N *Z"], *, prior_variance: bool) -> Bool[Tensor, "*Z"]:
    r"""Find the code dimensions that differ between rows.

    .. math:: A_j = [\mathrm{Var}_x(z_j) > 0.01\, v]

    with v = 1, the prior's variance, for codes that were drawn to one, and the largest dimension's variance for codes
    of free scale.

    Parameters
    ----------
    z : Tensor of shape (N, *Z)
        Deterministic codes of many rows.
    prior_variance : bool
        Whether the codes were drawn to a prior of variance 1.

    References
    ----------
    Burda et al., "Importance Weighted Autoencoders", ICLR 2016, section 5.1.
    """
    variance = z.double().var(0, correction=0)  # (*Z,)
    reference = torch.ones(()) if prior_variance else variance.max()
    return variance > ACTIVE * reference
