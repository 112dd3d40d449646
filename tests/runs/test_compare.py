import math

import numpy as np
import pytest
import tiny
import torch
from sklearn.decomposition import NMF, PCA

import xhat
from xhat.core.errors import ConfigError
from xhat.runs import peers
from xhat.runs.compare import compare

QUICK = {"epochs": 2, "device": "cpu", "overrides": {"net.hidden": (8,)}}


@pytest.fixture(scope="module")
def seen():
    return []


@pytest.fixture(scope="module")
def comparison(seen):
    return compare(tiny.data(), k=(8, 2, 64), watch=seen.append, **QUICK)


def parts():
    data = tiny.data()
    split = data.split(seed=0)
    return (data.x[rows].flatten(1).double().numpy() for rows in (split.train, split.validation))


def test_each_method_copies_the_same_rows(comparison, seen):
    assert [(line.k, line.method) for line in comparison.lines] == [
        (k, method) for k in (2, 8) for method in ("PCA", "Kernel PCA", "NMF", "ae")
    ]
    assert tuple(seen) == comparison.lines
    train, held = parts()
    assert comparison.validation == len(held)
    assert comparison.mean == pytest.approx(np.mean((held - train.mean(0)) ** 2), rel=1e-5)
    assert comparison.notes == ("k = 64 is left out: it would compress nothing",)


def test_pca_and_nmf_are_scikit_learns(comparison):
    train, held = parts()
    pca = PCA(8).fit(train)
    nmf = NMF(8, init="nndsvda", max_iter=500, random_state=0).fit(train)
    for name, peer in (("PCA", pca), ("NMF", nmf)):
        error = np.mean((peer.inverse_transform(peer.transform(held)) - held) ** 2)
        (line,) = (line for line in comparison.lines if (line.k, line.method) == (8, name))
        assert line.error == pytest.approx(error, rel=1e-3)


def test_the_model_is_fits_and_ratios_are_of_pca(comparison):
    fitted = xhat.fit(tiny.data(), latent=8, **QUICK)
    by_name = {line.method: line for line in comparison.lines if line.k == 8}
    assert by_name["ae"].error == pytest.approx(fitted.summary["error.model"], rel=1e-6)
    assert by_name["PCA"].error == pytest.approx(fitted.summary["error.pca"], rel=1e-4)
    for line in by_name.values():
        assert line.ratio == pytest.approx(line.error / by_name["PCA"].error)
    assert comparison.best(8).error == min(line.error for line in by_name.values())
    assert by_name["Kernel PCA"].error < comparison.mean


def test_who_cannot_take_the_rows_is_left_out(monkeypatch):
    monkeypatch.setattr(peers, "KERNEL_ROWS", 50)
    rows = torch.randn(90, 6, generator=torch.Generator().manual_seed(0)).numpy()
    found = compare(rows, k=[2], **QUICK)
    assert [line.method for line in found.lines] == ["PCA", "Kernel PCA", "ae"]
    assert found.notes[0].startswith("NMF is left out: it needs values >= 0, and the least is -")
    assert found.notes[1] == "Kernel PCA learned from 50 of 81 rows"
    rows[3, 2] = math.nan
    gappy = compare(xhat.data.open(rows, missing=True), k=[2], **QUICK)
    assert [line.method for line in gappy.lines] == ["PCA", "ae"]


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ConfigError, match=r"compare: k must be whole numbers >= 1, got \(0,\)"):
        compare(tiny.data(), k=(0,))
    with pytest.raises(ConfigError, match="k must leave something to compress, got 64"):
        compare(tiny.data(), k=(64,))
    tokens = xhat.data.open(np.arange(60).reshape(10, 6) % 5, kind="tokens")
    with pytest.raises(ConfigError, match="compare: needs rows of numbers"):
        compare(tokens)
