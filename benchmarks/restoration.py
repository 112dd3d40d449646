"""Restoration: denoising, deblurring, super-resolution, inpainting, demosaicing, beside published peers.

    python benchmarks/restoration.py --quick                  # under a minute: shows that it runs
    python benchmarks/restoration.py --keep                   # the whole of it, one thread, about 25 minutes
    python benchmarks/restoration.py --only denoise,deblur    # parts: cost, denoise, demosaic, super-resolve,
                                                              # inpaint, daep, deblur, dmsp
    python benchmarks/restoration.py --prior RUN              # of a run folder in the place of the shipped prior

Noise is Gaussian and not clipped, drawn from numpy's seed 0 before each picture. Answers are rounded to 8 bits.
Numbers are means of the pictures' PSNR in dB. Nothing was chosen on these pictures. The cheapest part comes first, and
a line is kept as soon as it is there: what was killed goes on with the lines that lack, the same day.

cost: a megapixel of noise. denoise: Set12, gray, once and from eight sides. demosaic: Set5, RGGB, beside bilinear
interpolation and Malvar's linear filters. super-resolve: Set5 in RGB, bicubic as by imresize, a border of `scale`
pixels left out. inpaint: 80 % of the pixels of Set12 hidden. daep: its way on the first picture of Set12 with Levin's
first kernel. deblur: Levin's eight kernels on all of Set12, "valid" borders, σ = 2.55, estimated and not told; compared
where the blurred picture lies. dmsp, which takes forty times as long, finds σ on its way: the first two pictures with
every other kernel, and hqs on the same. Peers' numbers are those of their papers; the super-resolution's are told as
remembered.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import torch
from _malvar import malvar
from _multiplications import multiplications
from _record import RESULTS, earlier, record, shared, table
from _teaser import TEASER, curve
from PIL import Image
from torch import Tensor

from xhat.engine.randomness import private_randomness
from xhat.parts.objectives.symmetries import SIDES, from_side, to_side
from xhat.restore.operators.blur import Blur
from xhat.restore.operators.demosaic import Demosaic
from xhat.restore.operators.downsample import Downsample
from xhat.restore.operators.inpaint import Inpaint
from xhat.restore.prior import Prior
from xhat.restore.problem import Problem
from xhat.restore.solver import Solver
from xhat.restore.solvers.daep import DAEP
from xhat.restore.solvers.dmsp import DMSP
from xhat.restore.solvers.hqs import HQS

Row = list[object]
HEADER = ("what", "xhat, dB", "start, dB", "published peer, dB", "s a picture")
LEVIN = "DMSP 31.06, goal 31.56"
SOME, EIGHT = "some pictures and kernels", ", mean of eight sides"


@dataclass(frozen=True)
class Setting:
    """What all parts need."""

    prior: Prior
    quick: bool
    keep: bool

    def pictures(self, folder: str, mode: str) -> list[Tensor]:
        """Read the pictures of a test set, (1, C, H, W) in [0, 1]; a part of two of them for --quick."""
        paths = sorted(shared(f"restoration/test/{folder}").iterdir())
        read = [torch.tensor(np.asarray(Image.open(path).convert(mode)), dtype=torch.float32) / 255 for path in paths]
        images = [x[None, None] if x.ndim == 2 else x.permute(2, 0, 1)[None] for x in read]
        return [x[..., :96, :96].contiguous() for x in images[:2]] if self.quick else images

    def kernels(self) -> list[Tensor]:
        """Read Levin's kernels."""
        kept = np.load(shared("restoration/kernels/levin09.npz"))
        kernels = [torch.tensor(kept[name], dtype=torch.float32) for name in sorted(kept.files)]
        return kernels[4:5] if self.quick else kernels


def noisy(y: Tensor, sigma: float) -> Tensor:
    np.random.seed(0)  # noqa: NPY002  the published protocol's
    return y + torch.tensor(np.random.normal(0, sigma / 255, y.shape), dtype=y.dtype)  # noqa: NPY002


def psnr(x: Tensor, truth: Tensor, border: int = 0) -> float:
    """Peak signal-to-noise ratio of 8-bit pictures, a border left out."""
    inner = (..., slice(border, x.shape[-2] - border), slice(border, x.shape[-1] - border))
    error = ((255 * x).round().clamp(0, 255) - (255 * truth).round())[inner]
    return float(10 * torch.log10(255**2 / error.square().mean()))


def line(name: str, done: Sequence[tuple[float, float, float]], peer: str) -> Row:
    ours, start, seconds = (float(np.mean([each[i] for each in done])) for i in range(3))
    return [name, round(ours, 2), round(start, 2), peer, round(seconds, 2)]


