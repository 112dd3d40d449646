"""Malvar's demosaicing, a peer of the demosaicing solver."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad


def malvar(y: Tensor) -> Tensor:
    """Demosaic an RGGB mosaic (1, 1, H, W) by the 5 x 5 linear filters of Malvar, He and Cutler, ICASSP 2004."""
    green = [[0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0]]
    along = [[0, 0, 0.5, 0, 0], [0, -1, 0, -1, 0], [-1, 4, 5, 4, -1], [0, -1, 0, -1, 0], [0, 0, 0.5, 0, 0]]
    corner = [[0, 0, -1.5, 0, 0], [0, 2, 0, 2, 0], [-1.5, 0, 6, 0, -1.5], [0, 2, 0, 2, 0], [0, 0, -1.5, 0, 0]]
    filters = torch.tensor([green, along, np.transpose(along).tolist(), corner])[:, None] / 8
    at_green, row, column, diagonal = conv2d(pad(y, (2, 2, 2, 2), mode="reflect"), filters)[0]
    mosaic = y[0, 0]
    red, blue, middle = mosaic.clone(), mosaic.clone(), mosaic.clone()
    middle[::2, ::2], middle[1::2, 1::2] = at_green[::2, ::2], at_green[1::2, 1::2]
    red[::2, 1::2], red[1::2, ::2], red[1::2, 1::2] = row[::2, 1::2], column[1::2, ::2], diagonal[1::2, 1::2]
    blue[1::2, ::2], blue[::2, 1::2], blue[::2, ::2] = row[1::2, ::2], column[::2, 1::2], diagonal[::2, ::2]
    return torch.stack([red, middle, blue])[None]
