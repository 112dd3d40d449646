"""Compressed sensing: a few random mixtures of all pixels."""

from __future__ import annotations

import math
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.errors import ShapeError, require
from xhat.core.shapes import Shape, size
from xhat.restore.operator import Operator

WHO = "operators/compress_sense"


class CompressSense(Operator):
    r"""Keep a random part of the cosine transform of an image whose pixels' signs were drawn.

    .. math:: y = S F \, \mathrm{diag}(\pm 1) \, x, \qquad A A^T = I

    with F the orthonormal transform of both axes and S a choice of M numbers. Like dense Gaussian mixtures it sees
    every pixel in every number, at the cost of two small matrix products.

    Parameters
    ----------
    shape : tuple of int
        (C, H, W) of one image.
    share : float, default=0.25
        M as a share of an image's numbers, in (0, 1].
    seed : int, default=0
        Of the signs and of the choice.

    References
    ----------
    Do et al., "Fast and Efficient Compressive Sensing Using Structurally Random Matrices", TSP 2012.
    """

    signs: Tensor
    kept: Tensor

    def __init__(self, shape: Shape, share: float = 0.25, seed: int = 0) -> None:
        super().__init__()
        require(len(shape) == 3, WHO, "needs images of shape (C, H, W)", shape, error=ShapeError)
        require(0 < share <= 1, WHO, "share must lie in (0, 1]", share, "0.25 keeps a quarter")
        self.shape, self.share, self.seed = tuple(shape), share, seed
        generator = torch.Generator().manual_seed(seed)
        self.register_buffer("signs", torch.randint(2, self.shape, generator=generator) * 2 - 1)
        order = torch.randperm(size(self.shape), generator=generator)
        self.register_buffer("kept", order[: max(1, round(share * size(self.shape)))].sort().values)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B M"]:
        """Mix images."""
        came, rule = tuple(x.shape[1:]), f"reads images of shape {self.shape}"
        require(came == self.shape, WHO, rule, came, "make an operator of their shape", error=ShapeError)
        mixed = cosines(x.shape[-2]).to(x) @ (self.signs * x) @ cosines(x.shape[-1]).to(x).T
        return mixed.flatten(1)[:, self.kept]

    def adjoint(self, y: Float[Tensor, "B M"]) -> Float[Tensor, "B C H W"]:
        """Unmix, with zeros for what was not kept."""
        fits, rule = (
            y.ndim == 2 and y.shape[1] == len(self.kept),
            f"measurements must be of shape (B, {len(self.kept)})",
        )
        require(fits, WHO, rule, tuple(y.shape), "give each image a row", error=ShapeError)
        whole = y.new_zeros(len(y), size(self.shape)).index_copy(1, self.kept, y).unflatten(1, self.shape)
        return self.signs * (cosines(self.shape[-2]).to(y).T @ whole @ cosines(self.shape[-1]).to(y))

    def prox(self, v: Float[Tensor, "B C H W"], y: Float[Tensor, "B M"], rho: float) -> Float[Tensor, "B C H W"]:
        r"""Give :math:`v + A^T (y - A v) / (1 + \rho)`, since :math:`A A^T = I`."""
        return v + self.adjoint(y - self(v)) / (1 + rho)

    @classmethod
    def example(cls) -> Self:
        """Keep a third of colour images of 12 x 10."""
        return cls((3, 12, 10), share=1 / 3)


def cosines(n: int) -> Float[Tensor, "n n"]:
    """Give the orthonormal cosine transform of n numbers, DCT-II."""
    k, i = torch.arange(n, dtype=torch.float64)[:, None], torch.arange(n, dtype=torch.float64)
    basis = math.sqrt(2 / n) * torch.cos(math.pi * k * (2 * i + 1) / (2 * n))
    basis[0] /= math.sqrt(2)
    return basis