def solved(problem: Problem, solver: Solver) -> Tensor:
    with private_randomness(0):
        return problem.operator.covered(solver.solve(problem))


def timed(answer: Callable[[], Tensor]) -> tuple[Tensor, float]:
    start = time.perf_counter()
    return answer(), time.perf_counter() - start


def denoising(setting: Setting, have: set[str]) -> Iterator[Row]:
    peers = {15: "BM3D 32.37, DnCNN 32.86", 25: "BM3D 29.97, DnCNN 30.44", 50: "BM3D 26.72, DnCNN 27.18"}
    for ending, sides in (("", 1), (EIGHT, SIDES)):
        for sigma, peer in peers.items():
            name = f"denoising, σ = {sigma}{ending}"
            if name not in have:
                pictures = setting.pictures("Set12", "L")
                yield line(name, [denoised(setting.prior, x, sigma, sides) for x in pictures], peer)


def denoised(prior: Prior, x: Tensor, sigma: float, sides: int) -> tuple[float, float, float]:
    y = noisy(x, sigma)
    with torch.no_grad():
        seen = (to_side(prior(from_side(y, i), sigma / 255), i) for i in range(sides))
        answer, seconds = timed(lambda: torch.stack(list(seen)).mean(0))
    return psnr(answer, x), psnr(y, x), seconds


def deblurring(setting: Setting, have: set[str]) -> Iterator[Row]:
    for i, kernel in enumerate(setting.kernels()):
        name = f"deblurring, kernel {i + 1}, hqs"
        if name not in have:
            yield line(name, [deblurred(setting, x, kernel, HQS()) for x in setting.pictures("Set12", "L")], LEVIN)


def mean_shift(setting: Setting, have: set[str]) -> Iterator[Row]:
    for solver in (HQS(), DMSP(iterations=5 if setting.quick else 300)):
        for i, kernel in list(enumerate(setting.kernels()))[::2]:
            name = f"deblurring, kernel {i + 1}, {type(solver).__name__.lower()}, {SOME}"
            if name not in have:
                pictures = setting.pictures("Set12", "L")[:2]
                yield line(name, [deblurred(setting, x, kernel, solver) for x in pictures], "")


def deblurred(setting: Setting, x: Tensor, kernel: Tensor, solver: Solver) -> tuple[float, float, float]:
    operator = Blur(kernel)
    y, truth = noisy(operator(x), 2.55), operator.covered(x)
    sigma = None if isinstance(solver, DMSP) else operator.noise(y)
    answer, seconds = timed(lambda: solved(Problem(y, operator, setting.prior, sigma), solver))
    return psnr(answer, truth), psnr(y, truth), seconds


