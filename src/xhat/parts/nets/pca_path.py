"""A linear path beside any net, so that training can begin exactly at PCA."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.decoder import Decoder
from xhat.core.encoder import Encoder
from xhat.parts.nets._silence import silence
from xhat.parts.nets.linear import LinearDecoder, LinearEncoder
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder

WHO = "nets/pca_path"
# Up to so many units a net reads what it is given as it is; beyond, ever less of it.
SOFT = 3.0


class PCAPathEncoder(Encoder):
    r"""A linear path, set and not learned, beside a net that reads and speaks in units of its own.

    .. math:: h = W x + b + a \odot f(u), \qquad u = c\,\mathrm{asinh}\frac{x - \mu}{c\,s}, \quad c = 3

    A step that every weight of W takes at once moves h by the sum over all of a row's elements: of a large image so
    far that the start would be lost. What W lacks, f learns as well. Under μ and s it sees a column of small numbers
    as well as one of large ones. A row far outside is copied by the path, which a net that was never there must not
    outshout: u grows as the logarithm there.

    Parameters
    ----------
    inner : Encoder
        f, whose last layer is set to zero: at the start h is linear in x.

    References
    ----------
    Bachlechner et al., "ReZero is All You Need", UAI 2021, for nets that start from the identity.
    """

    centre: Tensor
    spread: Tensor
    gain: Tensor

    def __init__(self, inner: Encoder) -> None:
        super().__init__()
        self.inner = inner
        self.in_shape, self.out_shape = inner.in_shape, inner.out_shape
        self.reads_mask, self.reads_visible = inner.reads_mask, inner.reads_visible
        self.path = LinearEncoder(self.in_shape, self.out_shape).requires_grad_(False)
        self.register_buffer("centre", torch.zeros(self.in_shape))
        self.register_buffer("spread", torch.ones(self.in_shape))
        self.register_buffer("gain", torch.ones(self.out_shape))
        self.silence()

    def start(self, axes: Float[Tensor, "H D"], offset: Float[Tensor, "H"]) -> None:
        """Set W and b."""
        self.path.start(axes, offset)

    @torch.no_grad()
    def measure(self, centre: Float[Tensor, "D"], spread: Float[Tensor, "D"], gain: Float[Tensor, "H"]) -> None:
        """Set μ, s and a; before that, f reads x itself and speaks in units of h."""
        self.centre.copy_(centre.view_as(self.centre))
        self.spread.copy_(spread.view_as(self.spread))
        self.gain.copy_(gain.view_as(self.gain))

    def silence(self) -> None:
        """Set f's last layer to zero: only the path speaks."""
        silence(self.inner, WHO)

    def forward(self, x: Float[Tensor, "B *X"], *seen: Tensor | None) -> Float[Tensor, "B *H"]:
        """Encode rows; the masks that f reads go to f."""
        return self.path(x) + self.gain * self.inner(_soft((x - self.centre) / self.spread), *seen)

    @classmethod
    def example(cls) -> Self:
        """Put a path beside a small perceptron."""
        return cls(MLPEncoder.example())


class PCAPathDecoder(Decoder):
    r"""A linear path, set and not learned, beside a net that reads and speaks in units of its own.

    .. math:: \theta = V z + b + a \odot g(u), \qquad u = c\,\mathrm{asinh}\frac{z}{c\,s}, \quad c = 3

    Parameters
    ----------
    inner : Decoder
        g, whose last layer is set to zero: at the start θ is linear in z.
    """

    spread: Tensor
    gain: Tensor

    def __init__(self, inner: Decoder) -> None:
        super().__init__()
        self.inner = inner
        self.in_shape, self.out_shape = inner.in_shape, inner.out_shape
        self.reads_batch = inner.reads_batch
        self.path = LinearDecoder(self.in_shape, self.out_shape).requires_grad_(False)
        self.register_buffer("spread", torch.ones(self.in_shape))
        self.register_buffer("gain", torch.ones(self.out_shape))
        self.silence()

    def start(self, axes: Float[Tensor, "D Z"], offset: Float[Tensor, "D"]) -> None:
        """Set V and b."""
        self.path.start(axes, offset)

    @torch.no_grad()
    def measure(self, spread: Float[Tensor, "Z"], gain: Float[Tensor, "D"]) -> None:
        """Set s and a; before that, g reads z itself and speaks in units of θ."""
        self.spread.copy_(spread.view_as(self.spread))
        self.gain.copy_(gain.view_as(self.gain))

    def silence(self) -> None:
        """Set g's last layer to zero: only the path speaks."""
        silence(self.inner, WHO)

    def forward(self, z: Float[Tensor, "B *Z"], *read: Batch | None) -> Float[Tensor, "B *Θ"]:
        """Decode codes; the batch that g reads goes to g."""
        return self.path(z) + self.gain * self.inner(_soft(z / self.spread), *read)

    @classmethod
    def example(cls) -> Self:
        """Put a path beside a small perceptron."""
        return cls(MLPDecoder.example())


def _soft(u: Tensor) -> Tensor:
    if u.requires_grad:
        return SOFT * torch.asinh(u / SOFT)
    # asinh a = log(1 + a + a² / (1 + √(1 + a²))) in vectors: torch's own takes number after number, a tenth of a step.
    a = (u / SOFT).abs_()
    root = a.square().add_(1).sqrt_().add_(1)
    return (a / root).mul_(a).add_(a).log1p_().mul_(SOFT * u.sign())
