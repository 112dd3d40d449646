"""Set net: elements that look at one another, gathered into one code whatever their order and number."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from xhat.core.batch import Batch
from xhat.core.decoder import Decoder
from xhat.core.encoder import Encoder
from xhat.core.errors import ShapeError, require
from xhat.core.shapes import Shape, as_shape, size, spread
from xhat.parts.nets._attention import Attention, Block, check_sizes
from xhat.parts.nets._blocks import dense, started
from xhat.parts.nets._masks import check_mask, check_rows

WHO = "nets/set"


class SetEncoder(Encoder):
    r"""Set transformer: a learned seed looks at the elements, which have looked at one another.

    .. math:: t = \mathrm{blocks}(\mathrm{mlp}(x)), \qquad h = W\, [\mathrm{attention}(s, t),\, m / n] + b

    with the seed s and the share m / n of elements that are there, which a mean would forget. Any order of the
    elements gives the same h; train with likelihoods/matched, which does not ask for an order either.

    Parameters
    ----------
    in_shape : tuple of int
        (n, D): at most n elements of D numbers. Smaller sets are padded, with False in the mask (B, n); a mask of
        entries, (B, n, D), blanks those that are missing.
    out_shape : tuple of int
        Of an encoding; any number of axes.
    width : int, default=128
        Of an element's token. Must be a multiple of `heads`.
    depth : int, default=2
        Transformer blocks.
    heads : int, default=4
        Attention heads.

    References
    ----------
    Lee et al., "Set Transformer", ICML 2019. Zaheer et al., "Deep Sets", NeurIPS 2017.
    """

    reads_mask = True

    def __init__(self, in_shape: Shape, out_shape: Shape, *, width: int = 128, depth: int = 2, heads: int = 4) -> None:
        super().__init__()
        self.in_shape, self.out_shape = _elements(in_shape), as_shape(out_shape, WHO)
        self.width, self.depth, self.heads = width, depth, heads
        check_sizes(width, depth, heads, WHO)
        self.embed = dense([self.in_shape[1], width, width], "gelu", WHO)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.seed = nn.Parameter(torch.randn(width))
        self.gather = Attention(width, heads)
        self.head = started(nn.Linear(width + 1, size(self.out_shape)), gain=1.0)

    def forward(self, x: Float[Tensor, "B n *D"], mask: Bool[Tensor, "B *M"] | None = None) -> Float[Tensor, "B *H"]:
        """Encode sets; `mask` is True where an element, or an entry, is there."""
        check_rows(x, self.in_shape, WHO)
        if mask is None:
            there = torch.ones_like(x[..., 0], dtype=torch.bool)  # (B, n)
        else:
            check_mask(mask, x, WHO)
            entries = spread(mask, x)
            x, there = torch.where(entries, x, 0.0), entries.any(2)
        tokens = self.embed(x)  # (B, n, width)
        for block in self.blocks:
            tokens = block(tokens, there)
        seed = self.seed.expand(x.shape[0], 1, -1)
        gathered = self.gather(seed, self.norm(tokens), there).squeeze(1)  # (B, width)
        # A set of none says nothing, and what stands in its place is looked at by none.
        gathered = torch.where(there.any(1, keepdim=True), gathered, 0.0)
        share = there.to(x.dtype).mean(1, keepdim=True)  # (B, 1)
        return self.head(torch.cat([gathered, share], 1)).unflatten(1, self.out_shape)

    @property
    def last(self) -> nn.Module:
        """The last layer with weights."""
        return self.head

    def example_batch(self, n: int) -> Batch:
        """Make `n` sets of several sizes, the first of them full."""
        most = self.in_shape[0]
        counts = most - torch.arange(n) % most
        return Batch(torch.rand(n, *self.in_shape), mask=torch.arange(most) < counts.unsqueeze(1))

    @classmethod
    def example(cls) -> Self:
        """Encode up to five elements of two numbers."""
        return cls((5, 2), (3,), width=8, depth=1, heads=2)


class SetDecoder(Decoder):
    """Learned slots look at the code and at one another, and each writes one element.

    Without a second look they would have to share out the elements by the code alone; so they can agree. A set of
    m elements is written by the first m slots.

    Parameters
    ----------
    in_shape : tuple of int
        Of a code; any number of axes.
    out_shape : tuple of int
        (n, D).
    width, depth, heads
        As the encoder's.

    References
    ----------
    Lee et al., "Set Transformer", ICML 2019. Carion et al., "End-to-End Object Detection with Transformers",
    ECCV 2020, for slots that are matched.
    """

    judged_by = "likelihoods/matched"

    def __init__(self, in_shape: Shape, out_shape: Shape, *, width: int = 128, depth: int = 2, heads: int = 4) -> None:
        super().__init__()
        self.in_shape, self.out_shape = as_shape(in_shape, WHO), _elements(out_shape)
        self.width, self.depth, self.heads = width, depth, heads
        check_sizes(width, depth, heads, WHO)
        self.slots = nn.Parameter(torch.randn(self.out_shape[0], width))
        self.foot = started(nn.Linear(size(self.in_shape), width), gain=1.0)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.head = dense([width, width, self.out_shape[1]], "gelu", WHO)

    def forward(self, z: Float[Tensor, "B *Z"]) -> Float[Tensor, "B n Θ"]:
        """Decode codes to slots."""
        # To look at one token is to take it: the code is added to each slot.
        tokens = self.slots + self.foot(z.flatten(1)).unsqueeze(1)  # (B, n, width)
        for block in self.blocks:
            tokens = block(tokens)
        return self.head(self.norm(tokens))

    @property
    def last(self) -> nn.Module:
        """The last layer with weights."""
        return self.head[-1]

    @classmethod
    def example(cls) -> Self:
        """Decode to five elements of two numbers."""
        return cls((3,), (5, 2), width=8, depth=1, heads=2)


def _elements(shape: Shape) -> Shape:
    hint = "give (n, 1) where an element is one number"
    shape = as_shape(shape, WHO)
    require(len(shape) == 2, WHO, "sets need rows of shape (n, D)", shape, hint, error=ShapeError)
    return shape
