"""The same digits and the same net under every objective: the page `docs/objectives.md`, side by side.

    python benchmarks/objectives.py --quick                 # a minute: a few epochs of each, nothing kept
    python benchmarks/objectives.py --keep                  # all of it; writes the page and its pictures
    python benchmarks/objectives.py --only vae,wae          # some of them

Data: scikit-learn's digits, which need no download. Every recipe keeps its own defaults but for the width of the net,
the code's size and the number of epochs. All numbers are of validation rows that no step saw.
"""

from __future__ import annotations

import argparse
import inspect
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import torch
from _record import table
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor

import xhat
from xhat.core import catalogue
from xhat.data.dataset import Dataset

PAGE = Path(__file__).parents[1] / "docs" / "objectives.md"
LATENT, HIDDEN, EPOCHS, SHOWN = 8, [256, 128], 100, 12
# Kinds whose code has a size of its own: a dictionary, a figure in the plane, a layer that is no bottleneck.
OWN_SIZE = ("sae", "sae_batch", "sae_jump", "sparse", "sparse_kl", "made", "aae_labels", "aae_reduce")
# Kinds for few labels see the classes of so many rows.
FEW, LABELS = ("m2", "aae_semi"), 100

INTRODUCTION = """# The same digits under every objective

Made by `python benchmarks/objectives.py --keep` on {date}, {threads} thread of a CPU: scikit-learn's digits, 8 numbers
a row where the kind has no size of its own, a perceptron 64-256-128 and its mirror, {epochs} epochs. The error is the
mean squared error on validation rows over that of PCA with as many numbers, of a sparse code as many active ones; it is
left out where PCA copies exactly. *Explained* is the share of the variance that copies keep; *5-NN* the share of
validation rows whose label five nearest training codes tell; *active* the code dimensions that differ between rows;
*rate* the mean KL divergence from the prior in nats, where there is one; *samples* the energy distance between 500
samples and the validation rows, over that of 500 training rows: 1 is as near as real rows are. Small differences
between lines mean nothing: it is one seed, and each objective's weights are the recipe's defaults. Some kinds are made
for other data than this: `miwae` for tables with gaps, whose heavy tails suit no pixel that is always white; `made` for
rows of 0 and 1.

A line is `xhat.fit("digits", "KIND", latent=8)`; `m2` and `aae_semi` were told the classes of 100 rows. Pictures show
validation rows over their copies, samples from the prior, and codes (their first two principal components), coloured
by the label that no objective saw unless its name says so.
"""


@dataclass(frozen=True)
class Result:
    """What one recipe came to."""

    name: str
    error: float | None
    explained: float
    neighbours: float
    active: int
    code: int
    rate: float | None
    samples: float
    seconds: float
    findings: str

    @property
    def line(self) -> list[object]:
        """The line of the table."""
        rate = "–" if self.rate is None else f"{self.rate:.1f}"
        error = "–" if self.error is None else f"{self.error:.2f}"
        cells = [
            error,
            f"{100 * self.explained:.1f} %",
            f"{100 * self.neighbours:.1f} %",
            f"{self.active} of {self.code}",
            rate,
        ]
        return [f"[{self.name}](#{self.name})", *cells, f"{self.samples:.2f}", f"{self.seconds:.0f}"]


