"""Tiles: pictures of any sizes in a folder, cut into squares of one size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from xhat.core.errors import DataError, require
from xhat.data.ask import Ask, Mode
from xhat.data.raw import Raw
from xhat.data.readers.image_folder import header_of, image_files, pixels_of

# Pictures are cut at full, half and quarter size: a photograph's grain and blur shrink with it, so that small copies
# are as sharp as test pictures are. Tiles overlap there: each size then gives about as many.
REDUCTIONS = (1, 2, 4)
# Mean difference of neighbouring pixels, of 255, below which a tile is nearly flat: most of a sky teaches nothing.
DETAIL = 2.0

Pixels = NDArray[np.uint8]


def read(folder: Path, ask: Ask) -> Raw:
    """Read the pictures of a folder as tiles (N, tiles, tiles, 3), or (N, tiles, tiles) for mode "L".

    Tiles that are nearly flat are left out.

    Raises
    ------
    ConfigError
        When the side is less than 2, or the mode is none.
    DataError
        When there are no pictures, one cannot be decoded, or none holds a tile that is not flat.
    """
    folder = folder.resolve()
    ask.only("tiles", "mode", who=folder.name)
    side, mode = ask.tiles or 0, ask.mode or "RGB"
    require(side >= 2, "open", "tiles must have a side of at least 2 pixels", side, "use tiles=64 (--tiles 64)")
    require(mode in get_args(Mode), "open", "mode must be 'L' or 'RGB'", mode, "use 'L' for gray")
    headers = [header_of(path) for path in image_files(folder)]
    kept = [tile for header in headers for tile in _cut(pixels_of(header.path, mode, header.size), side)]
    rule, hint = f"no picture holds a tile of {side} pixels with details", "use smaller tiles, or larger pictures"
    require(bool(kept), folder.name, rule, hint=hint, error=DataError)
    return Raw(np.stack(kept), folder.name, kind="image")


def _cut(picture: Pixels, side: int) -> Iterator[Pixels]:
    from PIL import Image

    for reduction in REDUCTIONS:
        small = np.asarray(Image.fromarray(picture).reduce(reduction))
        step = max(side // reduction, 1)
        for top in range(0, small.shape[0] - side + 1, step):
            for left in range(0, small.shape[1] - side + 1, step):
                tile = small[top : top + side, left : left + side]
                if detail(tile) >= DETAIL:
                    yield tile.copy()  # a view would keep the whole picture in memory


def detail(tile: NDArray[Any]) -> float:
    """Give the mean absolute difference of neighbouring pixels, of their mean over channels where there are any."""
    gray = tile.astype(np.float32) if tile.ndim == 2 else tile.mean(-1, dtype=np.float32)
    return 0.5 * float(np.abs(np.diff(gray, axis=0)).mean() + np.abs(np.diff(gray, axis=1)).mean())
