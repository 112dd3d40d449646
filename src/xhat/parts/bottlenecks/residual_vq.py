"""The code is a sum of entries, each of a codebook of what the ones before it left."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from xhat.core.bottleneck import Bottleneck
from xhat.core.errors import ShapeError, require
from xhat.core.quantised_code import QuantisedCode
from xhat.core.shapes import Shape, as_shape, per_row
from xhat.parts.bottlenecks._codebook import Codebook
from xhat.parts.bottlenecks._passing import rotation
from xhat.parts.bottlenecks._places import Places

WHO = "bottlenecks/residual_vq"
NONE = -1


class ResidualVQ(Bottleneck):
    r"""Quantise each vector of h, then what is left of it, and so on.

    .. math::
        r_0 = h, \qquad q_l = \mathrm{nearest}_l(r_l), \qquad r_{l+1} = r_l - q_l, \qquad z = \sum_l q_l, \qquad
        \text{commitment} = \beta \sum_l \|r_l - \mathrm{sg}(q_l)\|^2

    The first levels of a code are a coarser code of the same row.

    Parameters
    ----------
    code_shape : tuple of int
        The shape of one code; of a spatial one, (D, H, W), each place holds a vector.
    entries : int, default=256
        K, the size of each level's codebook.
    levels : int, default=4
        L. A row takes groups · H · W · L · log2(K) bits.
    groups : int, default=1
        How many vectors the D numbers are, all quantised by the same codebooks.
    commitment : float, default=0.25
        β. Must be >= 0.
    decay, revive : float
        Of each codebook, as in bottlenecks/vq.
    dropout : float, default=0.0
        The share of rows, in training, of which only a random number of first levels is used: the decoder then
        learns to read coarse codes. Codebooks learn from all rows at all levels.

    References
    ----------
    Zeghidour et al., "SoundStream", 2021, section III-C, also for the dropout. Lee et al.,
    "Autoregressive Image Generation using Residual Quantization", CVPR 2022, section 3.1.
    """

    emits = QuantisedCode

    def __init__(
        self,
        code_shape: Shape,
        entries: int = 256,
        levels: int = 4,
        *,
        groups: int = 1,
        commitment: float = 0.25,
        decay: float = 0.99,
        revive: float = 0.1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        whole = isinstance(levels, int) and not isinstance(levels, bool) and levels >= 1
        require(whole, WHO, "levels must be a whole number >= 1", levels, "use 1 for bottlenecks/vq")
        require(commitment >= 0, WHO, "commitment must be >= 0", commitment, "use 0 for none")
        require(0 <= dropout <= 1, WHO, "dropout must be a share from 0 to 1", dropout, "use 0 for none")
        self.code_shape = as_shape(code_shape, WHO)
        self.places = Places(self.code_shape, groups, WHO)
        width = self.places.width
        self.codebooks = nn.ModuleList(Codebook(entries, width, decay, revive, WHO) for _ in range(levels))
        self.entries, self.levels, self.groups, self.commitment = entries, levels, groups, commitment
        self.decay, self.revive, self.dropout = decay, revive, dropout

    def begin(self, h: Float[Tensor, "N *Z"]) -> None:
        """Put each level's entries where the encodings, or what is left of them, are."""
        r = self.places.split(h).flatten(0, 1)
        for codebook in self._codebooks:
            codebook.begin(r)
            r = r - codebook.vectors[codebook.nearest(r)]

    def forward(self, h: Float[Tensor, "B *Z"]) -> QuantisedCode:
        """Quantise level by level; in training the codebooks learn, and nowhere else."""
        learns = self.training and torch.is_grad_enabled()
        with torch.autocast(h.device.type, enabled=False):
            e = self.places.split(h.to(self._codebooks[0].vectors))  # (B, P, d)
            used = self._used(len(e), learns, e.device)  # (B,)
            r, q, commitment, indices = e, torch.zeros_like(e), e.new_zeros(len(e)), []
            for level, codebook in enumerate(self._codebooks):
                flat = r.detach().flatten(0, 1)
                k = codebook.nearest(flat)  # (B * P,)
                entry = codebook.vectors[k].view_as(e)
                on = used > level  # (B,)
                commitment = commitment + on * self.commitment * per_row((r - entry) ** 2)
                q = q + on[:, None, None] * entry
                r = r - entry
                indices.append(k.view(e.shape[:2]).masked_fill(~on[:, None], NONE))
                if learns:
                    codebook.learn(flat, k)
            # Once and not a level each, which would give the encoder the decoder's gradient L times.
            z = self.places.join(rotation(e, q))
        counted = torch.stack(indices, -1).view(len(h), *self.places.shape, self.levels)
        return QuantisedCode(z, counted, self.entries, codebooks=self.levels, commitment=commitment)

    def lookup(self, indices: Tensor) -> Tensor:
        """Give the code, (B, *Z), of indices (B, *places, l): of all levels, or of the first l of them."""
        levels = indices.shape[-1]
        rule = f"indices must count 1 to {self.levels} levels on their last axis"
        require(1 <= levels <= self.levels, WHO, rule, levels, error=ShapeError)
        q = torch.zeros((), dtype=self._codebooks[0].vectors.dtype, device=indices.device)
        for level, codebook in enumerate(self._codebooks[:levels]):
            k = self.places.counted(indices[..., level])  # (B, P)
            q = q + (k != NONE)[..., None] * codebook.vectors[k.clamp(min=0)]
        return self.places.join(q)

    @property
    def _codebooks(self) -> list[Codebook]:
        return [codebook for codebook in self.codebooks if isinstance(codebook, Codebook)]

    def _used(self, rows: int, learns: bool, device: torch.device) -> Tensor:
        """Draw how many levels each row uses, (B,)."""
        if not learns or self.dropout == 0:
            return torch.full((rows,), self.levels, device=device)
        drawn = torch.randint(1, self.levels + 1, (rows,), device=device)
        return torch.where(torch.rand(rows, device=device) < self.dropout, drawn, self.levels)

    @classmethod
    def example(cls) -> Self:
        """Make codes of three numbers in three levels of eight."""
        return cls((3,), 8, 3)
