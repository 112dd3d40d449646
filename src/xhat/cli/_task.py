"""What happened to a picture, from the command line's words to an operator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cyclopts import Parameter

from xhat.core.errors import DataError, MissingFileError, ShapeError, require

if TYPE_CHECKING:
    from torch import Tensor

    from xhat.restore.operator import Operator

Task = Literal["denoise", "deblur", "super-resolve", "inpaint", "demosaic"]


@Parameter(name="*")
@dataclass(frozen=True)
class TaskOptions:
    """What happened to the picture.

    Parameters
    ----------
    task
        denoise; deblur, which needs --kernel; super-resolve; inpaint, which needs --mask; demosaic.
    kernel
        A gray picture of the blur, or an .npy array, as small as the blur is; it is scaled to sum to 1.
    scale
        How many times larger a super-resolved picture shall be. [default: 2]
    mask
        A picture of the same size, white where pixels are to be filled.
    pattern
        A mosaic's first two by two colours, row by row. [default: RGGB]
    """

    task: Task = "denoise"
    kernel: Path | None = None
    scale: int | None = None
    mask: Path | None = None
    pattern: str | None = None

    def check(self) -> None:
        """Refuse what a task needs and did not get, or got and has no use for."""
        needs = {"kernel": "deblur", "mask": "inpaint", "scale": "super-resolve", "pattern": "demosaic"}
        for name, task in needs.items():
            given, who = getattr(self, name) is not None, f"--task {self.task}"
            require(not given or task == self.task, who, f"has no use for --{name}", hint=f"it is for {task}")
            lacks = task == self.task and not given and name in ("kernel", "mask")
            require(not lacks, who, f"needs --{name}", hint=f"give a picture of the {name}")
        require(self.scale is None or self.scale >= 1, "--scale", "must be >= 1", self.scale, "2 doubles both sides")

    def operator(self, x: Tensor) -> Operator | None:
        """Make the operator whose measurement is the image x (1, C, H, W)."""
        if self.kernel is not None:
            return _blur(self.kernel, x)
        if self.mask is not None:
            return _gaps(self.mask, x)
        if self.task == "super-resolve":
            from xhat.restore.operators.downsample import Downsample

            return Downsample(2 if self.scale is None else self.scale)
        if self.task == "demosaic":
            from xhat.restore.operators.demosaic import Demosaic

            rule = "reads a gray picture, the sensor's mosaic"
            require(x.shape[1] == 1, "--task demosaic", rule, f"{x.shape[1]} channels", "save it as gray")
            return Demosaic(self.pattern or "RGGB")
        return None


def _blur(path: Path, x: Tensor) -> Operator:
    from xhat.restore.operators.blur import Blur

    kernel = _gray(path, "--kernel")
    fits = kernel.shape[0] <= x.shape[-2] and kernel.shape[1] <= x.shape[-1]
    rule = f"must not be larger than the picture, {x.shape[-1]}x{x.shape[-2]}"
    require(fits, "--kernel", rule, _size(kernel), "crop it to the blur")
    require(float(kernel.sum()) > 0, "--kernel", "must not be all black", hint="white is where light went")
    return Blur(kernel / kernel.sum())


def _gaps(path: Path, x: Tensor) -> Operator:
    from xhat.restore.operators.inpaint import Inpaint

    mask = _gray(path, "--mask")
    rule = f"must be of the picture's size, {x.shape[-1]}x{x.shape[-2]}"
    require(mask.shape == x.shape[-2:], "--mask", rule, _size(mask), "resize it", error=ShapeError)
    require(bool((mask < 0.5).any()), "--mask", "must not be all white", hint="white is what shall be filled")
    return Inpaint(mask < 0.5)


def _size(image: Tensor) -> str:
    return f"{image.shape[1]}x{image.shape[0]}"


def _gray(path: Path, who: str) -> Tensor:
    """Read a gray picture in [0, 1], or an array as it is."""
    import numpy as np
    import torch

    from xhat.restore.photograph import Photograph
    from xhat.restore.picture import read

    require(path.is_file(), who, f"there is no file '{path}'", error=MissingFileError)
    if path.suffix != ".npy":
        return read(Photograph.open(path).pixels).x[0].mean(0)
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(who, "cannot be read as an array", error, "save it with numpy.save") from error
    fits = values.ndim == 2 and values.dtype.kind in "buif" and bool(np.isfinite(values).all())
    require(fits, who, "must be numbers of shape (H, W)", f"{values.dtype} of shape {values.shape}")
    return torch.from_numpy(values.astype(np.float32))
