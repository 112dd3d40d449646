"""Uncertainty: the factors of restore/calibration.py, and the share of errors that two calibrated spreads hold.

    python benchmarks/uncertainty.py --quick              # under a minute: shows that it runs
    python benchmarks/uncertainty.py --keep               # the whole of it, one thread, about 10 minutes
    python benchmarks/uncertainty.py --only deblur        # one task: denoise, deblur, super-resolve or inpaint
    python benchmarks/uncertainty.py --prior RUN          # of a run folder in the place of the shipped prior

Middles of 96 x 96 pixels of 24 colour pictures of BSDS500's training part: the prior was trained on none of them, and
no test picture is among them. Every other one chooses the factor c, such that 95 % of its pixels lie within 2 c pooled
spreads; the twelve others measure what that holds, and what the factor that ships does. A factor is one for each task:
noise of 10, 25 and 50 in turn; Levin's kernels with noise of 2.55; ×2 and ×3; half of the pixels hidden, or a hole of
16 x 16. Noise is told. Of inpainting only hidden pixels count. After another prior is trained, put the first two
numbers of each line into restore/calibration.py.

A line is kept as soon as it is there: a run that was killed goes on with those that lack, the same day.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from _record import earlier, record, shared, table
from PIL import Image
from torch import Tensor

from xhat.engine.randomness import private_randomness
from xhat.restore.calibration import calibration
from xhat.restore.operator import Operator
from xhat.restore.operators.blur import Blur
from xhat.restore.operators.denoise import Denoise
from xhat.restore.operators.downsample import Downsample
from xhat.restore.operators.inpaint import Inpaint
from xhat.restore.plan import make_plan
from xhat.restore.prior import Prior
from xhat.restore.uncertainty import doubted

Row = list[object]
HEADER = (
    "task",
    "c found",
    "held of the others, %",
    "c that ships",
    "held of the others, %",
    "each of them, %",
    "held by tenths of doubt: least, most, %",
    "two spreads, mean, levels",
    "error, RMS, levels",
)
SIDE, EVERY, PICTURES = 96, 8, 24


@dataclass(frozen=True)
class Errors:
    """What one picture says: errors and calibrated spreads of the pixels that count, and the factor in these."""

    error: np.ndarray
    spread: np.ndarray
    factor: float


def pictures(quick: bool) -> list[Tensor]:
    """Read the middles of pictures, (1, 3, H, W) in [0, 1]."""
    side, found = (48 if quick else SIDE), []
    for path in sorted(shared("restoration/train/BSDS500_train").iterdir())[::EVERY][: 2 if quick else PICTURES]:
        x = torch.tensor(np.asarray(Image.open(path).convert("RGB")), dtype=torch.float32).permute(2, 0, 1)[None] / 255
        top, left = ((size - side) // 2 for size in x.shape[-2:])
        found.append(x[..., top : top + side, left : left + side].contiguous())
    return found


def denoise(i: int, x: Tensor) -> tuple[Operator, float]:
    return Denoise(), (10, 25, 50)[i // 2 % 3] / 255


def deblur(i: int, x: Tensor) -> tuple[Operator, float]:
    kept = np.load(shared("restoration/kernels/levin09.npz"))
    return Blur(torch.tensor(kept[sorted(kept.files)[i % 8]], dtype=torch.float32)), 2.55 / 255


def super_resolve(i: int, x: Tensor) -> tuple[Operator, float]:
    return Downsample(2 + i // 2 % 2), 0.0


def inpaint(i: int, x: Tensor) -> tuple[Operator, float]:
    height, width = x.shape[-2:]
    if i // 2 % 2:
        hole = torch.ones(height, width, dtype=torch.bool)
        hole[height // 3 : height // 2, width // 3 : width // 2] = False
        return Inpaint(hole), 0.0
    return Inpaint(torch.rand(height, width, generator=torch.Generator().manual_seed(i)) < 0.5), 0.0


TASKS: dict[str, Callable[[int, Tensor], tuple[Operator, float]]] = {
    "denoise": denoise,
    "deblur": deblur,
    "super-resolve": super_resolve,
    "inpaint": inpaint,
}


def errors(i: int, x: Tensor, task: str, prior: Prior) -> Errors:
    operator, sigma = TASKS[task](i, x)
    with private_randomness(i):
        clean = operator(x)
        y = clean + sigma * torch.randn_like(clean) if sigma else (255 * clean).round().clamp(0, 255) / 255
    plan = make_plan(y, operator, prior, sigma)
    found = doubted(plan)
    error = (found.picture - operator.covered(x)).abs().numpy()
    spread = np.broadcast_to(found.spread[:, None], error.shape)
    hidden = ~np.broadcast_to(operator.mask.numpy(), error.shape) if isinstance(operator, Inpaint) else np.s_[:]
    return Errors(error[hidden].ravel(), spread[hidden].ravel(), calibration(plan).factor)


def measured(task: str, prior: Prior, quick: bool) -> Row:
    done = []
    for i, x in enumerate(pictures(quick)):
        done.append(errors(i, x, task, prior))
        held = 100 * np.mean(done[-1].error <= 2 * done[-1].spread)
        print(f"{task}, picture {i + 1}: {held:.1f} % held", flush=True)
    shipped = done[0].factor
    ratios = np.concatenate([each.error / np.maximum(each.spread, 1e-9) for each in done[::2]])
    others = done[1::2]
    error, spread = (np.concatenate([getattr(each, name) for each in others]) for name in ("error", "spread"))
    within = error <= 2 * spread
    found = shipped * float(np.quantile(ratios, 0.95)) / 2
    low, high = np.quantile(spread, (0.1, 0.9))
    each = ", ".join(f"{100 * np.mean(one.error <= 2 * one.spread):.0f}" for one in others)
    return [
        task,
        round(found, 2),
        round(100 * float((error <= 2 * found / shipped * spread).mean()), 1),
        shipped,
        round(100 * float(within.mean()), 1),
        each,
        f"{100 * within[spread <= low].mean():.0f}, {100 * within[spread >= high].mean():.0f}",
        round(255 * 2 * float(spread.mean()), 1),
        round(255 * float(np.sqrt((error**2).mean())), 1),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--prior", default="default")
    parser.add_argument("--only", choices=TASKS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    prior = Prior.load(options.prior if options.prior == "default" else Path(options.prior))
    rows = earlier("uncertainty", TASKS) if options.keep else {}
    for task in [task for task in TASKS if task not in rows and options.only in (None, task)]:
        rows[task] = measured(task, prior, options.quick)
        if options.keep:
            record("uncertainty", table(HEADER, list(rows.values())), keep=True)
    if not options.keep:
        record("uncertainty", table(HEADER, list(rows.values())), keep=False)


if __name__ == "__main__":
    main()
