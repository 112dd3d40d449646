"""The code is made of entries of one codebook: vector quantisation."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.bottleneck import Bottleneck
from xhat.core.errors import require
from xhat.core.quantised_code import QuantisedCode
from xhat.core.shapes import Shape, as_shape, per_row
from xhat.parts.bottlenecks._codebook import Codebook
from xhat.parts.bottlenecks._passing import WAYS
from xhat.parts.bottlenecks._places import Places

WHO = "bottlenecks/vq"


class VQ(Bottleneck):
    r"""Replace each vector of h by the nearest entry of a codebook.

    .. math::
        z_p = c_{k_p}, \qquad k_p = \arg\min_k \|h_p - c_k\|, \qquad
        \text{commitment} = \beta \sum_p \|h_p - \mathrm{sg}(c_{k_p})\|^2

    The entries are running means of the vectors that they stand for; they begin at the centres of k-means, and one
    that is hardly used becomes a vector of the batch.

    Parameters
    ----------
    code_shape : tuple of int
        The shape of one code. Of a spatial one, (D, H, W), each place holds a vector.
    entries : int, default=512
        K, the size of the codebook.
    groups : int, default=1
        How many vectors the D numbers are, each an entry of the same codebook: a flat code with one group would be
        one of K points in all. A row takes groups · H · W · log2(K) bits.
    commitment : float, default=0.25
        β: how strongly encodings are held to their entries. Must be >= 0.
    decay : float, default=0.99
        Of the running means, a step.
    revive : float, default=0.1
        An entry that is used less than this part of the mean is moved to where it is of use. 0 for never.
    gradient : {"rotation", "straight_through"}
        How the decoder's gradient passes to the encoder.

    References
    ----------
    Van den Oord et al., "Neural Discrete Representation Learning", NeurIPS 2017, eq. 3 and appendix A.1. Fifty et
    al., "Restructuring Vector Quantization with the Rotation Trick", ICLR 2025. Dhariwal et al., "Jukebox", 2020,
    section 3, for entries that are moved.
    """

    emits = QuantisedCode

    def __init__(
        self,
        code_shape: Shape,
        entries: int = 512,
        *,
        groups: int = 1,
        commitment: float = 0.25,
        decay: float = 0.99,
        revive: float = 0.1,
        gradient: str = "rotation",
    ) -> None:
        super().__init__()
        require(commitment >= 0, WHO, "commitment must be >= 0", commitment, "use 0 for none")
        require(gradient in WAYS, WHO, f"gradient must be {' or '.join(WAYS)}", f"'{gradient}'")
        self.code_shape = as_shape(code_shape, WHO)
        self.places = Places(self.code_shape, groups, WHO)
        self.codebook = Codebook(entries, self.places.width, decay, revive, WHO)
        self.entries, self.groups, self.commitment = entries, groups, commitment
        self.decay, self.revive, self.gradient = decay, revive, gradient

    def begin(self, h: Float[Tensor, "N *Z"]) -> None:
        """Put the entries where the encodings are."""
        self.codebook.begin(self.places.split(h).flatten(0, 1))

    def forward(self, h: Float[Tensor, "B *Z"]) -> QuantisedCode:
        """Quantise; in training the codebook learns, and nowhere else."""
        # Half precision would tie entries that differ, and running means would stop moving.
        with torch.autocast(h.device.type, enabled=False):
            e = self.places.split(h.to(self.codebook.vectors))  # (B, P, d)
            flat = e.detach().flatten(0, 1)
            k = self.codebook.nearest(flat)  # (B * P,)
            q = self.codebook.vectors[k].view_as(e)
            z = self.places.join(WAYS[self.gradient](e, q))
            # A sum for each row: neither the batch's size nor the code's changes its weight beside the distortion.
            commitment = self.commitment * per_row((e - q) ** 2)  # (B,)
            if self.training and torch.is_grad_enabled():
                self.codebook.learn(flat, k)
        return QuantisedCode(z, k.view(len(h), *self.places.shape), self.entries, commitment=commitment)

    def lookup(self, indices: Tensor) -> Tensor:
        """Give the code, (B, *Z), of indices, (B, *places) as a `QuantisedCode` holds them."""
        return self.places.join(self.codebook.vectors[self.places.counted(indices)])

    @classmethod
    def example(cls) -> Self:
        """Make codes of three numbers, each one of eight."""
        return cls((3,), 8, groups=3)
