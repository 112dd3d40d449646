"""Patch transformer (ViT): an image as a grid of patches that look at one another; may skip the hidden ones."""

from __future__ import annotations

from typing import Any, Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import pad, pixel_shuffle, pixel_unshuffle

from xhat.core.decoder import Decoder
from xhat.core.encoder import Encoder
from xhat.core.errors import require
from xhat.core.shapes import Shape, as_shape
from xhat.parts.nets._attention import Block, check_sizes
from xhat.parts.nets._blocks import last_layer, started
from xhat.parts.nets._grids import foot, head, image
from xhat.parts.nets._masks import first

WHO = "nets/patch"


class PatchEncoder(Encoder):
    """Patches become tokens, tokens look at one another, and a linear map reads them; any image size.

    Given what is visible, the encoder takes the patches with a visible pixel and no others, so that its cost falls
    with what a corruption hides. A hidden patch then is a zero among the tokens that the linear map reads, which
    thus puts its bias there: of a spatial code the bias is the learned mask token.

    Parameters
    ----------
    in_shape : tuple of int
        (C, H, W). Sizes that are no multiple of the patch are padded with zeros below and on the right.
    out_shape : tuple of int
        Of a flat encoding, (H,), or of a spatial one, (C', H', W'), with a place for each patch.
    patch : int, default=4
        Pixels on a patch's side.
    width : int, default=128
        Of a token. Must be a multiple of 4 and of `heads`.
    depth : int, default=4
        Transformer blocks.
    heads : int, default=4
        Attention heads.

    References
    ----------
    Dosovitskiy et al., "An Image Is Worth 16x16 Words", ICLR 2021. He et al., "Masked Autoencoders Are Scalable
    Vision Learners", CVPR 2022.
    """

    reads_visible = True
    places: Tensor

    def __init__(
        self,
        in_shape: Shape,
        out_shape: Shape,
        *,
        patch: int = 4,
        width: int = 128,
        depth: int = 4,
        heads: int = 4,
    ) -> None:
        super().__init__()
        self.in_shape, self.out_shape = image(in_shape, WHO), as_shape(out_shape, WHO)
        self.patch, self.width, self.depth, self.heads = _checked(patch), width, depth, heads
        grid = _grid(self.in_shape, patch)
        self.embed = started(nn.Linear(self.in_shape[0] * patch**2, width), gain=1.0)
        self.register_buffer("places", waves(grid, width), persistent=False)
        self.blocks = _blocks(width, depth, heads)
        self.norm = nn.LayerNorm(width)
        self.cells = grid
        self.head = head(width, grid, self.out_shape, WHO)

    def forward(
        self, x: Float[Tensor, "B C H W"], visible: Bool[Tensor, "B _C H W"] | None = None
    ) -> Float[Tensor, "B *H"]:
        """Encode images, or what is visible of them."""
        patches = _patches(x, self.patch)  # (B, N, C*p*p)
        tokens = self._all(patches) if visible is None else self._some(patches, visible)  # (B, N, width)
        return self.head(tokens.transpose(1, 2).unflatten(2, self.cells))

    def _all(self, patches: Tensor) -> Tensor:
        tokens = self.embed(patches) + self.places
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)

    def _some(self, patches: Tensor, visible: Tensor) -> Tensor:
        seen = _patches(visible.any(1, keepdim=True).to(patches.dtype), self.patch).amax(2) > 0  # (B, N)
        count = seen.sum(1)
        most, least = (max(int(n), 1) for n in (count.max(), count.min()))
        chosen = first(seen)[:, :most]  # (B, n)
        tokens = self.embed(patches.gather(1, _wide(chosen, patches.shape[2]))) + self.places[chosen]
        # Rows that see fewer than the others are filled up with patches that nobody looks at.
        there = torch.arange(most, device=count.device) < count.unsqueeze(1)  # (B, n)
        for block in self.blocks:
            tokens = block(tokens, None if least == most and count.min() > 0 else there)
        tokens = torch.where(there.unsqueeze(2), self.norm(tokens), 0.0)
        empty = tokens.new_zeros(len(tokens), seen.shape[1], self.width)
        return empty.scatter(1, _wide(chosen, self.width), tokens)

    @property
    def last(self) -> nn.Module:
        """The last layer with weights."""
        return last_layer(self.head)

    @classmethod
    def grid(cls, in_shape: Shape, *, patch: int = 4, **_: Any) -> Shape:
        """Give each patch a place."""
        return _grid(image(in_shape, WHO), patch)

    @classmethod
    def example(cls) -> Self:
        """Encode two-channel images whose size is no multiple of the patch."""
        return cls((2, 5, 7), (3,), patch=3, width=8, depth=1, heads=2)


