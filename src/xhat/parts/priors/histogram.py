"""How often each vector stands at each place: a prior for codes of a codebook."""

from __future__ import annotations

import math
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.errors import ShapeError, require
from xhat.core.prior import Prior
from xhat.core.shapes import Shape, as_shape, per_row, size

WHO = "priors/histogram"
# Vectors that are counted at most; rows are left out evenly where there are more.
MOST = 2**18


class Histogram(Prior):
    r"""Places are independent, and each draws from the vectors that were seen there.

    .. math:: \log p(z) = \sum_p \log \frac{n_p(z_p)}{N + 1}

    with :math:`n_p(v)` how often v was seen at place p in N rows, and 1 for all vectors together that never were.
    Until `fit` has seen codes, it is the standard normal.

    Parameters
    ----------
    code_shape : tuple of int
        The shape of one code.
    groups : int, default=1
        How many vectors the first axis is, as the bottleneck splits it.
    cells : int, default=0
        How many pairs of a place and a vector were seen. Set by `fit`; kept here so that a saved model knows its form.
    """

    continuous = False

    vectors: Tensor
    counts: Tensor
    place: Tensor

    def __init__(self, code_shape: Shape, *, groups: int = 1, cells: int = 0) -> None:
        super().__init__()
        self.code_shape = as_shape(code_shape, WHO)
        channels = self.code_shape[0]
        divides = isinstance(groups, int) and groups >= 1 and channels % groups == 0
        rule = f"groups must divide the code's {channels} numbers"
        require(divides, WHO, rule, groups, "give the bottleneck's", error=ShapeError)
        self.groups, self.cells = groups, cells
        self.register_buffer("vectors", torch.zeros(cells, channels // groups))
        self.register_buffer("counts", torch.zeros(cells, dtype=torch.int64))
        self.register_buffer("place", torch.zeros(cells, dtype=torch.int64))  # of each vector, in rising order

    def sample(self, n: int) -> Tensor:
        """Draw `n` codes, (n, *code_shape)."""
        if self.cells == 0:
            return torch.randn(n, *self.code_shape, dtype=self.vectors.dtype, device=self.vectors.device)
        places = int(self.place[-1]) + 1
        rows = int(self.counts.sum()) // places
        # Each place counts the same rows: one row's number finds the place's vector in the running sum.
        drawn = torch.randint(rows, (n, places), device=self.counts.device)
        drawn = drawn + rows * torch.arange(places, device=drawn.device)
        cell = torch.searchsorted(self.counts.cumsum(0), drawn, right=True)  # (n, P)
        grid, width = self.code_shape[1:], self.vectors.shape[1]
        return self.vectors[cell].view(n, self.groups, *grid, width).movedim(-1, 2).flatten(1, 2)

    def log_prob(self, z: Float[Tensor, "N *Z"]) -> Float[Tensor, "N"]:
        """Log-probability of codes in nats; before `fit`, the density of the standard normal."""
        if self.cells == 0:
            return per_row(-0.5 * (z**2 + math.log(2 * math.pi)))
        logs = []
        for p, v in enumerate(self._split(z).unbind(1)):  # (N, d)
            here = self.place == p
            vectors, counts = self.vectors[here], self.counts[here]
            nearest = torch.cdist(v, vectors, compute_mode="donot_use_mm_for_euclid_dist").argmin(1)
            # What a file or another machine has rounded is still the same vector.
            seen = torch.isclose(vectors[nearest], v, rtol=1e-4, atol=1e-6).all(1)
            logs.append(torch.where(seen, counts[nearest], 1).log() - math.log(int(counts.sum()) + 1))
        return torch.stack(logs, 1).sum(1)

    def fit(self, z: Float[Tensor, "N *Z"]) -> None:
        """Count the vectors at each place."""
        z = z.detach()[:: -(-len(z) * size(self.code_shape[1:]) * self.groups // MOST)]
        v = self._split(z).to(self.vectors) + 0.0  # (N, P, d)  Of -0 and 0, which are one vector, it makes 0.
        place = torch.arange(v.shape[1], device=v.device).to(v)[None, :, None].expand(*v.shape[:2], 1)
        cells, counts = torch.cat([place, v], 2).flatten(0, 1).unique(dim=0, return_counts=True)
        self.cells, self.counts = len(cells), counts
        self.place, self.vectors = cells[:, 0].long(), cells[:, 1:].contiguous()

    def _split(self, z: Float[Tensor, "N *Z"]) -> Float[Tensor, "N P d"]:
        return z.unflatten(1, (self.groups, -1)).movedim(2, -1).flatten(1, -2)

    @classmethod
    def example(cls) -> Self:
        """Count codes of three numbers, each by itself."""
        return cls((3,), groups=3)
