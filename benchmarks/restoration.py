"""Restoration: denoising, deblurring, super-resolution, inpainting, demosaicing, beside published peers.

    python benchmarks/restoration.py --quick              # under a minute: shows that it runs
    python benchmarks/restoration.py --keep               # the whole of it, one thread, about 45 minutes
    python benchmarks/restoration.py --only deblurring    # one part: denoising, deblurring, enlarging, filling,
                                                          # mosaics, convergence or cost
    python benchmarks/restoration.py --prior RUN          # of a run folder in the place of the shipped prior

Noise is Gaussian and not clipped, drawn from numpy's seed 0 before each picture. Answers are rounded to 8 bits.
Numbers are means of the pictures' PSNR in dB. Nothing was chosen on these pictures. A line is kept as soon as it is
there: a part that was killed goes on with those that lack, the same day.

Denoising: Set12, gray. Deblurring: Levin's eight kernels on Set12, "valid" borders, σ = 2.55, found by dmsp and
estimated for hqs; compared where the blurred picture lies. Super-resolution: Set5 in RGB, bicubic as by imresize, a
border of `scale` pixels left out. Filling: 80 % of the pixels of Set12 hidden. Mosaics: Set5, RGGB, beside bilinear
interpolation and Malvar's linear filters. Convergence: daep on the first picture of Set12 and the first kernel.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from _record import earlier, record, shared, table
from PIL import Image
from torch import Tensor
from torch.nn.functional import conv2d, pad

from xhat.engine.randomness import private_randomness
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
SOLVERS = ("hqs", "hqs, three pictures", "dmsp, three pictures")
HEADER = ("what", "xhat, dB", "start, dB", "published peer, dB", "s a picture")


@dataclass(frozen=True)
class Setting:
    """What all parts need."""

    prior: Prior
    quick: bool

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
    for sigma, peer in peers.items():
        name = f"denoising, σ = {sigma}"
        if name in have:
            continue
        done = []
        for x in setting.pictures("Set12", "L"):
            y = noisy(x, sigma)
            with torch.no_grad():
                answer, seconds = timed(lambda y=y, s=sigma: setting.prior(y, s / 255))
            done.append((psnr(answer, x), psnr(y, x), seconds))
        yield line(name, done, peer)


def deblurring(setting: Setting, have: set[str]) -> Iterator[Row]:
    quick: Solver = DMSP(iterations=5) if setting.quick else DMSP()
    # Of dmsp, which is slow, three pictures with each kernel; hqs on the same ones beside all.
    for solver, few, peer in ((HQS(), False, "DMSP 31.06"), (HQS(), True, ""), (quick, True, "DMSP 31.06")):
        for i, kernel in enumerate(setting.kernels()):
            name = f"deblurring, kernel {i + 1}, {type(solver).__name__.lower()}" + (", three pictures" if few else "")
            if name in have:
                continue
            done = []
            for x in setting.pictures("Set12", "L")[: 3 if few else None]:
                operator = Blur(kernel)
                y, truth = noisy(operator(x), 2.55), operator.covered(x)
                sigma = None if isinstance(solver, DMSP) else operator.noise(y)
                problem = Problem(y, operator, setting.prior, sigma)
                answer, seconds = timed(lambda p=problem, s=solver: solved(p, s))
                done.append((psnr(answer, truth), psnr(y, truth), seconds))
            yield line(name, done, peer)


def enlarging(setting: Setting, have: set[str]) -> Iterator[Row]:
    for scale in (2, 3, 4):
        name = f"super-resolution, ×{scale}"
        if name not in have:
            done = []
            for x in setting.pictures("Set5", "RGB"):
                whole = x[..., : x.shape[-2] // scale * scale, : x.shape[-1] // scale * scale]
                operator = Downsample(scale)
                y = (255 * operator(whole)).round().clamp(0, 255) / 255
                done.append(beside(Problem(y, operator, setting.prior, 0.0), whole, scale))
            yield line(name, done, "bicubic is the start")


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
    answer, seconds = timed(lambda: solved(problem, HQS(iterations=24)))
    return psnr(answer, truth, border), psnr(problem.operator.start(problem.y), truth, border), seconds


def malvar(y: Tensor) -> Tensor:
    """Demosaic an RGGB mosaic by the 5 x 5 linear filters of Malvar, He and Cutler, ICASSP 2004."""
    green = [[0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0]]
    along = [[0, 0, 0.5, 0, 0], [0, -1, 0, -1, 0], [-1, 4, 5, 4, -1], [0, -1, 0, -1, 0], [0, 0, 0.5, 0, 0]]
    corner = [[0, 0, -1.5, 0, 0], [0, 2, 0, 2, 0], [-1.5, 0, 6, 0, -1.5], [0, 2, 0, 2, 0], [0, 0, -1.5, 0, 0]]
    filters = torch.tensor([green, along, np.transpose(along).tolist(), corner])[:, None] / 8
    at_green, row, column, diagonal = conv2d(pad(y, (2, 2, 2, 2), mode="reflect"), filters)[0]
    mosaic = y[0, 0]
    red, blue, middle = mosaic.clone(), mosaic.clone(), mosaic.clone()
    middle[::2, ::2], middle[1::2, 1::2] = at_green[::2, ::2], at_green[1::2, 1::2]
    red[::2, 1::2], red[1::2, ::2], red[1::2, 1::2] = row[::2, 1::2], column[1::2, ::2], diagonal[1::2, 1::2]
    blue[1::2, ::2], blue[::2, 1::2], blue[::2, ::2] = row[1::2, ::2], column[::2, 1::2], diagonal[::2, ::2]
    return torch.stack([red, middle, blue])[None]


def convergence(setting: Setting, have: set[str]) -> Iterator[Row]:
    shown = (1, 5) if setting.quick else (1, 10, 50, 100, 150, 200, 250, 300)
    names = [f"daep after {t} iterations" for t in shown]
    if set(names) <= have:
        return
    x, operator = setting.pictures("Set12", "L")[0], Blur(setting.kernels()[0])
    y, truth = noisy(operator(x), 2.55), operator.covered(x)
    rows, begun = {}, time.perf_counter()

    def watch(t: int, image: Tensor) -> None:
        if t in shown:
            rows[t] = (psnr(operator.covered(image), truth), psnr(y, truth), time.perf_counter() - begun)

    with private_randomness(0):
        DAEP(iterations=shown[-1]).solve(Problem(y, operator, setting.prior, 2.55 / 255), watch=watch)
    yield from (line(name, [rows[t]], "+6 dB within 250") for name, t in zip(names, shown, strict=True))


def cost(setting: Setting, have: set[str]) -> Iterator[Row]:
    name = "cost of a megapixel, gray"
    if name not in have:
        side = 256 if setting.quick else 1024
        x = torch.rand(1, 1, side, side)
        with torch.no_grad():
            setting.prior(x[..., :64, :64], 0.1)
            _, seconds = timed(lambda: setting.prior(x, 0.1))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        per_pixel = multiplications(setting.prior) / 1e6
        told = f"{per_pixel:.3f} MMAC a pixel, DRUNet 2.1; peak of the process {peak:.0f} MB"
        yield [name, "", "", told, round(seconds * 1024**2 / side**2, 2)]


def multiplications(prior: Prior, side: int = 64) -> float:
    """Count the net's multiplications for each pixel."""
    counted: list[int] = []

    def count(layer: torch.nn.Module, _: object, out: Tensor) -> None:
        weight = layer.weight
        each = weight[0].numel() if isinstance(layer, torch.nn.Conv2d) else weight.shape[0]
        counted.append(each * out.numel())

    layers = [m for m in prior.net.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.ConvTranspose2d)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    with torch.no_grad():
        prior.net(torch.rand(1, prior.net.channels, side, side), torch.tensor([0.1]))
    for hook in hooks:
        hook.remove()
    return sum(counted) / side**2


