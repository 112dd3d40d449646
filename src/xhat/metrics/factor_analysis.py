"""Factor analysis of rows with gaps: the linear model that fills them, in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.errors import require
from xhat.parts.nets._factors import factors_given

# Pseudo-rows that pull each loading to 0: with a handful of rows that share two columns, likelihood alone overfits.
PULL = 2.0
# No column is copied more exactly than this share of its variance: such a likelihood would have no maximum.
LEAST = 1e-3
# Rows that are looked at, and their values: more tell a linear model little.
MOST, VALUES = 4096, 2**20
LEAST_ROWS = 1024
# Of a column that these rows lack, so many that have it are looked at as well.
RARE = 16
STEPS = 100
# EM has ended where no column's ψ changes by more than this share of the column's variance.
TOLERANCE = 1e-4
# The same while numbers of factors are compared.
ROUGHLY = 1e-3
# Fewer factors are taken, where they fill gaps nearly as well as the best number.
NEAR = 1.01


@dataclass(frozen=True)
class FactorAnalysis:
    r"""Columns that depend on a few common factors, and for the rest each on itself.

    .. math:: x = W z + \mu + \epsilon, \qquad z \sim N(0, I), \quad \epsilon \sim N(0, \mathrm{diag}\, \psi)

    Given what was observed of a row, with :math:`W_o` its columns' loadings, the factors are

    .. math:: z | x_o \sim N(C W_o^T \Psi_o^{-1} (x_o - \mu_o),\ C), \qquad C = (I + W_o^T \Psi_o^{-1} W_o)^{-1}.

    Parameters
    ----------
    mean : Tensor of shape (D,)
        :math:`\mu`.
    loadings : Tensor of shape (D, K)
        W, turned so that :math:`W^T \Psi^{-1} W` is diagonal: the factors of a whole row are then independent.
    noise : Tensor of shape (D,)
        :math:`\psi`, variances.

    References
    ----------
    Rubin and Thayer, "EM Algorithms for ML Factor Analysis", Psychometrika 1982; with gaps the sums of each column run
    over the rows that have it. Tipping and Bishop 1999 for equal ψ.
    """

    mean: Float[Tensor, "D"]
    loadings: Float[Tensor, "D K"]
    noise: Float[Tensor, "D"]

    @classmethod
    def fit(cls, x: Float[Tensor, "N D"], k: int, *, steps: int = STEPS, tolerance: float = TOLERANCE) -> Self:
        """Fit by expectation and maximisation; columns may be in any units.

        Parameters
        ----------
        x : Tensor of shape (N, D)
            Rows with NaN in their gaps.
        k : int
            K, how many factors, >= 1.
        steps : int
            Of EM, at most.
        tolerance : float
            Steps end where each ψ changes by at most this share of its column's variance.
        """
        require(k >= 1, "FactorAnalysis", "k must be >= 1", k, "1 to D - 1 are usual")
        x = _some(x).double()
        unit = _spread(x)  # (D,)
        x = x / unit
        seen = (~x.isnan()).double()  # (N, D)
        x = x.nan_to_num()
        count = seen.sum(0).clamp(min=1)  # (D,)
        mean = x.sum(0) / count
        # PCA with 0 in the gaps is no maximum, but near one.
        _, widths, axes = torch.linalg.svd((x - mean) * seen, full_matrices=False)
        loadings = x.new_zeros(x.shape[1], k)
        known = min(k, len(widths))
        loadings[:, :known] = axes[:known].T * widths[:known] / len(x) ** 0.5
        # A symmetric start would keep factors that nothing sets apart equal for ever.
        loadings += 1e-3 * torch.sin(torch.arange(1.0, loadings.numel() + 1).to(x)).view_as(loadings)
        fitted = cls(mean, loadings, torch.ones_like(mean))
        for _ in range(steps):
            before, fitted = fitted, fitted._improved(x, seen, count)
            if (fitted.noise - before.noise).abs().max() <= tolerance:
                break
        turn = torch.linalg.eigh(fitted.loadings.T @ (fitted.loadings / fitted.noise[:, None])).eigenvectors.flip(1)
        return cls(unit * fitted.mean, unit[:, None] * fitted.loadings @ turn, unit**2 * fitted.noise)

    def _improved(self, x: Tensor, seen: Tensor, count: Tensor) -> Self:
        z, c = factors_given(x, seen, self.mean, self.loadings, self.noise)  # E[z], Cov[z]: (N, K), (N, K, K)
        k = z.shape[1]
        z1 = torch.cat([z, torch.ones_like(z[:, :1])], 1)  # (N, K+1): the last loading is the mean
        zz = z1[:, :, None] * z1[:, None, :]
        zz[:, :k, :k] += c
        squares = (seen.T @ zz.flatten(1)).unflatten(1, (k + 1, k + 1))  # (D, K+1, K+1), over the rows that have it
        products = (x * seen).T @ z1  # (D, K+1)
        pull = PULL * torch.eye(k + 1).to(x)
        pull[k, k] = 1e-9
        w = torch.linalg.solve(squares + pull, products)
        left = ((x**2) * seen).sum(0) - 2 * (w * products).sum(1) + torch.einsum("dk,dkl,dl->d", w, squares, w)
        return type(self)(w[:, k], w[:, :k], (left / count).clamp(min=LEAST))

    def filled(self, x: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
        """Put E[x_m | x_o] in the gaps of rows, in float64."""
        gaps = x.isnan()
        known = x.double().nan_to_num()
        z, _ = factors_given(known, (~gaps).double(), self.mean, self.loadings, self.noise)
        return torch.where(gaps, z @ self.loadings.T + self.mean, known)


def likely_factors(x: Float[Tensor, "N D"], candidates: tuple[int, ...], *, seed: int = 0, share: float = 0.1) -> int:
    """Choose how many factors by hiding a share of the observed values and filling them.

    Errors are counted in units of each column's spread. Of each column the largest draw stays, so that none is hidden
    whole: one that few rows have must not decide for all.

    Parameters
    ----------
    x : Tensor of shape (N, D)
        Rows with NaN in their gaps.
    candidates : tuple of int
        Numbers of factors to try.
    seed : int
        Of what is hidden.
    share : float
        How much of what was observed is hidden.
    """
    x = _some(x).double()
    x = x / _spread(x)
    generator = torch.Generator().manual_seed(seed)
    draw = torch.rand(x.shape, generator=generator, dtype=x.dtype).masked_fill(x.isnan(), -1)
    hidden = (draw < share) & ~x.isnan()
    hidden[draw.argmax(0), torch.arange(x.shape[1])] = False
    if not hidden.any():
        return min(candidates)
    shown = x.masked_fill(hidden, torch.nan)
    fits = {k: FactorAnalysis.fit(shown, k, tolerance=ROUGHLY) for k in candidates}
    errors = {k: float((fit.filled(shown) - x)[hidden].square().mean()) for k, fit in fits.items()}
    return next(k for k in sorted(candidates) if errors[k] <= NEAR * min(errors.values()))


def _some(x: Float[Tensor, "N D"]) -> Float[Tensor, "M D"]:
    """Draw some rows, with some of those that alone have a column: in order, rows might repeat as hours and days do."""
    most = min(MOST, max(LEAST_ROWS, VALUES // x.shape[1]))
    if len(x) <= most:
        return x
    rows = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))[:most]
    lacking = x[rows].isnan().all(0).nonzero()[:, 0]
    rare = [(~x[:, column].isnan()).nonzero()[:RARE, 0] for column in lacking]
    return x[torch.cat([rows, *rare]).unique()]


def _spread(x: Float[Tensor, "N D"]) -> Float[Tensor, "D"]:
    """Give each column's standard deviation over the rows that have it; 1 where it has none."""
    spread = (x - x.nanmean(0)).square().nanmean(0).sqrt()
    return torch.where(spread > 0, spread, 1.0)  # NaN is not > 0
