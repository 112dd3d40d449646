"""Files of 16-bit colours, which Pillow would cut to 8: PNG and TIFF, by imagecodecs."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMATS = ("PNG", "TIFF")
# How a file's rows are laid upright, by the EXIF orientation that it tells: mirrored or not, then quarters to the left.
UPRIGHT = {2: (True, 0), 3: (False, 2), 4: (True, 2), 5: (True, 1), 6: (False, 3), 7: (True, 3), 8: (False, 1)}
# A PNG's signature and its first chunk, after which the profile comes.
HEADER = 8 + 25


def codecs() -> Any:
    """Give imagecodecs, or None where it is not installed."""
    try:
        import imagecodecs
    except ImportError:
        return None
    return imagecodecs


def is_deep(image: Any) -> bool:
    """Say whether a file that Pillow opened and has not read yet holds 16-bit colours, or such gray beside alpha."""
    return image.format in FORMATS and ";16" in str(image.tile) and not image.mode.startswith("I")


def decode(content: bytes, form: str, orientation: int) -> NDArray[np.uint16]:
    """Read pixels (H, W, C), upright."""
    library = codecs()
    values = library.png_decode(content) if form == "PNG" else library.tiff_decode(content)
    if values.ndim == 3 and values.shape[0] in (2, 3, 4) and values.shape[2] > 4:
        values = np.moveaxis(values, 0, -1)  # a TIFF may hold one colour after another
    mirrored, quarters = UPRIGHT.get(orientation, (False, 0))
    return np.ascontiguousarray(np.rot90(values[:, ::-1] if mirrored else values, quarters))


def encode(values: NDArray[np.uint16], form: str, profile: bytes | None) -> bytes:
    """Write pixels (H, W, C), and the profile of their colours where they have any."""
    library, colours = codecs(), values.shape[-1] > 2
    profile = profile if colours else None
    if form == "TIFF":
        alpha = None if values.shape[-1] == 3 else "unassalpha"
        model = "rgb" if colours else "minisblack"
        return library.tiff_encode(
            values, photometric=model, extrasample=alpha, compression="deflate", iccprofile=profile
        )
    content: bytes = library.png_encode(values)
    chunk = b"" if profile is None else _chunk(b"iCCP", b"icc\0\0" + zlib.compress(profile))
    return content[:HEADER] + chunk + content[HEADER:]


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
