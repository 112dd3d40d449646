"""Patches of an image hidden at random: the same number of each row."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from xhat.core.corruption import Corruption
from xhat.core.errors import ShapeError, require

WHO = "corruptions/patch_masking"


class PatchMasking(Corruption):
    """Whole patches are replaced by `value`, in all channels.

    Every row loses the same number of patches, so that an encoder which skips them costs the same for each. At
    least one stays.

    Parameters
    ----------
    share : float, default=0.75
        The part of an image's patches that is hidden. Must lie in [0, 1).
    patch : int, default=4
        Pixels on a patch's side; the encoder's own, or a multiple. Patches on the lower and right border may be cut.
    value : float, default=0.0
        What a hidden pixel becomes, in the scaled data's units.

    References
    ----------
    He et al., "Masked Autoencoders Are Scalable Vision Learners", CVPR 2022.
    """

    hides = True

    def __init__(self, share: float = 0.75, *, patch: int = 4, value: float = 0.0) -> None:
        super().__init__()
        require(0 <= share < 1, WHO, "share must lie in [0, 1)", share, "0.75 hides three patches of four")
        require(patch >= 1, WHO, "patch must be >= 1", patch, "use the encoder's patch")
        self.share, self.patch, self.value = share, patch, value

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Hide patches of images x."""
        return torch.where(self.visible(x), x, self.value)

    def visible(self, x: Tensor) -> Bool[Tensor, "B 1 H W"]:
        """Draw which pixels of images x (B, C, H, W) stay visible."""
        hint = "use corruptions/masking, which takes any shape"
        require(x.ndim == 4, WHO, "needs images of shape (B, C, H, W)", tuple(x.shape), hint, error=ShapeError)
        height, width = x.shape[2:]
        grid = (-(-height // self.patch), -(-width // self.patch))
        count = grid[0] * grid[1]
        kept = max(count - round(self.share * count), 1)
        # The ranks of noise are a random order of the patches.
        rank = torch.rand(x.shape[0], count, device=x.device).argsort(1).argsort(1)
        patches = (rank < kept).unflatten(1, (1, *grid))  # (B, 1, rows, columns)
        pixels = patches.repeat_interleave(self.patch, 2).repeat_interleave(self.patch, 3)
        return pixels[:, :, :height, :width]

    @classmethod
    def example(cls) -> Self:
        """Hide half of the patches of two pixels a side."""
        return cls(0.5, patch=2)
