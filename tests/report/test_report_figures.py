"""Figures: what they choose and what they say."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_runs import made

from xhat.data.split import Split
from xhat.engine.history import Epoch, History
from xhat.metrics.reconstruction_error import reconstruction_error
from xhat.report.evidence import Evidence, gather
from xhat.report.figures.codes import codes
from xhat.report.figures.curves import curves, panels
from xhat.report.figures.pca import pca
from xhat.report.figures.rates import rates
from xhat.report.figures.reconstructions import choose
from xhat.report.figures.samples import samples


def evidence(data: str = "gray", kind: str = "ae", **options: int) -> Evidence:
    fitted, dataset = made(data, kind, **options)
    return gather(fitted, dataset, Split.draw(len(dataset), seed=0))


def with_history(*epochs: Epoch) -> Evidence:
    found = evidence()
    return replace(found, fitted=replace(found.fitted, history=History(list(epochs))))


def with_summary(**changes: object) -> Evidence:
    found = evidence()
    named = {key.replace("error_", "error."): value for key, value in changes.items()}
    return replace(found, fitted=replace(found.fitted, summary={**found.fitted.summary, **named}))


@pytest.mark.parametrize("data", ["gray", "colour", "gaps", "series"])
def test_errors_are_those_of_the_summary(data: str) -> None:
    found = evidence(data)
    measured = reconstruction_error(found.fitted, found.data, found.rows)
    if data != "gaps":  # There a mean of means weighs rows with gaps otherwise.
        assert float(found.errors.mean()) == pytest.approx(measured, rel=1e-4)
    assert len(found.errors) == len(found.rows) == len(found.z) == 6


def test_errors_of_symbols_are_shares() -> None:
    errors = evidence("symbols").errors
    assert bool(((errors >= 0) & (errors <= 1)).all())


def test_every_term_has_a_panel_and_a_critic_one_for_all() -> None:
    found = panels(made("gray", "aae", epochs=2)[0].history)
    assert list(found) == ["distortion", "fooling", "critic"]
    assert [line.name for line in found["critic"]] == ["real", "fake"]
    assert [epoch for epoch, _ in found["distortion"][0].points] == [1, 2]
    assert [epoch for epoch, _ in found["distortion"][1].points] == [0, 1, 2]


def test_terms_that_are_no_number_or_far_off_are_drawn() -> None:
    terms = [1e12, -50.0, float("nan"), -70.0, float("inf")]
    epochs = [
        Epoch(i, {"distortion": t} if i else {}, {"distortion": t}, float(i), 0.1, 1.0) for i, t in enumerate(terms)
    ]
    figure = curves(with_history(*epochs))
    assert "2 epochs with a term that is no number" in figure.caption
    assert "nan" not in figure.body


def test_best_median_and_worst_are_chosen_by_error() -> None:
    errors = torch.tensor([5.0, 1, 9, 3, 7, 0, 2, 8, 6, 4])
    assert choose(errors, (2, 2, 4)) == ([5, 1], [9, 0], [2, 7, 4, 8])
    assert choose(errors[:3], (2, 2, 4)) == ([], [], [2, 0, 1])
    assert choose(torch.tensor([1.0, float("nan"), 2]), (1, 1, 1)) == ([0], [2], [1])


def test_rates_are_kl_for_distributions_and_variances_for_points() -> None:
    rate = evidence("gray", "vae", epochs=2)
    assert rates(rate).title == "Rate per dimension"
    assert rate.kl is not None
    total = float(rate.kl.sum())
    assert total == pytest.approx(rate.fitted.history.best.validation["rate"], rel=1e-3)
    assert rates(evidence()).title == "Variance per dimension"


def test_many_dimensions_are_drawn_as_an_area() -> None:
    wide = replace(evidence(), z=torch.randn(6, 3000), kl=torch.rand(3000))
    assert len(rates(wide).body) < 200_000


def test_codes_that_are_all_one_are_said_to_be() -> None:
    assert "all have the same code" in codes(replace(evidence(), z=torch.ones(6, 3))).caption


def test_large_data_is_drawn_in_part() -> None:
    found = evidence()
    n = 9000
    many = replace(found, z=torch.randn(n, 4), rows=torch.zeros(n, dtype=torch.int64), errors=torch.rand(n))
    figure = codes(many)
    assert figure.caption.startswith("1,800 validation rows")
    assert len(figure.body) < 500_000


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (0.5, "more than 4 components"),
        (3.0, "about 3 components"),
        (20.0, "Even the mean input"),
        (8.0, "about 1 comp"),
    ],
)
def test_pca_says_how_many_components_copy_as_well(error: float, says: str) -> None:
    curve = [[0, 10.0], [1, 8.0], [2, 4.0], [4, 2.0]]
    assert says in pca(with_summary(pca_curve=curve, error_model=error, code=2)).caption


def test_pca_may_be_exact() -> None:
    figure = pca(with_summary(pca_curve=[[0, 1.0], [2, 0.0]], error_model=0.1, code=2))
    assert "below a millionth" in figure.caption
    assert "Nothing to draw" in pca(with_summary(pca_curve=[[0, float("nan")]])).body


def test_samples_that_are_no_number_are_not_drawn() -> None:
    found = evidence(seed=3)
    for parameter in found.fitted.model.decoder.parameters():
        parameter.data.fill_(np.nan)
    assert "no number" in samples(found).caption
