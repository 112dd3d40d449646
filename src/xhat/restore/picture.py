"""Pictures as people have them, as images in [0, 1], and back as they came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from xhat.core.errors import DataError, require

WHO = "restore"
# Highest values of the whole numbers that pictures are made of.
FULL = {"uint8": 255.0, "uint16": 65535.0}


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture that can be computed with.

    Parameters
    ----------
    x : Tensor of shape (B, C, H, W)
        In [0, 1], without its alpha.
    unit : float
        What 1 is in the picture's own units.
    back : callable
        From images in [0, 1] to what the picture was.
    converted : str, default=""
        What it was made of, where it could not be taken as it is.
    """

    x: Tensor
    unit: float
    back: Callable[[Tensor], Any]
    converted: str = ""


def read(picture: Any) -> Picture:
    """Read an array (H, W), (H, W, C) of bytes, 16-bit numbers or floats in [0, 1], a tensor, or a Pillow image.

    Raises
    ------
    DataError
        When it is none of these, or holds what is no picture.
    """
    if isinstance(picture, Tensor):
        return _of_tensor(picture)
    if isinstance(picture, np.ndarray):
        return _of_array(picture)
    if hasattr(picture, "getexif") and hasattr(picture, "convert"):
        return _of_pillow(picture)
    hint = "give an array (H, W) or (H, W, C), a tensor (C, H, W) or (B, C, H, W), or a Pillow image"
    raise DataError(WHO, "cannot read this as a picture", type(picture).__name__, hint)


def _of_tensor(picture: Tensor) -> Picture:
    unit = _unit(str(picture.dtype).removeprefix("torch."), picture.is_floating_point())
    x = picture.float() if unit > 1 else picture
    require(bool(x.isfinite().all()), WHO, "every value must be finite", "NaN or inf", error=DataError)
    x = x / unit

    def back(out: Tensor) -> Tensor:
        out = out.clamp(0, 1) * unit
        out = out.round().to(picture.dtype) if unit > 1 else out.to(picture.dtype)
        return out[0] if single else out

    # Of three axes the first is channels, as torch has it; other measurements keep theirs.
    single = picture.ndim == 3
    return Picture(x[None] if single else x, unit, back)


def _of_array(picture: np.ndarray[Any, Any]) -> Picture:
    shape, dtype = picture.shape, picture.dtype
    shaped = picture.ndim == 2 or (picture.ndim == 3 and shape[2] in (1, 2, 3, 4))
    hint = "give (H, W), or (H, W, C) with 1 to 4 channels"
    require(shaped and picture.size > 0, WHO, "an array must be a picture", shape, hint, error=DataError)
    unit = _unit(dtype.name, dtype.kind == "f")
    values = torch.from_numpy(picture.astype(np.float32)).reshape(*shape[:2], -1).permute(2, 0, 1)[None] / unit
    require(bool(values.isfinite().all()), WHO, "every value must be finite", "NaN or inf", error=DataError)
    # Two and four channels end in alpha, which is no light.
    colours = values.shape[1] - (values.shape[1] in (2, 4))
    x, alpha = values[:, :colours], values[:, colours:]

    def back(out: Tensor) -> Any:
        if alpha.shape[1]:
            out = torch.cat([out, _resized(alpha, out).to(out)], 1)
        flat = (out.clamp(0, 1) * unit)[0].permute(1, 2, 0).numpy()
        flat = np.rint(flat).astype(dtype) if unit > 1 else flat.astype(dtype)
        return flat[..., 0] if picture.ndim == 2 and flat.shape[-1] == 1 else flat

    return Picture(x.contiguous(), unit, back)


def _of_pillow(picture: Any) -> Picture:
    from PIL import Image, ImageOps

    upright = ImageOps.exif_transpose(picture)
    mode, converted = upright.mode, ""
    if mode.startswith("I;16"):
        inner = _of_array(np.asarray(upright).astype(np.uint16))
    elif mode in ("L", "RGB", "LA", "RGBA"):
        inner = _of_array(np.asarray(upright))
    else:
        to = "RGBA" if mode in ("P", "PA") and ("transparency" in upright.info or mode == "PA") else "RGB"
        to = "L" if mode in ("1", "F", "I") else to
        inner, converted = _of_array(np.asarray(upright.convert(to))), f"{mode} to {to}"

    def back(out: Tensor) -> Any:
        values = inner.back(out)
        # Pillow has no colours of 16 bits.
        return Image.fromarray(np.rint(values / 257).astype(np.uint8) if values.ndim > 2 and deep else values)

    deep = inner.unit == FULL["uint16"]
    return Picture(inner.x, inner.unit, back, converted)


def _resized(alpha: Tensor, like: Tensor) -> Tensor:
    same = alpha.shape[-2:] == like.shape[-2:]
    return alpha if same else interpolate(alpha, like.shape[-2:], mode="bicubic", align_corners=False)


def _unit(dtype: str, floating: bool) -> float:
    fits = floating or dtype in FULL
    hint = "divide it by its highest value, as float32"
    require(fits, WHO, "pictures hold bytes, 16-bit numbers or floats in [0, 1]", dtype, hint, error=DataError)
    return FULL.get(dtype, 1.0)
