"""Folders of images: every file is a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np

from xhat.core.errors import DataError, require
from xhat.data.ask import Ask, Mode
from xhat.data.memory import allowed
from xhat.data.raw import Raw
from xhat.data.sources.images import ImageRows

if TYPE_CHECKING:
    from PIL.Image import Image

IMAGES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")

# Pillow clips these at 255 when it converts them: most of such an image would turn white.
DEEP = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")
ORIENTATION = 0x0112  # EXIF
TURNED = range(5, 9)  # its values by which height and width change places


@dataclass(frozen=True)
class Header:
    """What a file says of its image before that is decoded."""

    path: Path
    mode: str
    size: tuple[int, int]  # (H, W), upright


def read(folder: Path, ask: Ask) -> Raw:
    """Read the images of a folder, without its sub-folders, in the order of their names, as (N, H, W) or (N, H, W, 3).

    Gray and colour images of one size are taken as they are; others are converted and resized as asked. Transparency
    is dropped, and photographs are turned upright.

    Raises
    ------
    ConfigError
        When `size` or `mode` is none.
    DataError
        When there are no images, one cannot be decoded, or they differ and nothing was asked.
    """
    folder = folder.resolve()  # the name of "." is that of its folder
    ask.only("size", "mode", who=folder.name)
    modes = get_args(Mode)
    require(ask.mode is None or ask.mode in modes, "open", "mode must be 'L' or 'RGB'", ask.mode, "use 'L' for gray")
    fits = ask.size is None or (len(ask.size) == 2 and min(ask.size) >= 1)
    require(fits, "open", "size must be (H, W), each >= 1", ask.size, "use size=(64, 64) (--size 64x64)")
    headers = [header_of(path) for path in image_files(folder)]
    mode, (height, width) = ask.mode or _mode(headers), ask.size or _size(headers)
    source = ImageRows([header.path for header in headers], folder.name, pixels_of, mode, (height, width))
    if source.nbytes > allowed(ask.memory):
        return Raw.streamed(source, kind="image")
    rows = np.empty(source.shape, np.uint8)
    for row, header in zip(rows, headers, strict=True):
        row[:] = pixels_of(header.path, mode, (height, width))
    return Raw(rows, folder.name, kind="image")


def image_files(folder: Path) -> list[Path]:
    """List a folder's images in the order of their names; refuse a folder without any."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGES and path.is_file())
    inner = sorted(path.name for path in folder.iterdir() if path.is_dir())
    hint = f"open one of its folders: {', '.join(inner[:8])}" if inner else f"give a folder of {', '.join(IMAGES)}"
    require(bool(files), folder.name, "the folder holds no images", hint=hint, error=DataError)
    return files


@contextmanager
def _opened(path: Path) -> Iterator[Image]:
    from PIL import Image

    try:
        with Image.open(path) as image:
            yield image
    # Pillow's plugins raise these of broken files; a bomb is an image too large to be meant.
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        if isinstance(error, DataError):
            raise
        hint = "delete the file or save it again"
        raise DataError(path.name, "the image cannot be decoded", error, hint) from error


def header_of(path: Path) -> Header:
    """Read an image's header; refuse files of several images, and pixels of more than 8 bits."""
    with _opened(path) as image:
        frames = getattr(image, "n_frames", 1)
        # A camera's MPO is one photograph and its preview.
        single = frames == 1 or image.format == "MPO"
        require(single, path.name, "a file must hold one image", frames, "split it into files", error=DataError)
        came, hint = f"mode {image.mode}", "convert it to 8 bits, or save the images as an .npy array"
        require(image.mode not in DEEP, path.name, "pixels must have 8 bits", came, hint, error=DataError)
        turned = image.getexif().get(ORIENTATION) in TURNED
        return Header(path, image.mode, (image.width, image.height) if turned else (image.height, image.width))


def _mode(headers: list[Header]) -> str:
    for header in headers:
        if header.mode not in get_args(Mode):
            rule, hint = "an image must be gray (L) or colour (RGB)", "use mode='RGB' or mode='L' (--mode L) to convert"
            raise DataError(header.path.name, rule, f"mode {header.mode}", hint)
    usual = Counter(header.mode for header in headers).most_common(1)[0][0]
    for header in headers:
        if header.mode != usual:
            rule, hint = f"images must all be of one mode, as most are {usual}", f"use mode='{usual}' (--mode {usual})"
            raise DataError(header.path.name, rule, header.mode, hint)
    return usual


def _size(headers: list[Header]) -> tuple[int, int]:
    usual = Counter(header.size for header in headers).most_common(1)[0][0]
    for header in headers:
        if header.size != usual:
            rule = f"images must all be of one size, as most are {usual}"
            hint = f"use size={usual} (--size {usual[0]}x{usual[1]}) to crop and resize"
            raise DataError(header.path.name, rule, header.size, hint)
    return usual


def pixels_of(path: Path, mode: str, size: tuple[int, int]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Decode an image upright, converted and resized, as (H, W) or (H, W, 3)."""
    from PIL import Image, ImageOps

    with _opened(path) as image:
        upright = ImageOps.exif_transpose(image)
        if upright.mode == "P" and "transparency" in upright.info:
            upright = upright.convert("RGBA")  # Pillow's way to resolve a palette with transparent entries
        # Converted before resized: indices of a palette have no mean.
        upright = upright.convert(mode)
        if (upright.height, upright.width) != size:
            upright = ImageOps.fit(upright, size[::-1], Image.Resampling.BICUBIC)
        return np.asarray(upright)
