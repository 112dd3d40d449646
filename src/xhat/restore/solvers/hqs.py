"""HQS: half-quadratic splitting, a data step and a denoising step in turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from xhat.restore.operator import Operator
from xhat.restore.operators.blur import Blur
from xhat.restore.operators.compress_sense import CompressSense
from xhat.restore.operators.demosaic import Demosaic
from xhat.restore.operators.inpaint import Inpaint
from xhat.restore.problem import Problem
from xhat.restore.solver import Solver, State
from xhat.restore.solvers._levels import LEAST, answer, data_step, level, prior_step


@dataclass(frozen=True)
class HQS(Solver):
    r"""Solve for the data, denoise, and trust the denoiser more and more.

    .. math::
        x_k &= \arg\min_x \|A x - y\|^2 + \rho_k \|x - z_{k-1}\|^2, \qquad
        \rho_k = \lambda \sigma_n^2 / \sigma_k^2 \\
        z_k &= g_k^{-1} D(g_k \, \mathrm{clip}(x_k), \sigma_k)

    :math:`\sigma_k` falls geometrically from `first` to the noise's own strength, or to `last` where that is less, and
    stays there from the start where the noise is stronger than `first`; :math:`g_k` goes through the eight flips and
    turns. :math:`x_k` is exact where the operator has a closed form, otherwise what conjugate gradients reach
    (`Operator.most`). The answer is the last z, or where there is no noise what one more data step makes of it.

    Parameters
    ----------
    iterations : int, default=8
        How many; what leaves out much of an image takes 24 or more (`suited`).
    weight : float, default=0.23
        λ, how much the prior counts.
    first, last : float, default=49/255 and 2/255
        Ends of σ's way.

    References
    ----------
    Zhang et al., "Plug-and-Play Image Restoration with Deep Denoiser Prior", TPAMI 2021: λ, `first`, the numbers of
    iterations and the sides.
    """

    iterations: int = 8
    weight: float = 0.23
    first: float = 49 / 255
    last: float = 2 / 255

    def step(self, problem: Problem, state: State, t: int) -> State:
        """Take a data step and a denoising step."""
        noise = max(problem.known_sigma("solvers/hqs"), LEAST)
        last = max(self.last, noise)
        sigma = level(t, self.iterations, max(self.first, last), last)
        x = data_step(problem, state.x, noise, sigma, self.weight).clamp(0.0, 1.0)
        z = prior_step(problem, x, sigma, t)
        return State(answer(problem, z, noise, sigma, self.weight) if t == self.iterations else z, x)

    @classmethod
    def suited(cls, operator: Operator) -> Self:
        """Make one with more steps for what leaves out much of an image, between the ends that suit it."""
        # PSNR in brackets: of crops of BSDS500's training part, 64 x 64, without noise, with a prior in training.
        if isinstance(operator, Blur):
            return cls()
        if isinstance(operator, Demosaic):
            # Most of a mosaic is right from the start: (36.0 dB) from 0.6, the paper's, and (34.9) from 2.
            return cls(iterations=24, last=0.6 / 255)
        if isinstance(operator, Inpaint):
            # Of 80 % hidden pixels (25.7) from 25 and (25.4) from 49: the start is better than 49 takes it for.
            return cls(iterations=24, first=25 / 255)
        if isinstance(operator, CompressSense):
            # Its start is no picture yet but noise of about this strength: (28.0), and (27.1) by 24 steps from 49.
            return cls(iterations=48, first=100 / 255)
        return cls(iterations=24)  # enlarging: (31.4) for `last` of 1, 2 and 4, (31.3) of 0.5
