"""The code keeps the k·B largest entries of a batch: more for a row that has more to say."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import relu

from xhat.core.bottleneck import Bottleneck
from xhat.core.errors import require
from xhat.core.shapes import Shape, as_shape, size
from xhat.core.sparse_code import SparseCode
from xhat.parts.bottlenecks._silence import Silence

# Of a new batch's threshold in the running one: a memory of twenty batches.
NEW = 0.05


class BatchTopK(Bottleneck):
    r"""Keep the k·B entries of a batch that are largest, k a row on average.

    .. math:: z = h \cdot [h \ge \theta, h > 0]

    In training θ is the (k·B)-th largest entry of the batch. In evaluation it is the running mean of these, so that a
    row's code does not depend on its batch.

    Parameters
    ----------
    code_shape : tuple of int
        The shape of one code.
    k : int, default=16
        Active units a row, on average.
    silent_after : int, default=10000
        Training rows without firing after which a unit counts as silent.
    revived : int, optional
        Silent units a row that are given for revival; an eighth of all, at most 512, by default.

    References
    ----------
    Bussmann et al., "BatchTopK Sparse Autoencoders", 2024, section 3.
    """

    emits = SparseCode
    threshold: Tensor

    def __init__(
        self, code_shape: Shape, k: int = 16, *, silent_after: int = 10_000, revived: int | None = None
    ) -> None:
        super().__init__()
        self.code_shape = as_shape(code_shape, "BatchTopK")
        units = size(self.code_shape)
        rule = f"k must be between 1 and the code's {units} units"
        require(1 <= k <= units, "BatchTopK", rule, k, "give the code more units, or keep fewer")
        self.k, self.silent_after, self.revived = k, silent_after, revived
        self.silence = Silence(self.code_shape, silent_after, revived, "BatchTopK")
        self.register_buffer("threshold", torch.zeros(()))

    def begin(self, h: Float[Tensor, "N *Z"]) -> None:
        """Take the first threshold from some encodings."""
        self.threshold = self._of_batch(h)

    def forward(self, h: Float[Tensor, "B *Z"]) -> SparseCode:
        """Keep what reaches the threshold."""
        threshold = self._of_batch(h) if self.training else self.threshold
        z = torch.where(h >= threshold, relu(h), 0)
        silent = self.silence.heard(h)
        if self.training and torch.is_grad_enabled():
            self.silence.watch(z)
            # At the very first batch there is no mean to move.
            self.threshold = torch.where(self.threshold == 0, threshold, torch.lerp(self.threshold, threshold, NEW))
        return SparseCode(z, silent)

    @torch.no_grad()
    def _of_batch(self, h: Float[Tensor, "B *Z"]) -> Tensor:
        return relu(h).flatten().topk(self.k * len(h), sorted=False).values.min()

    @classmethod
    def example(cls) -> Self:
        """Keep two numbers of eight, on average."""
        return cls((8,), 2)
