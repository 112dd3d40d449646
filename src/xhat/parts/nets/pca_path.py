"""A linear path beside any net, so that training can begin exactly at PCA."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from xhat.core.batch import Batch
from xhat.core.decoder import Decoder
from xhat.core.encoder import Encoder
from xhat.core.errors import ConfigError
from xhat.parts.nets.linear import LinearDecoder, LinearEncoder
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder

WHO = "nets/pca_path"


class PCAPathEncoder(Encoder):
    r"""h = W x + b + f(x), with W and b set and not learned.

    A step that every weight of W takes at once moves h by the sum over all of a row's elements: of a large image so
    far that the start would be lost. What W lacks, f learns as well.

    Parameters
    ----------
    inner : Encoder
        f, whose last layer is set to zero: at the start h is linear in x.

    References
    ----------
    Bachlechner et al., "ReZero is All You Need", UAI 2021, for nets that start from the identity.
    """

    def __init__(self, inner: Encoder) -> None:
        super().__init__()
        self.inner = inner
        self.in_shape, self.out_shape = inner.in_shape, inner.out_shape
        self.reads_mask, self.reads_visible = inner.reads_mask, inner.reads_visible
        self.path = LinearEncoder(self.in_shape, self.out_shape).requires_grad_(False)
        _silence(inner)

    def start(self, axes: Float[Tensor, "H D"], offset: Float[Tensor, "H"]) -> None:
        """Set W and b."""
        self.path.start(axes, offset)

    def forward(self, x: Float[Tensor, "B *X"], *seen: Tensor | None) -> Float[Tensor, "B *H"]:
        """Encode rows; the masks that f reads go to f."""
        return self.path(x) + self.inner(x, *seen)

    @classmethod
    def example(cls) -> Self:
        """Put a path beside a small perceptron."""
        return cls(MLPEncoder.example())


class PCAPathDecoder(Decoder):
    r"""θ = V z + c + g(z), with V and c set and not learned.

    Parameters
    ----------
    inner : Decoder
        g, whose last layer is set to zero: at the start θ is linear in z.
    """

    def __init__(self, inner: Decoder) -> None:
        super().__init__()
        self.inner = inner
        self.in_shape, self.out_shape = inner.in_shape, inner.out_shape
        self.reads_batch = inner.reads_batch
        self.path = LinearDecoder(self.in_shape, self.out_shape).requires_grad_(False)
        _silence(inner)

    def start(self, axes: Float[Tensor, "D Z"], offset: Float[Tensor, "D"]) -> None:
        """Set V and c."""
        self.path.start(axes, offset)

    def forward(self, z: Float[Tensor, "B *Z"], *read: Batch | None) -> Float[Tensor, "B *Θ"]:
        """Decode codes; the batch that g reads goes to g."""
        return self.path(z) + self.inner(z, *read)

    @classmethod
    def example(cls) -> Self:
        """Put a path beside a small perceptron."""
        return cls(MLPDecoder.example())


@torch.no_grad()
def _silence(net: nn.Module) -> None:
    last = getattr(net, "last", None)
    if last is None:
        raise ConfigError(WHO, "needs a net with a last layer to set to zero", type(net).__name__, "use nets/mlp")
    for parameter in last.parameters():
        parameter.zero_()
