"""Photograph: a picture file, its pixels upright, and what is to be kept beside them."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xhat.core.errors import ArtifactError, DataError, MissingFileError, require
from xhat.restore import _deep
from xhat.restore._forms import form_of
from xhat.restore.picture import keeps_profile, pixels, to_bytes

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
ORIENTATION = 0x0112
# What a TIFF's own pixels are like, which lies among the tags of how it was taken: sizes, bits, compression, strips,
# tiles, colours, and the profile, which has its own place.
STRUCTURE = {*range(254, 260), 262, 263, 266, 273, *range(277, 282), 284, 292, 293, 317, *range(320, 326), 330, 332,
             *range(336, 348), *range(512, 533), 34675}  # fmt: skip
# Parts of EXIF, how the picture was taken and where, and in the first its width and height.
TAKEN, PLACE, WIDTH, HEIGHT = 0x8769, 0x8825, 0xA002, 0xA003
DEPTH = "16-bit colours are {}: pip install 'xhat[deep]' keeps them whole"
# Pillow's own choice of 75 would undo some of what was restored.
QUALITY = 95


@dataclass(frozen=True, eq=False)
class Photograph:
    """What a picture file holds.

    Parameters
    ----------
    pixels : array of shape (H, W) or (H, W, C)
        Bytes or 16-bit numbers: gray, gray and alpha, colours, or colours and alpha. Upright.
    profile : bytes, optional
        The ICC profile of its colours.
    exif : bytes, default=b""
        How it was taken, without its orientation and what a TIFF tells there of its own pixels.
    notes : tuple of str
        What could not be taken as it is.
    """

    pixels: Pixels
    profile: bytes | None = None
    exif: bytes = b""
    notes: tuple[str, ...] = field(default=())

    @classmethod
    def open(cls, path: Path) -> Photograph:
        """Read a file.

        Raises
        ------
        MissingFileError
            When there is none.
        DataError
            When it is no picture, or a part of one.
        """
        from PIL import Image

        require(path.is_file(), "restore", f"there is no picture '{path}'", error=MissingFileError)
        try:
            # What Pillow warns of is either harmless or followed by an error.
            with warnings.catch_warnings(action="ignore"), Image.open(path) as image:
                notes = [f"only the first of {n} pictures is read"] if (n := getattr(image, "n_frames", 1)) > 1 else []
                deep, exif = _deep.is_deep(image), image.getexif()
                orientation = int(exif.get(ORIENTATION, 1))
                for part in {TAKEN, PLACE} & set(exif):
                    exif.get_ifd(part)  # which is read from the file where it lies
                image.load()
                profile = image.info.get("icc_profile") if keeps_profile(image) else None
                if deep and _deep.codecs() is not None:
                    values = _deep.decode(path.read_bytes(), str(image.format), orientation)
                else:
                    values, converted = pixels(image)
                    notes += [DEPTH.format("read as 8 bits")] * deep + [f"converted from {converted}"] * bool(converted)
        except DataError:
            raise
        # Pillow and imagecodecs refuse a broken file with errors of many kinds.
        except (OSError, SyntaxError, ValueError, RuntimeError, Image.DecompressionBombError) as error:
            raise DataError(path.name, "cannot be read as a picture", error, "save it again") from error
        for tag in STRUCTURE | {ORIENTATION}:
            exif.pop(tag, None)
        return cls(values, profile, exif.tobytes() if len(exif) else b"", tuple(notes))

    def encoded(self, values: Pixels, suffix: str) -> tuple[bytes, tuple[str, ...]]:
        """Give a file's bytes that holds other pixels with this photograph's profile, and what it could not hold.

        Parameters
        ----------
        values : array of shape (H, W) or (H, W, C)
            Bytes or 16-bit numbers.
        suffix : str
            How the file's name ends, as ".png".

        Raises
        ------
        ArtifactError
            When such files do not hold such pictures.
        """
        from PIL import Image

        form, notes = form_of(suffix, *values.shape[:2]), []
        if values.dtype == np.uint16 and (values.ndim > 2 or form not in _deep.FORMATS):
            if form in _deep.FORMATS and _deep.codecs() is not None:
                return _deep.encode(np.ascontiguousarray(values, np.uint16), form, self.profile), ()
            values = to_bytes(values)
            notes = [DEPTH.format("written as 8 bits") if form in _deep.FORMATS else f"{suffix} holds 8 of its 16 bits"]
        beside: dict[str, Any] = {"icc_profile": self.profile} if self.profile else {}
        beside |= {"exif": _of_size(self.exif, values)} if self.exif and form in ("JPEG", "PNG", "WEBP") else {}
        content = io.BytesIO()
        try:
            Image.fromarray(values).save(content, format=form, quality=QUALITY, **beside)
        except (OSError, ValueError, KeyError) as error:
            hint = "write a .png, which holds any picture"
            raise ArtifactError(f"'{suffix}'", f"cannot hold this picture ({error})", hint=hint) from error
        return content.getvalue(), tuple(notes)


def _of_size(exif: bytes, values: Pixels) -> bytes:
    """Give EXIF that tells the size of these pixels, where it tells any."""
    from PIL import Image

    told = Image.Exif()
    told.load(exif)
    part = told.get_ifd(TAKEN) if TAKEN in told else {}
    for tag, size in ((WIDTH, values.shape[1]), (HEIGHT, values.shape[0])):
        if tag in part:
            part[tag] = size
    return bytes(told.tobytes())
