"""Transformer blocks: tokens that look at one another."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from xhat.core.errors import require
from xhat.parts.nets._blocks import started


class Attention(nn.Module):
    r"""Each query takes a mean of values, weighed by how its key matches: :math:`\mathrm{softmax}(Q K^T / \sqrt d) V`.

    Parameters
    ----------
    width : int
        Of a token, for queries and for what they look at.
    heads : int
        Parts of `width` that look on their own.

    References
    ----------
    Vaswani et al., "Attention Is All You Need", NeurIPS 2017.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = started(nn.Linear(width, width), gain=1.0)
        self.key_value = started(nn.Linear(width, 2 * width), gain=1.0)
        self.out = started(nn.Linear(width, width), gain=1.0)

    def forward(
        self,
        q: Float[Tensor, "B M w"],
        tokens: Float[Tensor, "B N w"],
        there: Bool[Tensor, "B N"] | None = None,
    ) -> Float[Tensor, "B M w"]:
        """Let `q` look at `tokens`, as far as they are there."""
        query, key, value = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2)  # (B, heads, M or N, w / heads)
            for part in (self.query(q), *self.key_value(tokens).chunk(2, dim=2))
        )
        if there is not None:
            # Where no token is there, all may be looked at: a softmax over none is no number.
            there = (there | ~there.any(1, keepdim=True))[:, None, None]  # (B, 1, 1, N)
        seen = scaled_dot_product_attention(query, key, value, attn_mask=there)
        return self.out(seen.transpose(1, 2).flatten(2))


class Block(nn.Module):
    r"""Tokens look at one another, then each is transformed alone; both are added to what was.

    .. math:: h \leftarrow h + \mathrm{attention}(n_1(h)), \qquad h \leftarrow h + W_2\, \mathrm{gelu}(W_1 n_2(h))

    Parameters
    ----------
    width, heads
        As `Attention`'s.

    References
    ----------
    Xiong et al., "On Layer Normalization in the Transformer Architecture", ICML 2020, for the norms' place.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.alone = nn.Sequential(
            nn.LayerNorm(width),
            started(nn.Linear(width, 4 * width)),
            nn.GELU(),
            started(nn.Linear(4 * width, width), gain=1.0),
        )

    def forward(
        self, tokens: Float[Tensor, "B N w"], there: Bool[Tensor, "B N"] | None = None
    ) -> Float[Tensor, "B N w"]:
        """Transform tokens; those that are not there are looked at by none."""
        normed = self.norm(tokens)
        tokens = tokens + self.attention(normed, normed, there)
        return tokens + self.alone(tokens)


def check_sizes(width: int, depth: int, heads: int, who: str) -> None:
    """Refuse sizes that make no transformer."""
    require(depth >= 1 and heads >= 1, who, "depth and heads must be >= 1", (depth, heads), "as depth=4, heads=4")
    require(
        width >= 1 and width % heads == 0,
        who,
        f"width must be a multiple of the {heads} heads",
        width,
        f"try {max(width // heads, 1) * heads}",
    )
