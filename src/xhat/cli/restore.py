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

    from xhat.core.files import write_files
    from xhat.restore._forms import form_of
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
    times = (options.scale or 2) if options.task == "super-resolve" else 1
    photograph.encoded(came.back(came.x.new_zeros(1, channels, 1, 1)), out.suffix)
    for path in (out, uncertainty):
        if path is not None:
            form_of(path.suffix, *(times * size for size in came.x.shape[-2:]))
    for note in photograph.notes:
        print(f"{_text(picture.name)}: {note}")

    begun = time.perf_counter()
    found = _solved(plan, seed, eight=uncertainty is not None)
    seconds = time.perf_counter() - begun
    # All is made before any of it is written.
    files: dict[Path, bytes] = {}
    files[out], notes = photograph.encoded(found.picture, out.suffix)
    for note in notes:
        print(f"{_text(out.name)}: {note}")
    facts = _facts(plan, options.task, prior, told, photograph.pixels, found.picture, seconds)
    said = [f"{options.task}: {facts['size']}, noise {facts['noise']}, {facts['time']}: {_text(out)}"]
    drawn = None if uncertainty is None else Drawn.of(found.spread[0], came.unit)
    words = "" if drawn is None else _doubt(plan, prior, drawn)
    if uncertainty is not None and drawn is not None:
        facts["solver"] += ", from each of eight sides"
        files[uncertainty], _ = Photograph(drawn.pixels).encoded(drawn.pixels, uncertainty.suffix)
        said += [f"uncertainty: {words}: {_text(uncertainty)}"]
    if page is not None:
        from xhat.report.restoration import Shown, compose

        doubt = None if drawn is None else drawn.pixels
        files[page] = compose(Shown(picture.name, photograph.pixels, found.picture, facts, doubt, words)).encode()
        said += [f"page: {_text(page)}"]
    write_files(files)
    print("\n".join(said))


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
    elif sigma > 0:
        noise = f"{255 * sigma:.1f} estimated"
    elif task in ("super-resolve", "inpaint"):
        noise = "0, as is taken where none is told"
    elif min(came.shape[:2]) < (4 if task == "demosaic" else 2):
        noise = "0 since the picture is too small to estimate it, --sigma tells it"
    else:
        noise = "0 since none was found, --sigma tells it"
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
    from xhat.restore._forms import FORMS

    for option, path in outputs.items():
        suffixes = {".html", ".htm"} if option == "--page" else set(FORMS)
        good = "use .html" if option == "--page" else f"use one of {', '.join(FORMS)}"
        require(path.suffix.lower() in suffixes, str(path), "cannot write files that end so", f"'{path.suffix}'", good)
        same = path.exists() and picture.exists() and os.path.samefile(path, picture)
        require(not same, str(path), "is the picture itself, which is only read", hint=f"give another {option}")
        folder, hint = path.parent, "give a folder that is there and may be written to"
        writable = folder.is_dir() and os.access(folder, os.W_OK)
        require(writable, str(folder), "cannot be written to", hint=hint, error=ArtifactError)
        require(not path.is_dir(), str(path), "is a folder", hint="give a file", error=ArtifactError)
        twice = [other for other, there in outputs.items() if other != option and there.resolve() == path.resolve()]
        require(not twice, option, f"must not be the file of {' or '.join(twice)}", path, "give another")


def _text(path: str | Path) -> str:
    """Give a path that can be printed: names of files may hold bytes that are no text."""
    return os.fsencode(path).decode(errors="replace")


def _sigma(text: str) -> float | None:
    if text == "auto":
        return None
    try:
        value = float(text)
    except ValueError:
        raise ConfigError("--sigma", "must be auto or a number", f"'{text}'", "as 25, of 0 to 255") from None
    require(0 <= value < 1e6, "--sigma", "must be >= 0", value, "auto estimates it")
    return value
