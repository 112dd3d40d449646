"""A net whose layers stretch nothing: each weight is divided by its largest singular value."""

from __future__ import annotations

from typing import Self, TypeVar

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from xhat.core.batch import Batch
from xhat.core.decoder import Decoder
from xhat.core.encoder import Encoder
from xhat.core.errors import ConfigError
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder

WHO = "nets/spectral"


class SpectralEncoder(Encoder):
    r"""Another encoder with every linear and convolutional weight W as :math:`W / \sigma_{\max}(W)`.

    A linear layer then has the Lipschitz constant 1, and so has a perceptron with relu. The largest singular value
    is followed by one power iteration a step; a convolution's is that of its kernel as a matrix, as is usual. Weights
    of other layers, as recurrent ones, stay as they are.

    Parameters
    ----------
    inner : Encoder
        The net, changed in place.

    References
    ----------
    Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018.
    """

    def __init__(self, inner: Encoder) -> None:
        super().__init__()
        self.inner = _normalised(inner)
        self.in_shape, self.out_shape = inner.in_shape, inner.out_shape
        self.reads_mask, self.reads_visible = inner.reads_mask, inner.reads_visible
        self.reads_labels = inner.reads_labels

    def forward(self, x: Float[Tensor, "B *X"], *seen: Tensor | None) -> Float[Tensor, "B *H"]:
        """Encode rows."""
        return self.inner(x, *seen)

    def example_batch(self, n: int) -> Batch:
        """Make `n` rows that the net reads."""
        return self.inner.example_batch(n)

    @classmethod
    def example(cls) -> Self:
        """Normalise a small perceptron."""
        return cls(MLPEncoder.example())


class SpectralDecoder(Decoder):
    r"""Another decoder with every linear and convolutional weight W as :math:`W / \sigma_{\max}(W)`.

    Near codes then give near rows, wherever they lie, and the decoder cannot stretch what an objective has shrunk.

    Parameters
    ----------
    inner : Decoder
        The net, changed in place.

    References
    ----------
    Ghosh et al., "From Variational to Deterministic Autoencoders", ICLR 2020, section 3.1: RAE-SN.
    """

    # No property `last`: its weight cannot be zero, and a start at PCA is none of a net that stretches nothing.

    def __init__(self, inner: Decoder) -> None:
        super().__init__()
        self.inner = _normalised(inner)
        self.in_shape, self.out_shape = inner.in_shape, inner.out_shape
        self.reads_batch, self.reads_labels = inner.reads_batch, inner.reads_labels
        self.classes, self.judged_by = inner.classes, inner.judged_by

    def begin(self, y: Tensor | None) -> None:
        """Show the labels to the net."""
        self.inner.begin(y)

    def draw(self, n: int) -> Tensor:
        """Draw classes as the net does."""
        return self.inner.draw(n)

    def forward(self, z: Float[Tensor, "B *Z"], *read: Batch | Tensor | None) -> Float[Tensor, "B *Θ"]:
        """Decode codes; the batch and the labels that the net reads go to it."""
        return self.inner(z, *read)

    @classmethod
    def example(cls) -> Self:
        """Normalise a small perceptron."""
        return cls(MLPDecoder.example())


LAYERS = nn.Linear | nn.Conv1d | nn.Conv2d | nn.ConvTranspose2d

Net = TypeVar("Net", bound=nn.Module)


def _normalised(net: Net) -> Net:
    layers = [module for module in net.modules() if isinstance(module, LAYERS)]
    if not layers:
        hint = "wrap a net that has some, as nets/mlp"
        raise ConfigError(WHO, "needs a net with linear or convolutional layers", type(net).__name__, hint)
    for layer in layers:
        if not layer.weight.any():
            nn.init.normal_(layer.weight)  # a start at zero has no direction to keep
        spectral_norm(layer)
    return net
