"""``xhat restore``."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from xhat.cli._task import TaskOptions
from xhat.core.errors import ArtifactError, ConfigError, require

if TYPE_CHECKING:
    from xhat.restore.plan import Plan
    from xhat.restore.uncertainty import Drawn, Restored

# What is taken to have happened where nothing is said.
NOISE = TaskOptions()


def restore(
    picture: Path,
    /,
    *,
    out: Annotated[Path, Parameter(name=("--out", "-o"))],
    options: TaskOptions = NOISE,
    sigma: str = "auto",
    uncertainty: Path | None = None,
    page: Path | None = None,
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
        Where to write: .png, .tif, .jpg, .webp or .bmp. A file that is there is replaced when all has gone well.
    sigma
        The noise's standard deviation in 8-bit steps of 0 to 255, or auto.
    uncertainty
        Also write a gray picture of the doubt, brighter where there is more, and take the mean of eight answers.
    page
        Also write a page in HTML with the picture before and after.
    solver
        hqs, or daep, diffpir, dmsp, red, snore.
    prior
        default, or a run folder of the recipe restoration-prior.
    seed
        Of solvers that draw.
    """
    outputs = {"--out": out, "--uncertainty": uncertainty, "--page": page}
    options.check()
    _check_outputs(picture, {name: path for name, path in outputs.items() if path is not None})
    told = _sigma(sigma)

    from xhat.core.files import write_bytes
    from xhat.restore.photograph import Photograph
    from xhat.restore.picture import read
    from xhat.restore.plan import make_plan
    from xhat.restore.uncertainty import Drawn

    photograph = Photograph.open(picture)
    came = read(photograph.pixels)
    plan = make_plan(
        came, options.operator(came.x), prior, None if told is None else told / 255 * came.unit, solver=solver
    )
    # What files of this kind cannot hold is found before the work and not after it.
    channels = 3 if options.task == "demosaic" else came.x.shape[1]
    photograph.encoded(came.back(came.x.new_zeros(1, channels, 1, 1)), out.suffix)
    for note in photograph.notes:
        print(f"{picture.name}: {note}")

    begun = time.perf_counter()
    found = _solved(plan, seed, eight=uncertainty is not None)
    seconds = time.perf_counter() - begun
    content, notes = photograph.encoded(found.picture, out.suffix)
    for note in notes:
        print(f"{out.name}: {note}")
    facts = _facts(plan, options.task, prior, told, photograph.pixels, found.picture, seconds)
    drawn = None if uncertainty is None else Drawn.of(found.spread[0], came.unit)
    facts["solver"] += "" if drawn is None else ", from each of eight sides"
    if page is not None:
        from xhat.report.restoration import Shown, write_restoration

        doubt = None if drawn is None else drawn.pixels
        words = "" if drawn is None else _doubt(plan, prior, drawn)
        shown = Shown(picture.name, photograph.pixels, found.picture, facts, doubt, words)
        write_restoration(shown, page)
    if uncertainty is not None and drawn is not None:
        gray, _ = Photograph(drawn.pixels).encoded(drawn.pixels, uncertainty.suffix)
        write_bytes(uncertainty, gray)
    write_bytes(out, content)
    print(f"{options.task}: {facts['size']}, noise {facts['noise']}, {facts['time']}: {out}")
    if uncertainty is not None and drawn is not None:
        print(f"uncertainty: {_doubt(plan, prior, drawn)}: {uncertainty}")
    if page is not None:
        print(f"page: {page}")


def _solved(plan: Plan, seed: int, *, eight: bool) -> Restored:
    """Carry a plan out once, or eight times, behind a bar."""
    import numpy as np

    from xhat.cli._bar import Bar
    from xhat.parts.objectives.symmetries import SIDES
    from xhat.restore.prior import Prior
    from xhat.restore.uncertainty import Restored, doubted

    with Bar(plan.solver.iterations * (SIDES if eight else 1)) as bar:
        if isinstance(plan.problem.prior, Prior):
            plan.problem.prior.watch = bar.on_tile
        if eight:
            return doubted(plan, seed, bar.on_iteration)
        x = plan.answer(seed, bar.on_iteration)
        return Restored(plan.came.back(x), np.zeros((0, 0, 0), np.float32))


def _facts(
    plan: Plan, task: str, prior: str, told: float | None, came: Any, went: Any, seconds: float
) -> dict[str, str]:
    """Say what was done, in words."""
    sizes = [f"{pixels.shape[1]}x{pixels.shape[0]}" for pixels in (came, went)]
    sigma = plan.problem.sigma
    if told is not None:
        noise = f"{told:g} as told"
    elif sigma is None:
        noise = "found on the way"
    else:
        noise = f"{255 * sigma:.1f} estimated" if sigma > 0 else "0, as is taken where none is told"
    steps, solver = plan.solver.iterations, type(plan.solver).__name__.lower()
    return {
        "task": task,
        "size": sizes[0] if sizes[0] == sizes[1] else f"{sizes[0]} to {sizes[1]}",
        "noise": noise,
        "solver": "the prior, asked once" if solver == "direct" else f"{solver}, {steps} steps",
        "prior": prior,
        "time": f"{seconds:.1f} s",
    }


def _doubt(plan: Plan, prior: str, drawn: Drawn) -> str:
    """Say what the doubt's picture shows."""
    from xhat.restore.calibration import calibration

    coverage = calibration(plan).coverage if prior == "default" else None  # another prior errs otherwise
    measured = "not measured for this" if coverage is None else f"measured {100 * coverage:.1f} % on other photographs"
    return f"white = {drawn.white} levels, made to hold 95 % of the errors ({measured})"


def _check_outputs(picture: Path, outputs: dict[str, Path]) -> None:
    from PIL import Image

    Image.init()
    known = {suffix for suffix, form in Image.registered_extensions().items() if form in Image.SAVE}
    for option, path in outputs.items():
        suffixes = {".html", ".htm"} if option == "--page" else known
        good = "use .html" if option == "--page" else "use .png"
        require(path.suffix.lower() in suffixes, str(path), "cannot write files that end so", f"'{path.suffix}'", good)
        same = path.exists() and picture.exists() and os.path.samefile(path, picture)
        require(not same, str(path), "is the picture itself, which is only read", hint=f"give another {option}")
        folder, hint = path.parent, "give a folder that is there and may be written to"
        writable = folder.is_dir() and os.access(folder, os.W_OK)
        require(writable, str(folder), "cannot be written to", hint=hint, error=ArtifactError)
        require(not path.is_dir(), str(path), "is a folder", hint="give a file", error=ArtifactError)
        twice = [other for other, there in outputs.items() if other != option and there.resolve() == path.resolve()]
        require(not twice, option, f"must not be the file of {' or '.join(twice)}", path, "give another")


def _sigma(text: str) -> float | None:
    if text == "auto":
        return None
    try:
        value = float(text)
    except ValueError:
        raise ConfigError("--sigma", "must be auto or a number", f"'{text}'", "as 25, of 0 to 255") from None
    require(0 <= value < 1e6, "--sigma", "must be >= 0", value, "auto estimates it")
    return value
