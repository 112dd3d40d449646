"""How many rows a model computes at once: as many as its processor's cache holds, where that is what counts."""

from __future__ import annotations

import torch
from torch import nn

from xhat.core.shapes import size
from xhat.models.autoencoder import Autoencoder

# Bytes of rows: with a net's activations, a few times as many, they stay in a second-level cache or close to it.
CACHE = 3 << 19
# Of few numbers more rows share the cost of a call; beyond that nothing is gained.
MOST = 4096
# A convolution's activations are many times its rows. 256 rows of 3 × 64 × 64 took twice the time a row of 128.
LEAST_CONVOLVED = 128
# A product of matrices reads its weights once a batch, and so wants more rows; so does a GPU.
LEAST = 1024

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def rows_at_once(model: Autoencoder, device: torch.device) -> int:
    """Choose the rows of a batch for encoding and decoding, from the size of a row and the kind of the nets.

    Parameters
    ----------
    model : Autoencoder
        The model.
    device : torch.device
        Where it computes.

    Returns
    -------
    int
        A power of two, the same for every call: a row's answer may differ in its last digit by the batch it comes in.
    """
    weight = next((p for p in model.parameters() if p.is_floating_point()), torch.empty(0))
    fitting = CACHE // (size(model.x_shape) * weight.element_size())
    convolved = any(isinstance(module, CONVOLUTIONS) for module in model.modules())
    least = LEAST_CONVOLVED if convolved and device.type == "cpu" else LEAST
    return min(max(1 << max(fitting, 1).bit_length() - 1, least), MOST)
