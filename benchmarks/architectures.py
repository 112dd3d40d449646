"""Every net on data that is natural to it, beside PCA with as many numbers, and what a user sees.

    python benchmarks/architectures.py --quick     # a few epochs of a part of the data
    python benchmarks/architectures.py --keep --strips strips      # all of it, with pictures of rows and their copies

The error is of validation rows, in the data's own units (bytes for images; for symbols the share of wrong ones). The
outlier test of ECG5000 trains on the normal heartbeats of the UCR train part and scores the UCR test part by
reconstruction error. At ``init="pca"`` the error before the first step is compared with PCA's.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _record import record, shared, table
from matplotlib.figure import Figure
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

import xhat
from xhat.data.dataset import Dataset
from xhat.data.open import open as open_data
from xhat.models.fitted import Fitted

SEED = 0


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    net: str
    data: str
    latent: int
    epochs: int
    options: dict[str, Any] = field(default_factory=dict)


CASES = (
    Case("linear", "mnist", 16, 20),
    Case("mlp", "mnist", 16, 20),
    Case("mlp", "mnist", 16, 20, {"init": "pca"}),
    Case("mlp", "mnist", 16, 20, {"init": "greedy"}),
    Case("patch", "mnist", 16, 6, {"overrides": {"net.width": 64, "net.depth": 2}}),
    Case("conv", "cifar", 64, 20),
    Case("deconv", "cifar", 64, 20),
    Case("resnet", "cifar", 64, 20),
    Case("unet", "cifar", 64, 20),
    Case("conv", "cifar", 8, 20, {"code": "spatial"}),
    Case("temporal", "ecg", 8, 25),
    Case("recurrent", "ecg", 8, 20),
    Case("mlp", "ecg", 8, 60),
    Case("mlp", "cardio", 4, 100),
    Case("recurrent", "text", 64, 8, {"overrides": {"decoder.feeding": "teacher", "decoder.order": "reversed"}}),
    Case("set", "points", 16, 10),
)


def datasets(quick: bool) -> dict[str, Dataset]:
    """Open what the cases ask for."""
    with np.load(shared("mnist/mnist.npz")) as arrays:
        mnist = arrays["x_train"][: 2000 if quick else 12_000]
    ecg = np.load(shared("ecg5000/ecg5000.npz"))["x"][..., None]
    text = open_data(shared("tinyshakespeare/input.txt"), kind="text", window=32)
    opened = {
        "mnist": open_data(mnist),
        "cifar": open_data(shared("cifar10-subset/cifar10-subset.npz")),
        "ecg": open_data(ecg, kind="series"),
        "cardio": open_data(shared("adbench/6_cardio.npz")),
        "text": text,
        "points": open_data(points(mnist[:4000]), kind="series"),
    }
    return {name: data.subset(torch.arange(min(len(data), 600))) for name, data in opened.items()} if quick else opened


def points(images: np.ndarray, n: int = 24) -> np.ndarray:
    """Read digits as sets of the places of their ink, (N, n, 2) in [0, 1], in no order."""
    draw = np.random.default_rng(SEED)
    rows = []
    for image in images:
        places = np.argwhere(image > 127)
        rows.append(places[draw.choice(len(places), n, replace=len(places) < n)] / 28)
    return np.asarray(rows, dtype=np.float32)


def fitted(case: Case, data: Dataset, quick: bool) -> Fitted:
    epochs = max(case.epochs // 10, 1) if quick else case.epochs
    options = {"init": "random"} | case.options
    return xhat.fit(data, net=case.net, latent=case.latent, epochs=epochs, seed=SEED, patience=epochs, **options)


def outliers(quick: bool) -> str:
    """Score ECG5000's test part by reconstruction error, trained on normal heartbeats only."""
    with np.load(shared("ecg5000/ecg5000.npz")) as arrays:
        x, anomaly, test = arrays["x"], arrays["anomaly"].astype(bool), arrays["is_ucr_test"].astype(bool)
    normal = x[~test & ~anomaly]
    rows = []
    for k in (2, 8):
        pca = PCA(k).fit(normal)
        errors = ((x[test] - pca.inverse_transform(pca.transform(x[test]))) ** 2).mean(1)
        rows.append((f"PCA, {k}", roc_auc_score(anomaly[test], errors)))
    for net, latent in (("recurrent", 2), ("recurrent", 8), ("temporal", 2), ("mlp", 2)):
        aucs = []
        for seed in range(1 if quick else 3):
            data, epochs = open_data(normal[..., None], kind="series"), 10 if quick else 60
            model = xhat.fit(data, net=net, latent=latent, epochs=epochs, seed=seed)
            copies = model.reconstruct(x[test][..., None])[..., 0]
            aucs.append(roc_auc_score(anomaly[test], ((x[test] - copies) ** 2).mean(1)))
        rows.append((f"{net}, {latent}", " ".join(f"{auc:.4f}" for auc in aucs)))
    return table(("score by reconstruction error", "AUROC, one a seed"), rows)


def strip(path: Path, data: Dataset, model: Fitted, n: int = 10) -> None:
    """Draw validation rows over their copies."""
    rows = data.split(seed=SEED).validation[:n]
    held = data.subset(rows)
    pair = np.asarray(model.schema.to_source(held.x.float().numpy())), model.reconstruct(held)
    figure = Figure(figsize=(n, 2.1))
    for line, values in zip(figure.subplots(2, n), pair, strict=True):
        for axis, value in zip(line, values, strict=True):
            axis.set(xticks=[], yticks=[])
            if data.schema.kind == "image":
                axis.imshow(np.clip(value, 0, 255).astype(np.uint8), cmap="gray")
            elif value.shape[-1] == 2:
                axis.plot(value[:, 1], -value[:, 0], "k.", ms=3)
            else:
                axis.plot(value.reshape(-1), "k", lw=0.8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, bbox_inches="tight", dpi=60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a part of the data, a tenth of the epochs")
    parser.add_argument("--keep", action="store_true", help="write the table beside the script")
    parser.add_argument(
        "--strips", type=Path, help="a folder for rows over their copies; some data may not be published"
    )
    options = parser.parse_args()
    data = datasets(options.quick)
    lines = []
    for case in CASES:
        model = fitted(case, data[case.data], options.quick)
        s = model.summary
        note = " ".join(f"{k}={v}" for k, v in case.options.items() if k != "overrides")
        start = ""
        if note == "init=pca":
            share = model.scaling.spread.item() ** 2 * 2 / (28 * 28)  # the distortion's unit to the error's
            constant = 0.5 * np.log(2 * np.pi) * 28 * 28
            before = (model.history.epochs[0].validation["distortion"] - constant) * share
            start = f"{before / s['error.pca'] - 1:+.1e}"
        lines.append(
            (case.net, note, case.data, s["code"], f"{s['parameters']:,}", round(s["seconds"], 1), s["error.model"],
             s["error.pca"], s["error.model"] / s["error.pca"] if s["error.pca"] else float("nan"), start)
        )  # fmt: skip
        print(lines[-1], flush=True)
        if options.strips and data[case.data].schema.kind in ("image", "series"):
            name = f"architectures-{case.net}-{case.data}{'-' + note.split('=')[1] if note else ''}.png"
            strip(options.strips / name, data[case.data], model)
    header = ("net", "", "data", "code", "parameters", "seconds", "error", "PCA's", "ratio", "step 0 against PCA")
    record("architectures", table(header, lines) + "\n\n" + outliers(options.quick), keep=options.keep)


if __name__ == "__main__":
    main()
