"""What an objective may ask of a model."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.bottleneck import Bottleneck
from xhat.core.code import Code
from xhat.core.data_distribution import DataDistribution
from xhat.core.decoder import Decoder
from xhat.core.encoder import Encoder
from xhat.core.likelihood import Likelihood
from xhat.core.prior import Prior


class Model(Protocol):
    """The face of an autoencoder that objectives see: the floors above hold the class itself."""

    @property
    def encoder(self) -> Encoder:
        """F."""

    @property
    def bottleneck(self) -> Bottleneck:
        """From encodings to codes."""

    @property
    def decoder(self) -> Decoder:
        """G."""

    @property
    def likelihood(self) -> Likelihood:
        """From g's output to p(x|z)."""

    @property
    def prior(self) -> Prior:
        """p(z)."""

    def read(self, batch: Batch) -> Tensor:
        """h: what the encoder says of a batch, before the bottleneck."""

    def encode(self, x: Tensor | Batch) -> Code:
        """q(z|x) of rows, or of what a batch shows the encoder."""

    def decode(self, z: Tensor, batch: Batch | None = None) -> DataDistribution:
        """p(x|z) of codes (k * B, *Z); `batch` is what an autoregressive decoder may read while it is judged."""
