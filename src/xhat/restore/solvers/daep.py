"""DAEP: the squared autoencoder error as a prior, by gradient descent."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from xhat.restore.problem import Denoiser, Problem
from xhat.restore.solver import Solver, State, descend
from xhat.restore.solvers._levels import LEAST


@dataclass(frozen=True)
class DAEP(Solver):
    r"""Descend the data's error and the autoencoder's, :math:`\|x - D(x + \eta)\|^2`, with noise drawn anew.

    .. math::
        e &= x - D(x + \eta, \sigma), \quad \eta \sim N(0, \sigma^2) \\
        g_{prior} &= e - J_D(x + \eta)^T e, \qquad g_{data} = A^T (A x - y) \\
        w &= a / (a + 1 / \sigma_n^2), \quad a = 4 \gamma / (2 \sigma^2) \\
        v &\leftarrow \mu v - \alpha [w g_{prior} + (1 - w) g_{data}], \quad x \leftarrow \mathrm{clip}(x + v)

    Without noise in the data w falls as :math:`1 / \sqrt t`.

    Parameters
    ----------
    iterations : int, default=300
        How many.
    sigma : float, default=11/255
        σ, at which the autoencoder is used.
    gamma : float, default=6.875
        γ, how much the prior counts.
    momentum, rate : float, default=0.9 and 0.1
        μ and α.

    References
    ----------
    Bigdeli and Zwicker, "Image Restoration using Autoencoding Priors", 2017.
    """

    iterations: int = 300
    sigma: float = 11 / 255
    gamma: float = 6.875
    momentum: float = 0.9
    rate: float = 0.1

    def step(self, problem: Problem, state: State, t: int) -> State:
        """Step down once."""
        noise = problem.known_sigma("solvers/daep")
        a = 4 * self.gamma / (2 * self.sigma**2)
        w = 1 / t**0.5 if noise < LEAST else a / (a + 1 / noise**2)
        eta = self.sigma * torch.randn_like(state.x)
        g_prior = prior_gradient(problem.prior, state.x, eta, self.sigma)
        return descend(state, w * g_prior + (1 - w) * problem.data_gradient(state.x), self.momentum, self.rate)


def prior_gradient(prior: Denoiser, x: Tensor, eta: Tensor, sigma: float) -> Tensor:
    r"""Give the gradient of :math:`\tfrac12 \|x - D(x + \eta, \sigma)\|^2` at x, by one backward pass."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        copy = prior(x + eta, sigma)
        e = (x - copy).detach()
        (back,) = torch.autograd.grad(copy, x, e)  # J^T e
    return e - back