def enlarging(setting: Setting, have: set[str]) -> Iterator[Row]:
    peers = {2: "DAEP 35.23, DMSP 35.16", 3: "DAEP 31.44, DMSP 31.38", 4: "DAEP 29.01, DMSP 29.16"}
    for scale, peer in peers.items():
        name = f"super-resolution, ×{scale}"
        if name not in have:
            done = []
            for x in setting.pictures("Set5", "RGB"):
                whole = x[..., : x.shape[-2] // scale * scale, : x.shape[-1] // scale * scale]
                operator = Downsample(scale)
                y = (255 * operator(whole)).round().clamp(0, 255) / 255
                done.append(beside(Problem(y, operator, setting.prior, 0.0), whole, scale))
            yield line(name, done, f"{peer}; bicubic is the start")


def filling(setting: Setting, have: set[str]) -> Iterator[Row]:
    name = "inpainting, 80 % hidden"
    if name not in have:
        done = []
        for x in setting.pictures("Set12", "L"):
            mask = torch.rand(x.shape[-2:], generator=torch.Generator().manual_seed(0)) < 0.2
            operator = Inpaint(mask)
            done.append(beside(Problem(operator(x), operator, setting.prior, 0.0), x, 0))
        yield line(name, done, "")


def mosaics(setting: Setting, have: set[str]) -> Iterator[Row]:
    name = "demosaicing, RGGB"
    if name not in have:
        done, linear = [], []
        for x in setting.pictures("Set5", "RGB"):
            operator = Demosaic("RGGB")
            y = operator(x)
            done.append(beside(Problem(y, operator, setting.prior, 0.0), x, 4))
            linear.append(psnr(malvar(y), x, 4))
        yield line(name, done, f"Malvar {np.mean(linear):.2f}, bilinear is the start")


def beside(problem: Problem, truth: Tensor, border: int) -> tuple[float, float, float]:
    answer, seconds = timed(lambda: solved(problem, HQS.suited(problem.operator)))
    return psnr(answer, truth, border), psnr(problem.operator.start(problem.y), truth, border), seconds


def convergence(setting: Setting, have: set[str]) -> Iterator[Row]:
    shown = (1, 5) if setting.quick else SHOWN
    names = [f"daep after {t} iterations" for t in shown]
    if set(names) <= have:
        return
    x, operator = setting.pictures("Set12", "L")[0], Blur(setting.kernels()[0])
    y, truth = noisy(operator(x), 2.55), operator.covered(x)
    way, begun = {}, time.perf_counter()

    def watch(t: int, image: Tensor) -> None:
        way[t] = (psnr(operator.covered(image), truth), psnr(y, truth), time.perf_counter() - begun)
        if t % 50 == 0:
            print(f"daep, iteration {t}: {way[t][0]:.2f} dB, {way[t][2]:.0f} s", flush=True)

    with private_randomness(0):
        DAEP(iterations=shown[-1]).solve(Problem(y, operator, setting.prior, 2.55 / 255), watch=watch)
    if setting.keep:
        RESULTS.mkdir(exist_ok=True)
        curve(
            {0: way[1][1]} | {t: each[0] for t, each in way.items()}, RESULTS / f"{date.today()}-restoration-daep.png"
        )
    for name, t in zip(names, shown, strict=True):
        gain = f"the paper's picture: +{TEASER[t] - TEASER[0]:.1f} by then" if t in TEASER else ""
        yield line(name, [way[t]], gain)


def cost(setting: Setting, have: set[str]) -> Iterator[Row]:
    name = "cost of a megapixel, gray"
    if name not in have:
        side = 256 if setting.quick else 1024
        x = torch.rand(1, 1, side, side)
        with torch.no_grad():
            setting.prior(x[..., :64, :64], 0.1)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            _, seconds = timed(lambda: setting.prior(x, 0.1))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        told = f"{multiplications(setting.prior) / 1e6:.3f} MMAC a pixel, DRUNet 2.1; peak of the process "
        told += f"{peak / 1024:.0f} MB, of which by this image {(peak - before) / 1024:.0f} MB"
        yield [name, "", "", told, round(seconds * 1024**2 / side**2, 2)]


SHOWN = (1, 10, 30, 100, 200, 250, 300)
NAMES = {
    "cost of a megapixel, gray",
    *(f"denoising, σ = {sigma}{ending}" for sigma in (15, 25, 50) for ending in ("", EIGHT)),
    "demosaicing, RGGB",
    *(f"super-resolution, ×{scale}" for scale in (2, 3, 4)),
    "inpainting, 80 % hidden",
    *(f"daep after {t} iterations" for t in SHOWN),
    *(f"deblurring, kernel {i + 1}, hqs" for i in range(8)),
    *(f"deblurring, kernel {i + 1}, {solver}, {SOME}" for i in range(0, 8, 2) for solver in ("hqs", "dmsp")),
}
# The cheapest first.
PARTS = {
    "cost": cost,
    "denoise": denoising,
    "demosaic": mosaics,
    "super-resolve": enlarging,
    "inpaint": filling,
    "daep": convergence,
    "deblur": deblurring,
    "dmsp": mean_shift,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for flag in ("--quick", "--keep"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--prior", default="default", type=str)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between them")
    options = parser.parse_args()
    if options.quick and options.keep:
        parser.error("--quick measures parts of pictures, which are not kept")
    wanted = options.only.split(",")
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"--only: there is no part {', '.join(sorted(unknown))}; use some of {', '.join(PARTS)}")
    torch.set_num_threads(1)
    prior = Prior.load(options.prior if options.prior == "default" else Path(options.prior))
    setting = Setting(prior, options.quick, options.keep)
    rows = earlier("restoration", NAMES) if options.keep else {}
    for name in (name for name in PARTS if name in wanted):
        for row in PARTS[name](setting, set(rows)):
            rows[str(row[0])] = row
            print(" · ".join(map(str, row)), flush=True)
            if options.keep:
                record("restoration", _body(rows), keep=True)
    if not options.keep:
        record("restoration", _body(rows), keep=False)


def _body(rows: dict[str, Row]) -> str:
    means = []
    for ending in ("hqs", f"hqs, {SOME}", f"dmsp, {SOME}"):
        names = [name for name in rows if name.startswith("deblurring, kernel") and name.split(", ", 2)[2] == ending]
        if names:
            ours = [round(float(np.mean([float(str(rows[name][i])) for name in names])), 2) for i in (1, 2, 4)]
            peer = "" if SOME in ending else LEVIN  # of two pictures no paper tells a number
            means.append([f"deblurring, mean of {len(names)} kernels, {ending}", *ours[:2], peer, ours[2]])
    return table(HEADER, [*rows.values(), *means])


if __name__ == "__main__":
    main()
