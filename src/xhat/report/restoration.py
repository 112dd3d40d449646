"""A restoration's page: the picture before and after, one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from xhat.report.templates import render

# Of larger pictures the page would weigh more than mail takes; crops show every pixel.
SIDE = 1200
CROP = 96

Pixels = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class Shown:
    """What a page shows.

    Parameters
    ----------
    name : str
        Of the picture.
    before, after : array of shape (H, W) or (H, W, C)
        Bytes or 16-bit numbers; gray, gray and alpha, colours, or colours and alpha. They may differ in size.
    facts : mapping of str to str
        What was done.
    doubt : uint8 array of shape (H, W), optional
        Doubt about each pixel of `after`.
    words : str, default=""
        What that picture says.
    """

    name: str
    before: Pixels
    after: Pixels
    facts: Mapping[str, str]
    doubt: NDArray[np.uint8] | None = None
    words: str = ""


@dataclass(frozen=True)
class Crop:
    """A part of the pictures at full resolution: why it is shown, where it lies, and its images as data URIs."""

    why: str
    where: str
    images: list[str] = field(default_factory=list)


def compose(shown: Shown) -> str:
    """Give the page: pictures of at most 1200 pixels a side, crops pixel by pixel, and nothing from any network."""
    before, after = _image(shown.before), _image(shown.after)
    doubt = None if shown.doubt is None else _image(shown.doubt)
    width, height = after.size
    page = render(
        "restoration.html.j2",
        name=shown.name,
        facts=shown.facts,
        words=shown.words,
        width=min(width, SIDE * width // max(width, height)),
        shape=f"{width} / {height}",
        reduced=max(width, height) > SIDE,
        before=_uri(before, SIDE),
        after=_uri(after, SIDE),
        doubt="" if doubt is None else _uri(doubt, SIDE),
        crops=crops(before, after, doubt),
    )
    # A file's name may hold bytes that are no text.
    return page.encode(errors="replace").decode()


def crops(before: Image.Image, after: Image.Image, doubt: Image.Image | None) -> list[Crop]:
    """Choose parts: of most detail, of most change, and of most doubt where it is told."""
    size = after.size
    went = np.asarray(after.convert("L"), np.float32)
    change = np.abs(went - np.asarray(before.convert("L").resize(size, Image.Resampling.BICUBIC), np.float32))
    ways = {"most detail": _blocks(went, np.std), "most change": _blocks(change, np.mean)}
    if doubt is not None:
        ways["most doubt"] = _blocks(np.asarray(doubt, np.float32), np.mean)
    found: dict[tuple[int, int], Crop] = {}
    for why, blocks in ways.items():
        corner = max(blocks, key=lambda at: blocks[at] if at not in found else -1.0)
        if corner in found:
            continue  # there are no more blocks
        left, top = corner
        box = (left, top, min(left + CROP, size[0]), min(top + CROP, size[1]))
        parts = [_uri(_part(image, box, size), CROP) for image in (before, after, doubt) if image is not None]
        found[corner] = Crop(why, f"{box[2] - left}x{box[3] - top} pixels at {left}, {top}", parts)
    return list(found.values())


def _blocks(values: NDArray[np.float32], how: Any) -> dict[tuple[int, int], float]:
    """Rate the whole blocks of a picture by their left and top; one that is smaller than a block is one."""
    height, width = values.shape
    tops, lefts = range(0, max(height - CROP, 0) + 1, CROP), range(0, max(width - CROP, 0) + 1, CROP)
    return {(left, top): float(how(values[top : top + CROP, left : left + CROP])) for top in tops for left in lefts}


def _part(image: Image.Image, box: tuple[int, int, int, int], size: tuple[int, int]) -> Image.Image:
    """Cut a box of a picture of `size` out of one of another size."""
    across, down = image.width / size[0], image.height / size[1]
    left, top, right, bottom = box[0] * across, box[1] * down, box[2] * across, box[3] * down
    whole = (int(left), int(top), max(round(right), int(left) + 1), max(round(bottom), int(top) + 1))
    return image.crop(whole)


def _image(pixels: Pixels) -> Image.Image:
    return Image.fromarray(pixels if pixels.dtype == np.uint8 else np.rint(pixels / 257).astype(np.uint8))


def _uri(image: Image.Image, side: int) -> str:
    if max(image.size) > side:
        image = image.copy()
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
