"""Codebooks in use: vector quantisation with and without its remedies, residual, finite scalar, lookup-free; on MNIST.

    python benchmarks/codebooks.py --quick     # under 60 s: shows that it runs
    python benchmarks/codebooks.py --keep      # the whole of it, one thread, 4 minutes

A codebook whose entries lie idle is a smaller one. Counted over the codes of all rows that the fit saw, training and
validation: the share of entries that occur at all, and the perplexity, the number of equally frequent entries that
would say as much. The error is the mean squared one per pixel of the validation rows, bytes read as [0, 1].

"bare" begins with noise in the place of k-means and moves no idle entry; both pass the gradient straight through.
A grid code has 16 numbers at each of 7 x 7 places, a flat one 16 numbers in 4 vectors. Bits are those of the indices
as they are; their entropy is less. Seconds are those of the processor.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from _record import record, shared, table

import xhat
from xhat.core.bottleneck import Bottleneck
from xhat.core.quantised_code import QuantisedCode
from xhat.core.shapes import Shape
from xhat.data.dataset import Dataset
from xhat.engine.randomness import private_randomness
from xhat.metrics.codebook_usage import codebook_usage
from xhat.models.quantised import quantised, vectors_of
from xhat.parts.bottlenecks.fsq import FSQ
from xhat.parts.bottlenecks.lfq import LFQ
from xhat.parts.bottlenecks.residual_vq import ResidualVQ
from xhat.parts.bottlenecks.vq import VQ


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    name: str
    bottleneck: Callable[[Shape], Bottleneck]
    begins: bool = True  # by k-means, where there is a codebook
    latent: int = 16
    flat: bool = True  # whether it is also tried on flat codes


def vq(code_shape: Shape, entries: int = 512, **options: object) -> VQ:
    return VQ(code_shape, entries, groups=vectors_of(code_shape), **options)  # type: ignore[arg-type]


def residual(code_shape: Shape) -> ResidualVQ:
    return ResidualVQ(code_shape, 256, 4, groups=vectors_of(code_shape))


STRAIGHT = {"gradient": "straight_through"}
CASES = (
    Case("vq, bare", partial(vq, revive=0.0, **STRAIGHT), begins=False),
    Case("vq, k-means start", partial(vq, revive=0.0, **STRAIGHT), flat=False),
    Case("vq, k-means start, revival", partial(vq, **STRAIGHT), flat=False),
    Case("vq, the same, rotation (default)", vq),
    Case("vq of 2048, bare", partial(vq, entries=2048, revive=0.0, **STRAIGHT), begins=False, flat=False),
    Case("vq of 2048", partial(vq, entries=2048), flat=False),
    Case("residual vq, 4 of 256", residual),
    Case("fsq (8, 5, 5, 5)", FSQ),
    Case("fsq (7, 5, 5, 5, 5)", partial(FSQ, levels=(7, 5, 5, 5, 5)), latent=15, flat=False),
    Case("lfq of 10 bits", LFQ, latent=10, flat=False),
    Case("lfq of 16 bits", LFQ),
)


def row(case: Case, code: str, data: Dataset, epochs: int, seed: int) -> list[object]:
    """Fit, and count."""
    net = "mlp" if code == "flat" else "conv"
    with private_randomness(seed):
        recipe = quantised(data.schema.shape, case.bottleneck, latent=case.latent, net=net, code=code)
    if not case.begins:
        recipe.model.bottleneck.begin = lambda h: None  # type: ignore[method-assign]
    start = time.process_time()
    fitted = xhat.fit(data, recipe, epochs=epochs, batch_size=64, seed=seed)
    seconds = time.process_time() - start
    with torch.inference_mode():
        codes = [cast(QuantisedCode, fitted.model.encode(batch)) for batch in fitted.batches(data)]
    indices = torch.cat([code.indices for code in codes])
    usage = codebook_usage(indices, codes[0].entries, codes[0].codebooks)
    bits = indices[0].numel() * math.log2(codes[0].entries)
    error = fitted.summary["error.model"] / 255**2
    line = [case.name, code, f"{codes[0].entries:,}", f"{100 * usage.share:.1f} %", f"{usage.perplexity:,.0f}"]
    line += [round(bits), f"{error:.5f}", round(seconds)]
    print(line, flush=True)
    return line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few images, two epochs")
    parser.add_argument("--keep", action="store_true", help="write the result beside the script")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--epochs", type=int, nargs=2, default=(6, 10), metavar=("GRID", "FLAT"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="cases whose name begins so")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with np.load(shared(str(Path("mnist") / "mnist.npz"))) as arrays:
        images = arrays["x_train"]
    epochs = options.epochs
    count = options.images
    if options.quick:
        count, epochs = 1500, (1, 2)
    data = xhat.data.open(images[:count])
    cases = [case for case in CASES if case.name.startswith(options.only)]
    rows = [row(case, "spatial", data, epochs[0], options.seed) for case in cases]
    rows += [row(case, "flat", data, epochs[1], options.seed) for case in cases if case.flat]
    header = ("quantiser", "code", "entries", "in use", "perplexity", "bits a row", "error", "seconds")
    record("codebooks", table(header, rows), keep=options.keep)


if __name__ == "__main__":
    main()
