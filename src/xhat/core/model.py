"""What an objective may ask of a model."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.code import Code
from xhat.core.data_distribution import DataDistribution
from xhat.core.prior import Prior


class Model(Protocol):
    """The face of an autoencoder that objectives see: the floors above hold the class itself."""

    @property
    def prior(self) -> Prior:
        """p(z)."""

    def encode(self, x: Tensor | Batch) -> Code:
        """q(z|x) of rows, or of what a batch shows the encoder."""

    def decode(self, z: Tensor, batch: Batch | None = None) -> DataDistribution:
        """p(x|z) of codes (k * B, *Z); `batch` is what an autoregressive decoder may read while it is judged."""