NAMES = {
    *(f"denoising, σ = {sigma}" for sigma in (15, 25, 50)),
    *(f"deblurring, kernel {i + 1}, {solver}" for i in range(8) for solver in SOLVERS),
    *(f"super-resolution, ×{scale}" for scale in (2, 3, 4)),
    "inpainting, 80 % hidden",
    "demosaicing, RGGB",
    *(f"daep after {t} iterations" for t in (1, 10, 50, 100, 150, 200, 250, 300)),
    "cost of a megapixel, gray",
}
PARTS = {f.__name__: f for f in (denoising, deblurring, enlarging, filling, mosaics, convergence, cost)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--prior", default="default", type=str)
    parser.add_argument("--only", choices=PARTS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    setting = Setting(Prior.load(options.prior if options.prior == "default" else Path(options.prior)), options.quick)
    rows: dict[str, Row] = {}
    if options.keep:
        rows |= earlier("restoration", NAMES)
    for name, part in PARTS.items():
        if options.only in (None, name):
            for row in part(setting, set(rows)):
                rows[str(row[0])] = row
                print(" · ".join(map(str, row)), flush=True)
                if options.keep:
                    record("restoration", _body(rows), keep=True)
    if not options.keep:
        record("restoration", _body(rows), keep=False)


def _body(rows: dict[str, Row]) -> str:
    names = [name for name in rows if name.startswith("deblurring")]
    means = []
    for ending in SOLVERS:
        some = [rows[name] for name in names if name.endswith(f", {ending}")]
        if some:
            ours = [round(float(np.mean([float(str(row[i])) for row in some])), 2) for i in (1, 2, 4)]
            means.append([f"deblurring, mean of {len(some)} kernels, {ending}", *ours[:2], "DMSP 31.06", ours[2]])
    return table(HEADER, [*rows.values(), *means])


if __name__ == "__main__":
    main()
