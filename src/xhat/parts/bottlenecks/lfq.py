"""The code's numbers are signs: lookup-free quantisation."""

from __future__ import annotations

import math
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from xhat.core.bottleneck import Bottleneck
from xhat.core.errors import require
from xhat.core.quantised_code import QuantisedCode
from xhat.core.shapes import Shape, as_shape, per_row
from xhat.parts.bottlenecks._passing import straight_through

WHO = "bottlenecks/lfq"
BITS = 62  # of an index


class LFQ(Bottleneck):
    r"""Take the sign of each number: D numbers are one of 2^D entries, none of which is stored.

    .. math::
        z_i = \mathrm{sign}(h_i), \qquad
        p_i = \sigma(4 h_i / T) = \frac{e^{-(h_i - 1)^2 / T}}{e^{-(h_i - 1)^2 / T} + e^{-(h_i + 1)^2 / T}} \\
        \text{commitment} = \beta \sum_i (h_i - \mathrm{sg}(z_i))^2, \qquad
        \text{entropy} = \lambda \sum_i H(p_i), \qquad
        \text{diversity} = \lambda \sum_i \log 2 - H(E[p_i])

    The sums go over all places of a row, E over rows and places. H is the entropy of a bit in nats: the paper's
    entropies of a whole entry, whose softmax over 2^D entries is a product over bits, so that nothing of that size
    is ever made. Of a row that is exact; of the batch it is the entropy of independent bits, which no other with
    the same means exceeds.

    Parameters
    ----------
    code_shape : tuple of int
        The shape of one code; D <= 62 numbers on its first axis.
    commitment : float, default=0.25
        β. Must be >= 0.
    entropy : float, default=0.1
        λ: how strongly each bit is to be sure of a row, and to be as often on as off over rows. Must be >= 0.
    temperature : float, default=1.0
        T: how far from zero a number must be, for its bit to be sure.

    References
    ----------
    Yu et al., "Language Model Beats Diffusion: Tokenizer is Key to Visual Generation", ICLR 2024, section 3.1.
    """

    emits = QuantisedCode

    def __init__(
        self, code_shape: Shape, *, commitment: float = 0.25, entropy: float = 0.1, temperature: float = 1.0
    ) -> None:
        super().__init__()
        self.code_shape = as_shape(code_shape, WHO)
        bits = self.code_shape[0]
        require(bits <= BITS, WHO, f"an index has at most {BITS} bits", f"{bits} numbers", "use a smaller --latent")
        require(commitment >= 0, WHO, "commitment must be >= 0", commitment, "use 0 for none")
        require(entropy >= 0, WHO, "entropy must be >= 0", entropy, "use 0 for none")
        require(temperature > 0, WHO, "temperature must be > 0", temperature, "1 suits encodings near -1 and 1")
        self.commitment, self.entropy, self.temperature = commitment, entropy, temperature
        self.entries = 2**bits

    def forward(self, h: Float[Tensor, "B D *S"]) -> QuantisedCode:
        """Take signs."""
        with torch.autocast(h.device.type, enabled=False):
            h = h if h.dtype == torch.float64 else h.float()
            on = h > 0
            signs = 2.0 * on.to(h) - 1
            logits = 4 * h / self.temperature
            places = h[0, 0].numel()
            likely = torch.sigmoid(logits).movedim(1, -1).flatten(0, -2).mean(0)  # (D,)  E[p_i]
            lacking = math.log(2) - _entropy(torch.logit(likely, eps=1e-6))
            commitment = self.commitment * per_row((h - signs) ** 2)  # (B,)
            entropy = self.entropy * per_row(_entropy(logits))  # (B,)
            diversity = self.entropy * places * lacking.sum()  # ()
        indices = (on.movedim(1, -1).long() << torch.arange(on.shape[1], device=h.device)).sum(-1)  # (B, *S)
        indices = indices if h.ndim > 2 else indices[:, None]
        z = straight_through(h, signs)
        return QuantisedCode(z, indices, self.entries, commitment=commitment, entropy=entropy, diversity=diversity)

    def lookup(self, indices: Tensor) -> Tensor:
        """Give the code, (B, *Z), of indices: (B, *S), or (B, 1) where codes are flat."""
        bits = indices[..., None] >> torch.arange(self.code_shape[0], device=indices.device) & 1
        return (2.0 * bits - 1).movedim(-1, 1).reshape(-1, *self.code_shape)

    @classmethod
    def example(cls) -> Self:
        """Make codes of three signs."""
        return cls((3,))


def _entropy(logits: Tensor) -> Tensor:
    """Entropy in nats of bits that are on with probability σ(logits)."""
    p = torch.sigmoid(logits)
    return -(p * logsigmoid(logits) + (1 - p) * logsigmoid(-logits))
