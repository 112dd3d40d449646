"""Numbers and advice in words."""

import pytest
from tiny_runs import made

from xhat.report.headline import headline, tone
from xhat.report.words import flags, number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.01234, "0.0123"),
        (-2.5, "−2.5"),
        (12345.6, "12,346"),
        (1.2e-7, "1.2e-07"),
        (float("nan"), "no number"),
    ],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_flags_are_code_and_all_else_is_escaped() -> None:
    assert flags("lower --lr, <b>") == 'lower <code class="flag">--lr</code>, &lt;b&gt;'


def test_tones_follow_pca_and_the_mean() -> None:
    errors = {"error.pca": 1.0, "error.mean": 2.0}
    assert [tone({**errors, "error.model": e}) for e in (1.0, 1.5, 2.0, float("nan"))] == [
        "good",
        "fair",
        "poor",
        "poor",
    ]


def test_what_makes_columns_likely_is_not_held_against_pca() -> None:
    errors = {"error.pca": 1.0, "error.mean": 2.0, "likelihood": "likelihoods/mixed"}
    assert [tone({**errors, "error.model": e}) for e in (1.5, 2.0)] == ["good", "poor"]


def test_cells_and_not_elements_are_compressed() -> None:
    found = headline(made("mixed", latent=2)[0])
    assert {name: value for name, value, _ in found.numbers}["Compression"] == "2×"


def test_an_exact_pca_has_no_ratio() -> None:
    fitted, _ = made("gray", seed=2)
    fitted.summary["error.pca"] = 0.0
    bars = headline(fitted).errors
    assert [bar.ratio for bar in bars] == ["", "", ""]
    assert max(bar.percent for bar in bars) == 100