class PatchDecoder(Decoder):
    """A linear map makes a token for each patch, tokens look at one another, and each writes its pixels.

    A masked autoencoder's targets, normalised patch by patch, are a likelihood: `likelihoods/norm_pix`.

    Parameters
    ----------
    in_shape : tuple of int
        Of a flat code, (Z,), or of a spatial one, (C', H', W'), with a place for each patch.
    out_shape : tuple of int
        (C, H, W).
    patch, width, depth, heads
        As the encoder's. A masked autoencoder's decoder may well be narrower and shallower.
    """

    places: Tensor

    def __init__(
        self,
        in_shape: Shape,
        out_shape: Shape,
        *,
        patch: int = 4,
        width: int = 128,
        depth: int = 4,
        heads: int = 4,
    ) -> None:
        super().__init__()
        self.in_shape, self.out_shape = as_shape(in_shape, WHO), image(out_shape, WHO)
        self.patch, self.width, self.depth, self.heads = _checked(patch), width, depth, heads
        self.cells = _grid(self.out_shape, patch)
        self.foot = foot(self.in_shape, width, self.cells, WHO)
        self.register_buffer("places", waves(self.cells, width), persistent=False)
        self.blocks = _blocks(width, depth, heads)
        self.norm = nn.LayerNorm(width)
        self.head = started(nn.Linear(width, self.out_shape[0] * patch**2), gain=1.0)

    def forward(self, z: Float[Tensor, "B *Z"]) -> Float[Tensor, "B C H W"]:
        """Decode codes to images of parameters."""
        tokens = self.foot(z).flatten(2).transpose(1, 2) + self.places  # (B, N, width)
        for block in self.blocks:
            tokens = block(tokens)
        patches = self.head(self.norm(tokens))  # (B, N, C*p*p)
        pixels = pixel_shuffle(patches.transpose(1, 2).unflatten(2, self.cells), self.patch)
        return pixels[:, :, : self.out_shape[1], : self.out_shape[2]]

    @property
    def last(self) -> nn.Module:
        """The last layer with weights."""
        return self.head

    @classmethod
    def example(cls) -> Self:
        """Decode to two-channel images whose size is no multiple of the patch."""
        return cls((3,), (2, 5, 7), patch=3, width=8, depth=1, heads=2)


def waves(grid: tuple[int, int], width: int) -> Float[Tensor, "N width"]:
    r"""Tell places of a grid apart by sines and cosines of their row and of their column.

    .. math:: \sin(\omega_k i), \cos(\omega_k i), \sin(\omega_k j), \cos(\omega_k j), \qquad
              \omega_k = 10000^{-4 k / \mathrm{width}}
    """
    omega = 10000.0 ** (-torch.arange(width // 4) / (width / 4))
    row, column = (torch.outer(torch.arange(n).float(), omega) for n in grid)
    row, column = (torch.cat([angle.sin(), angle.cos()], 1) for angle in (row, column))  # (n, width / 2)
    spread = (row.unsqueeze(1).expand(-1, grid[1], -1), column.unsqueeze(0).expand(grid[0], -1, -1))
    return torch.cat(spread, 2).flatten(0, 1)


def _patches(x: Tensor, patch: int) -> Tensor:
    """Cut images into patches, (B, C, H, W) -> (B, N, C*p*p), padding what is no multiple."""
    below, right = (-n % patch for n in x.shape[2:])
    return pixel_unshuffle(pad(x, (0, right, 0, below)), patch).flatten(2).transpose(1, 2)


def _wide(index: Tensor, width: int) -> Tensor:
    return index.unsqueeze(2).expand(-1, -1, width)


def _grid(shape: Shape, patch: int) -> tuple[int, int]:
    return -(-shape[1] // patch), -(-shape[2] // patch)


def _blocks(width: int, depth: int, heads: int) -> nn.ModuleList:
    check_sizes(width, depth, heads, WHO)
    hint = f"try {max(width // 4, 1) * 4}"
    require(width % 4 == 0, WHO, "width must be a multiple of 4, for the places' sines and cosines", width, hint)
    return nn.ModuleList(Block(width, heads) for _ in range(depth))


def _checked(patch: int) -> int:
    require(patch >= 1, WHO, "patch must be >= 1", patch, "as 4 for images of 32 pixels, 16 for 224")
    return patch
