"""Uncertainty: how far answers differ that ought to be the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xhat.parts.objectives.symmetries import SIDES, from_side, to_side
from xhat.restore import picture as pictures
from xhat.restore.front import restore
from xhat.restore.operator import Operator
from xhat.restore.prior import Prior
from xhat.restore.problem import Denoiser
from xhat.restore.solver import Solver


@dataclass(frozen=True, eq=False)
class Restored:
    """An answer and its doubt.

    Parameters
    ----------
    picture : of the measurement's own kind
        The mean of the answers.
    spread : array of shape (B, C, H, W)
        Their standard deviation at each pixel, in the picture's own units.
    """

    picture: Any
    spread: NDArray[np.float32]


def uncertain(
    y: Any,
    operator: Operator | None = None,
    prior: str | Path | Denoiser = "default",
    sigma: float | None = None,
    *,
    solver: str | Solver = "hqs",
    seed: int = 0,
) -> Restored:
    r"""Restore with the prior seen from each of its eight sides, each time with other draws.

    .. math:: D_g(x) = g^{-1} D(g x), \quad g \in D_4, \qquad
              \hat x = \tfrac18 \sum_g \hat x_g, \quad s^2 = \tfrac17 \sum_g (\hat x_g - \hat x)^2

    What a flip changes, the data did not decide. s tells where an answer is in doubt, and is no interval: all share
    one net, and what it never learned none of them shows. Arguments are those of `restore`.
    """
    came = pictures.read(y)
    denoise = Prior.load(prior) if isinstance(prior, str | Path) else prior
    told = None if sigma is None else sigma / came.unit
    answers = torch.stack(
        [restore(came.x, operator, _Side(denoise, i), told, solver=solver, seed=seed + i) for i in range(SIDES)]
    )
    return Restored(came.back(answers.mean(0)), (came.unit * answers.std(0)).float().numpy())


@dataclass(frozen=True)
class _Side:
    prior: Denoiser
    side: int

    def __call__(self, x: Tensor, sigma: float, /) -> Tensor:
        return to_side(self.prior(from_side(x, self.side), sigma), self.side)
