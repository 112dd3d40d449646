"""Uncertainty: how far answers differ that ought to be the same, in units of how far they are wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from xhat.parts.objectives.symmetries import SIDES, from_side, to_side
from xhat.restore.calibration import calibration
from xhat.restore.operator import Operator
from xhat.restore.plan import Plan, counted_on, make_plan
from xhat.restore.problem import Denoiser
from xhat.restore.solver import Solver, Watch

# What white may stand for, in 8-bit steps: the least that holds nearly all pixels.
WHITES = (1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 255)
BRIGHTEST = 0.995
# A single pixel's spread scatters: it has seven degrees of freedom. Neighbours and channels are in doubt together.
WINDOW = 5
# Answers that differ by less than a twentieth of an 8-bit step agree: the data decided them, and their neighbours'
# doubt is none of theirs.
AGREED = 0.05 / 255


@dataclass(frozen=True, eq=False)
class Restored:
    """An answer and its doubt.

    Parameters
    ----------
    picture : of the measurement's own kind
        The mean of the answers.
    spread : array of shape (H, W), or (B, H, W) of a batch
        In the picture's own units, calibrated: on pictures like those that it was measured on, 95 % of the pixels lie
        within two of it.
    """

    picture: Any
    spread: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Drawn:
    """Doubt as a gray picture.

    Parameters
    ----------
    pixels : uint8 array of shape (H, W)
        Two spreads, brighter where there is more.
    white : int
        What white is, in steps of 0 to 255.
    """

    pixels: NDArray[np.uint8]
    white: int

    @classmethod
    def of(cls, spread: NDArray[np.float32], unit: float) -> Self:
        """Draw the spread (H, W) of a picture whose white is `unit`."""
        steps = 2 * spread * (255 / unit)
        most = float(np.quantile(steps, BRIGHTEST))
        white = next((white for white in WHITES if white >= most), WHITES[-1])
        return cls(np.rint(255 * np.minimum(steps / white, 1)).astype(np.uint8), white)


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
              \hat x = \tfrac18 \sum_g \hat x_g, \quad s^2 = \tfrac17 \sum_g (\hat x_g - \hat x)^2, \quad
              u = c \sqrt{\overline{s^2}}

    What a flip changes, the data did not decide. All sides share one net and err together, so that s is too small:
    :math:`\overline{s^2}` is its mean over channels and 5 x 5 pixels, those left out on which all agree, and c is what
    makes two u hold 95 % of the errors on pictures apart from training (`calibration`). That is a promise about many
    pixels of such pictures, none about each: what the net never learned none of its sides shows. Arguments are those
    of `front.restore`.
    """
    found = doubted(make_plan(y, operator, prior, sigma, solver=solver), seed)
    # Measurements may have any axes: what came back tells whether there are several images.
    several = isinstance(found.picture, Tensor) and found.picture.ndim == 4
    return found if several else replace(found, spread=found.spread[0])


def doubted(plan: Plan, seed: int = 0, watch: Watch | None = None) -> Restored:
    """Carry a plan out eight times.

    Parameters
    ----------
    plan : Plan
        What to solve, and how.
    seed : int, default=0
        Of the first answer; each other one has the next.
    watch : callable, optional
        Called after each iteration with its number, counted on from answer to answer, and its images.
    """
    mean, squares = torch.zeros(()), torch.zeros(())
    for side in range(SIDES):
        on = None if watch is None else counted_on(watch, side * plan.steps)
        x = plan.answer(seed + side, on, partial(_Side, side))
        # One answer at a time: eight of a large picture may not fit where one does.
        away = x - mean
        mean = mean + away / (side + 1)
        squares = squares + away * (x - mean)
    spread = calibration(plan).factor * pooled(squares / (SIDES - 1)).sqrt()
    return Restored(plan.came.back(mean), (plan.came.unit * spread).float().numpy())


def pooled(variance: Float[Tensor, "B C H W"]) -> Float[Tensor, "B H W"]:
    """Give the mean of variances over channels and neighbours, of those pixels that are in doubt at all."""
    each = variance.mean(1, keepdim=True)
    doubted = (each > AGREED**2).to(each.dtype)
    total, share = (_around(part) for part in (each * doubted, doubted))
    return torch.where(doubted > 0, total / share.clamp(min=1e-9), each)[:, 0]


def _around(x: Tensor) -> Tensor:
    reach = WINDOW // 2
    return avg_pool2d(pad(x, (reach,) * 4, mode="replicate"), WINDOW, 1)


@dataclass(frozen=True)
class _Side:
    side: int
    prior: Denoiser

    def __call__(self, x: Tensor, sigma: float, /) -> Tensor:
        return to_side(self.prior(from_side(x, self.side), sigma), self.side)