def measured(name: str, data: Dataset, epochs: int) -> tuple[Result, Figure]:
    """Train one recipe; measure and draw it."""
    takes_hidden = "net" not in inspect.signature(catalogue.find(f"recipes/{name}")).parameters
    changes = {"net.hidden": HIDDEN} if takes_hidden else {}
    latent = None if name in OWN_SIZE else LATENT
    split = data.split(seed=0)
    seen = data
    if name in FEW:
        y = torch.full_like(data.y, -1)
        y[split.train[:LABELS]] = data.y[split.train[:LABELS]]
        seen = xhat.data.open(data.x, labels=y)
    model = xhat.fit(seen, name, latent=latent, epochs=epochs, patience=epochs, overrides=changes)
    train, held = data.subset(split.train), data.subset(split.validation)
    z_train, z = (model.encode(part).reshape(len(part), -1) for part in (train, held))
    classifier = KNeighborsClassifier(5).fit(z_train, train.y)
    drawn = model.sample(500).reshape(500, -1)
    rows, some = (part.x.numpy().reshape(len(part), -1).astype(float) for part in (held, train))
    best, s = model.history.best, model.summary
    result = Result(
        name=name,
        error=None if s["error.pca"] < 1e-9 * s["error.mean"] else s["error.model"] / s["error.pca"],
        explained=1 - s["error.model"] / s["error.mean"],
        neighbours=float(classifier.score(z, held.y)),
        active=s["active"],
        code=s["code"],
        rate=best.validation.get("rate"),
        samples=energy(drawn, rows) / energy(some[:500], rows),
        seconds=s["seconds"],
        findings=" ".join(f"{f['what'].capitalize()}: {f['advice']}" for f in s["findings"]),
    )
    return result, drawing(rows, model.reconstruct(held).reshape(len(held), -1), drawn, z, held.y)


def energy(a: np.ndarray, b: np.ndarray) -> float:
    """Energy distance 2E|a − b| − E|a − a'| − E|b − b'|, by all pairs; pairs of a row with itself count."""
    a, b = torch.from_numpy(a).double(), torch.from_numpy(b).double()
    return float(2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean())


def drawing(rows: np.ndarray, copies: np.ndarray, drawn: np.ndarray, z: np.ndarray, y: Tensor | None) -> Figure:
    """Rows over copies, samples, and codes."""
    figure = Figure(
        figsize=(10, 1.8), dpi=100, layout=ConstrainedLayoutEngine(w_pad=0.01, h_pad=0.01, wspace=0, hspace=0)
    )
    left, middle, right = figure.subfigures(1, 3, width_ratios=(4, 4, 2))
    for part, title, tiles in (
        (left, "validation rows over their copies", np.concatenate([rows[:SHOWN], copies[:SHOWN]])),
        (middle, "samples", drawn[: 2 * SHOWN]),
    ):
        part.suptitle(title, fontsize=9)
        for axis, tile in zip(part.subplots(2, SHOWN).flat, tiles, strict=True):
            axis.imshow(tile.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
            axis.set_axis_off()
    axis = right.subplots()
    right.suptitle("codes", fontsize=9)
    flat = PCA(2).fit_transform(z) if z.shape[1] > 2 else z
    axis.scatter(flat[:, 0], flat[:, 1], c=y, cmap="tab10", s=6)
    axis.set(xticks=[], yticks=[])
    return figure


def page(results: list[Result], epochs: int) -> str:
    """Write the page."""
    header = ("kind", "error over PCA's", "explained", "5-NN", "active", "rate", "samples", "seconds")
    text = [INTRODUCTION.format(date=date.today(), threads=torch.get_num_threads(), epochs=epochs)]
    text.append(table(header, [result.line for result in results]))
    for result in results:
        recipe = inspect.getdoc(catalogue.find(f"recipes/{result.name}")) or ""
        paper = recipe.partition("References\n----------\n")[2].strip().replace("\n", " ")
        first = recipe.partition("\n")[0]
        parts = [f"## {result.name}", first, f"*{paper}*" if paper else "", result.findings]
        text.append("\n\n".join(part for part in parts if part))
        text.append(f"![{result.name}](images/objectives/{result.name}.png)")
    return "\n\n".join(text) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one epoch of each")
    parser.add_argument("--keep", action="store_true", help="write the page and its pictures")
    parser.add_argument("--only", default="", help="kinds, separated by commas")
    options = parser.parse_args()
    data, epochs = xhat.data.open("digits"), 1 if options.quick else EPOCHS
    names = options.only.split(",") if options.only else catalogue.names("recipes")
    results, pictures = [], {}
    for name in names:
        result, pictures[name] = measured(name, data, epochs)
        results.append(result)
        print(result, flush=True)
    text = page(results, epochs)
    if options.keep:
        folder = PAGE.parent / "images" / "objectives"
        folder.mkdir(parents=True, exist_ok=True)
        for name, picture in pictures.items():
            picture.savefig(folder / f"{name}.png")
        PAGE.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
