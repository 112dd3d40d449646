"""Pixels: rows of images as small PNG that stand in the page itself."""

from __future__ import annotations

import base64
import io

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from PIL import Image
from torch import Tensor

# Noise does not compress: 40 thumbnails of this side and three channels are at most 2 MB.
SIDE = 112

TOO_HIGH, TOO_LOW = (217, 95, 2), (30, 120, 200)


def picture(row: Float[Tensor, "C H W"], low: float, high: float) -> str:
    """Give an image as a data URI: gray or colour, cut to [low, high], clear where nothing was observed.

    Parameters
    ----------
    row : Tensor of shape (C, H, W)
        In the data's own units. Of more than three channels the first three are shown, of two the first.
    low, high : float
        Black and white.
    """
    colours = row[:3] if len(row) >= 3 else row[:1].expand(3, -1, -1)
    seen = torch.isfinite(colours).all(0)  # (H, W)
    unit = torch.nan_to_num((colours - low) / max(high - low, 1e-12)).clamp(0, 1)
    return _uri(torch.cat([255 * unit, 255 * seen[None]]).round().byte().permute(1, 2, 0).numpy())


def difference(row: Float[Tensor, "C H W"], full: float) -> str:
    """Give signed differences as a data URI: orange above, blue below, the clearer the smaller."""
    # The channel that is farthest off: a mean would let two errors cancel.
    most = row.abs().argmax(0, keepdim=True)
    signed = row.gather(0, most)[0]  # (H, W)
    colour = torch.where(signed[..., None] > 0, torch.tensor(TOO_HIGH), torch.tensor(TOO_LOW))
    strength = (255 * signed.abs() / full).clamp(0, 255)
    return _uri(torch.cat([colour, strength[..., None]], -1).round().byte().numpy())


def _uri(pixels: UInt8[ndarray, "H W 4"]) -> str:
    image = Image.fromarray(np.ascontiguousarray(pixels), "RGBA")
    image.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
