"""``xhat restore``."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from xhat.core.errors import ArtifactError, ConfigError, DataError, MissingFileError, require

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


def restore(
    picture: Path,
    /,
    *,
    out: Annotated[Path, Parameter(name=("--out", "-o"))],
    options: TaskOptions = TaskOptions(),
    sigma: str = "auto",
    solver: str = "hqs",
    prior: str = "default",
    seed: int = 0,
) -> None:
    """Restore a picture that is noisy, blurred, too small, damaged or a sensor's mosaic.

    Parameters
    ----------
    picture
        A picture file; it is only read.
    out
        Where to write: .png, .tif, .jpg, .webp or .bmp.
    sigma
        The noise's standard deviation in 8-bit steps of 0 to 255, or auto.
    solver
        hqs, or daep, diffpir, dmsp, red, snore.
    prior
        default, or a run folder of the recipe restoration-prior.
    seed
        Of solvers that draw.
    """
    _check_out(picture, out)
    noise = _noise(sigma)
    image = _opened(picture)

    from xhat.core.files import write_bytes
    from xhat.restore.front import restore as restored
    from xhat.restore.picture import read

    came = read(image)
    if came.converted:
        print(f"{picture.name}: converted from {came.converted}")
    operator = _operator(options, came.x)
    bar = _Progress()
    try:
        result = restored(
            image,
            operator,
            prior,
            None if noise is None else noise / 255 * came.unit,
            solver=solver,
            seed=seed,
            watch=bar.on_iteration,
        )
    finally:
        bar.close()
    content = io.BytesIO()
    from PIL import Image

    try:
        result.save(content, format=Image.registered_extensions()[out.suffix.lower()])
    except (OSError, ValueError) as error:
        hint = "write a .png, which holds any picture"
        raise ArtifactError(str(out), f"cannot hold this picture ({error})", hint=hint) from error
    write_bytes(out, content.getvalue())
    print(f"{options.task}: {image.width}x{image.height} to {result.width}x{result.height}: {out}")


def _check_out(picture: Path, out: Path) -> None:
    from PIL import Image

    suffix, known = out.suffix.lower(), Image.registered_extensions()
    require(suffix in known, str(out), "cannot write files that end so", f"'{suffix}'", "use .png")
    same = out.exists() and picture.exists() and os.path.samefile(out, picture)
    require(not same, str(out), "is the picture itself, which is only read", hint="give another --out")
    folder = out.parent
    writable = folder.is_dir() and os.access(folder, os.W_OK)
    require(writable, str(folder), "cannot be written to", hint="give a folder that is there", error=ArtifactError)


def _noise(sigma: str) -> float | None:
    if sigma == "auto":
        return None
    try:
        value = float(sigma)
    except ValueError:
        raise ConfigError("--sigma", "must be auto or a number", f"'{sigma}'", "as 25, of 0 to 255") from None
    require(0 <= value < 1e6, "--sigma", "must be >= 0", value, "auto estimates it")
    return value


def _opened(path: Path) -> Any:
    from PIL import Image

    require(path.is_file(), "restore", f"there is no picture '{path}'", error=MissingFileError)
    try:
        with Image.open(path) as image:
            image.load()
            return image
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(path.name, "cannot be read as a picture", error, "save it again") from error


def _operator(options: TaskOptions, x: Tensor) -> Operator | None:
    _check_options(options)
    if options.task == "deblur":
        return _blur(options.kernel, x)
    if options.task == "inpaint":
        from xhat.restore.operators.inpaint import Inpaint

        return Inpaint(_gray(options.mask, "--mask") < 0.5)
    if options.task == "super-resolve":
        from xhat.restore.operators.downsample import Downsample

        return Downsample(2 if options.scale is None else options.scale)
    if options.task == "demosaic":
        from xhat.restore.operators.demosaic import Demosaic

        require(
            x.shape[1] == 1, "--task demosaic", "reads a gray picture, the sensor's mosaic", f"{x.shape[1]} channels"
        )
        return Demosaic(options.pattern or "RGGB")
    return None


def _check_options(options: TaskOptions) -> None:
    """Refuse what a task needs and did not get, or got and has no use for."""
    needs = {"kernel": "deblur", "mask": "inpaint", "scale": "super-resolve", "pattern": "demosaic"}
    for name, task in needs.items():
        given, who = getattr(options, name) is not None, f"--task {options.task}"
        require(not given or task == options.task, who, f"has no use for --{name}", hint=f"it is for {task}")
        lacks = task == options.task and not given and name in ("kernel", "mask")
        require(not lacks, who, f"needs --{name}", hint=f"give a picture of the {name}")


def _blur(path: Path | None, x: Tensor) -> Operator:
    from xhat.restore.operators.blur import Blur

    kernel = _gray(path, "--kernel")
    fits = kernel.shape[0] <= x.shape[-2] and kernel.shape[1] <= x.shape[-1]
    rule = f"must not be larger than the picture, {x.shape[-1]}x{x.shape[-2]}"
    require(fits, "--kernel", rule, f"{kernel.shape[1]}x{kernel.shape[0]}", "crop it to the blur")
    require(float(kernel.sum()) > 0, "--kernel", "must not be all black", hint="white is where light went")
    return Blur(kernel / kernel.sum())


def _gray(path: Path | None, who: str) -> Tensor:
    import numpy as np
    import torch

    assert path is not None  # _check_options saw it
    if path.suffix == ".npy" and path.is_file():
        values = np.load(path, allow_pickle=False)
        require(values.ndim == 2, who, "an array must be of shape (H, W)", values.shape)
        return torch.from_numpy(values.astype(np.float32))
    image = _opened(path)
    return torch.from_numpy(np.asarray(image.convert("L"), np.float32) / 255)


class _Progress:
    """A bar on a terminal; elsewhere nothing."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import Progress

        console = Console(stderr=True)
        self._bar = Progress(console=console, transient=True, disable=not console.is_terminal)
        self._bar.start()
        self._task = self._bar.add_task("restoring", total=None)

    def on_iteration(self, number: int, x: Tensor) -> None:
        """Say how many iterations are done."""
        self._bar.update(self._task, description=f"iteration {number}")

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._bar.stop()
