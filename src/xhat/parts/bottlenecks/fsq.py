"""The code's numbers each take a few fixed values: finite scalar quantisation."""

from __future__ import annotations

from math import prod
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.bottleneck import Bottleneck
from xhat.core.errors import require
from xhat.core.quantised_code import QuantisedCode
from xhat.core.shapes import Shape, as_shape
from xhat.parts.bottlenecks._passing import straight_through
from xhat.parts.bottlenecks._places import Places

WHO = "bottlenecks/fsq"
# Without it the outermost values would be limits that a finite encoding only nears.
ROOM = 1e-3


class FSQ(Bottleneck):
    r"""Round each number to one of a few levels: there is a codebook, and nothing of it to learn.

    .. math::
        b(h) &= w \tanh(h + s) - o, \qquad w = (1 + \epsilon) \frac{L - 1}{2}, \qquad
        o = \tfrac12 [L \text{ even}], \qquad s = \mathrm{artanh}(o / w) \\
        z &= \mathrm{round}(b(h)) \,/\, \lfloor L / 2 \rfloor

    for each number with its own L. The gradient passes the rounding straight through. z lies in [-1, 1].

    Parameters
    ----------
    code_shape : tuple of int
        The shape of one code. Its first axis holds a vector, or several, of as many numbers as there are levels.
    levels : tuple of int, default=(8, 5, 5, 5)
        L of each number of a vector, >= 3; the codebook implied has their product of entries. The paper advises
        (8, 6, 5) for about 2^8, (8, 5, 5, 5) for 2^10, (7, 5, 5, 5, 5) for 2^12, (8, 8, 8, 6, 5) for 2^14 and
        (8, 8, 8, 5, 5, 5) for 2^16.

    References
    ----------
    Mentzer et al., "Finite Scalar Quantization: VQ-VAE Made Simple", ICLR 2024, section 3.1 and table 1.
    """

    emits = QuantisedCode

    half_width: Tensor
    offset: Tensor
    shift: Tensor
    steps: Tensor
    basis: Tensor

    def __init__(self, code_shape: Shape, levels: tuple[int, ...] = (8, 5, 5, 5)) -> None:
        super().__init__()
        levels = tuple(levels)
        whole = bool(levels) and all(isinstance(n, int) and n >= 3 for n in levels)
        # Of two, an encoding takes the lower one only below -3.8: every untrained row would have the same code.
        hint = "(8, 5, 5, 5) makes 1000 entries; for two levels take the kind lfq"
        require(whole, WHO, "levels must be whole numbers >= 3", levels, hint)
        require(prod(levels) < 2**63, WHO, "an index must fit into 64 bits", f"{prod(levels)} entries", "use fewer")
        self.code_shape, self.levels = as_shape(code_shape, WHO), levels
        rule = f"the code's first axis must be a multiple of the {len(levels)} levels"
        hint = f"use --latent {len(levels)} or {4 * len(levels)}, or other levels"
        require(self.code_shape[0] % len(levels) == 0, WHO, rule, self.code_shape[0], hint)
        self.groups = self.code_shape[0] // len(levels)
        self.places = Places(self.code_shape, self.groups, WHO)
        self.entries = prod(levels)
        count = torch.tensor(levels)  # L
        width = (1 + ROOM) * (count - 1) / 2
        offset = (count % 2 == 0) / 2.0
        for name, value in {
            "half_width": width,
            "offset": offset,
            "shift": torch.atanh(offset / width),
            "steps": (count // 2).to(width.dtype),
            "basis": torch.tensor([prod(levels[:i]) for i in range(len(levels))]),
        }.items():
            self.register_buffer(name, value, persistent=False)  # the levels say it all

    def forward(self, h: Float[Tensor, "B *Z"]) -> QuantisedCode:
        """Bound and round."""
        with torch.autocast(h.device.type, enabled=False):
            e = self.places.split(h.to(self.half_width))  # (B, P, d)
            bounded = self.half_width * torch.tanh(e + self.shift) - self.offset
            rounded = bounded.detach().round()
            digits = (rounded + self.steps).long()
            z = self.places.join(straight_through(bounded, rounded) / self.steps)
        indices = (digits * self.basis).sum(-1)  # (B, P)
        # Not len(h), which is a number: a traced graph would then read as many rows as it was traced with.
        return QuantisedCode(z, indices.view(h.shape[0], *self.places.shape), self.entries)

    def lookup(self, indices: Tensor) -> Tensor:
        """Give the code, (B, *Z), of indices, (B, *places) as a `QuantisedCode` holds them."""
        count = torch.tensor(self.levels, device=indices.device)
        digits = self.places.counted(indices)[..., None] // self.basis % count  # (B, P, d)
        return self.places.join((digits - self.steps) / self.steps)

    @classmethod
    def example(cls) -> Self:
        """Make codes of three numbers, of 240 entries."""
        return cls((3,), (8, 6, 5))
