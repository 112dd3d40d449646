"""Pictures as people have them, as images in [0, 1], and back as they came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from xhat.core.errors import DataError, ShapeError, require

WHO = "restore"
# Highest values of the whole numbers that pictures are made of.
FULL = {"uint8": 255.0, "uint16": 65535.0}
# The share of values that may lie far from [0, 1]: noise of 100/255 takes half of that there.
FAR = 0.01


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


def read(picture: Any, row: tuple[int, ...] | None = None) -> Picture:
    """Read an array (H, W), (H, W, C) of bytes, 16-bit numbers or floats in [0, 1], a tensor, or a Pillow image.

    Parameters
    ----------
    picture : object
        The picture.
    row : tuple of int, optional
        The shape of one image's measurements, where a tensor holds them and no images.

    Raises
    ------
    DataError
        When it is none of these, or holds what is no picture.
    """
    if isinstance(picture, Picture):
        return picture
    if isinstance(picture, Tensor):
        return _of_tensor(picture, row)
    if isinstance(picture, np.ndarray):
        return _of_array(picture)
    if hasattr(picture, "getexif") and hasattr(picture, "convert"):
        return _of_pillow(picture)
    hint = "give an array (H, W) or (H, W, C), a tensor (C, H, W) or (B, C, H, W), or a Pillow image"
    raise DataError(WHO, "cannot read this as a picture", type(picture).__name__, hint)


def _of_tensor(picture: Tensor, row: tuple[int, ...] | None) -> Picture:
    unit = _unit(str(picture.dtype).removeprefix("torch."), picture.is_floating_point())
    shape, hint = tuple(picture.shape), "give a tensor (C, H, W) or (B, C, H, W)"
    shaped = picture.ndim in (3, 4) if row is None else row in (shape, shape[1:])
    rule = "a tensor must be images" if row is None else f"measurements must be of shape {row}, or a batch of such"
    require(shaped, WHO, rule, shape, hint if row is None else "measure images with the operator", error=ShapeError)
    require(picture.numel() > 0, WHO, "a tensor must hold some image", shape, error=DataError)
    # Half precision is for keeping: many operations have it nowhere but on accelerators, and it rounds as bytes do.
    x = picture.float() if unit > 1 or picture.itemsize < 4 else picture
    require(bool(x.isfinite().all()), WHO, "every value must be finite", "NaN or inf", error=DataError)
    x = x / unit

    def back(out: Tensor) -> Tensor:
        out = out.clamp(0, 1) * unit
        out = out.round().to(picture.dtype) if unit > 1 else out.to(picture.dtype)
        return out[0] if single else out

    # Of three axes the first is channels, as torch has it.
    single = picture.ndim == 3 if row is None else shape == row
    return Picture(x[None] if single else x, unit, back)


def check_range(x: Tensor) -> None:
    """Refuse images that are not in [0, 1] at all: they would be cut to it, and a photograph of 0 to 255 be white.

    Raises
    ------
    DataError
        When more than a hundredth of the values, which strong noise reaches as well, lies beyond -1 to 2, or any of
        them beyond -9 to 10.
    """
    least, most = float(x.min()), float(x.max())
    beyond = least < -1 or most > 2
    beyond = beyond and (least < -9 or most > 10 or float(((x < -1) | (x > 2)).float().mean()) > FAR)
    rule, hint = "floats must lie in [0, 1], but for their noise", "divide values of 0 to 255 by 255"
    require(not beyond, WHO, rule, f"{least:.4g} to {most:.4g}", hint, error=DataError)


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
    from PIL import Image

    values, converted = pixels(picture)
    inner = _of_array(values)

    def back(out: Tensor) -> Any:
        restored = inner.back(out)
        # Pillow has no colours of 16 bits.
        deep = restored.ndim > 2 and inner.unit == FULL["uint16"]
        made = Image.fromarray(to_bytes(restored) if deep else restored)
        if picture.info.get("icc_profile") and keeps_profile(picture):
            made.info["icc_profile"] = picture.info["icc_profile"]
        return made

    return Picture(inner.x, inner.unit, back, converted)


def pixels(picture: Any) -> tuple[np.ndarray[Any, Any], str]:
    """Give a Pillow image's pixels, upright, as bytes or 16-bit numbers, and what was converted to have them.

    Raises
    ------
    DataError
        When its numbers are beyond what a picture's range can be told from.
    """
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(picture)
    mode = upright.mode
    if mode.startswith("I;16"):
        return np.asarray(upright).astype(np.uint16), ""
    if mode in ("I", "F"):
        values, full = np.asarray(upright), FULL["uint16"] if mode == "I" else 1.0
        fits = bool((values >= 0).all() and (values <= full).all())
        rule = f"a picture of mode {mode} must hold numbers from 0 to {full:g}"
        require(fits, WHO, rule, f"{values.min():g} to {values.max():g}", "scale it first", error=DataError)
        return np.rint(values * (FULL["uint16"] / full)).astype(np.uint16), f"{mode} to I;16"
    # One colour, or entries of the palette, may stand for what is clear.
    clear = upright.has_transparency_data
    to = {"1": "L", "L": "L", "LA": "LA", "La": "LA"}.get(mode, "RGB")
    to = {"L": "LA", "RGB": "RGBA"}.get(to, to) if clear else to
    if mode == to:
        return np.asarray(upright), ""
    return np.asarray(upright.convert(to)), f"{mode} to {to}"


def keeps_profile(picture: Any) -> bool:
    """Say whether the picture's colours stay in their own space, so that its ICC profile still tells it."""
    return picture.mode not in ("CMYK", "YCbCr", "LAB", "HSV")


def to_bytes(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Round 16-bit numbers to bytes."""
    return np.rint(values / 257).astype(np.uint8)


def _resized(alpha: Tensor, like: Tensor) -> Tensor:
    same = alpha.shape[-2:] == like.shape[-2:]
    return alpha if same else interpolate(alpha, like.shape[-2:], mode="bicubic", align_corners=False)


def _unit(dtype: str, floating: bool) -> float:
    fits = floating or dtype in FULL
    hint = "divide it by its highest value, as float32"
    require(fits, WHO, "pictures hold bytes, 16-bit numbers or floats in [0, 1]", dtype, hint, error=DataError)
    return FULL.get(dtype, 1.0)
