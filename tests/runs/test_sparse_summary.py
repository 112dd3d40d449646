"""Sparse codes are held against PCA with as many numbers as a row's code has that are not zero."""

import io

import numpy as np
import pytest
import tiny
import torch
from rich.console import Console

from xhat.cli import summary_table
from xhat.metrics.pca_curve import pca_curve
from xhat.metrics.sparsity import l0
from xhat.report.headline import headline
from xhat.runs.plan import make_plan


def test_l0_counts_what_is_not_zero_on_average():
    assert l0(torch.tensor([[0.0, 1, -2], [0, 0, 3]])) == 1.5
    assert l0(torch.ones(2, 3, 4)) == 12


@pytest.mark.parametrize(("kind", "overrides"), [("sae", {"bottleneck.k": 5}), ("sae_jump", {"bottleneck.target": 5})])
def test_pca_has_as_many_components_as_a_row_has_active_numbers(tmp_path, kind, overrides, monkeypatch):
    model = tiny.fit(kind, latent=100, overrides=overrides, out=tmp_path / "run")
    summary, plan = model.summary, make_plan(tiny.data(), "ae", latent=4)
    validation = plan.split.validation
    z = model.encode(tiny.data())[validation.numpy()]
    assert summary["code"] == 100
    assert summary["l0"] == pytest.approx(float((z != 0).sum(1).mean()))
    k = max(1, round(summary["l0"]))
    assert 1 <= k < 20
    pca = pca_curve(tiny.data(), validation, model.scaling, plan.pca, [k])[k]
    assert summary["error.pca"] == pytest.approx(pca)
    assert pca > 1e-3 * summary["error.mean"]  # a hundred components would copy exactly
    card = (tmp_path / "run" / "README.md").read_text()
    assert f"| this model | PCA, {k} components |" in card
    assert f"active, {summary['l0']:.1f} of them in a row |" in card
    assert f"{k} active numbers a row." in card
    told = Console(file=io.StringIO(), width=200)
    monkeypatch.setattr(summary_table, "Console", lambda **_: told)
    summary_table.print_summary(summary)
    assert f"PCA, {k} components" in told.file.getvalue()
    (compression,) = (n for n in headline(model).numbers if n[0] == "Compression")
    assert float(compression[1].rstrip("×")) == pytest.approx(64 / k, rel=0.06)
    assert compression[2] == "fewer active numbers a row"


def test_other_codes_have_no_l0():
    summary = tiny.fit("ae", epochs=1).summary
    assert "l0" not in summary
    assert np.isclose(dict(map(tuple, summary["pca_curve"]))[4], summary["error.pca"])
