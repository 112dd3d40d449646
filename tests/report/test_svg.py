"""Axes as inline SVG."""

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes

from xhat.report.draw import ACCENT, scale_of, svg


def test_colours_are_the_pages_own_and_names_are_unique() -> None:
    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=ACCENT, marker="o")

    first, second = svg(draw, 'a "line"'), svg(draw, "a line", width=300)
    assert "var(--accent)" in first
    assert "#0102" not in first
    assert 'aria-label="a &#34;line&#34;"' in first
    assert "xmlns" not in first
    assert "http" not in first

    def ids(text: str) -> set[str]:
        return {part.split('"')[0] for part in text.split(' id="')[1:]}

    assert not ids(first) & ids(second)


def test_a_style_of_the_caller_does_not_show() -> None:
    def draw(axes: Axes) -> None:
        axes.set_title("title")

    plain = svg(draw, "a title")
    with matplotlib.rc_context({"axes.titlesize": 40, "svg.fonttype": "path"}):
        assert svg(draw, "a title") == plain


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([1, 2, 3], "linear"),
        ([1, 1000], "log"),
        ([3, 3, 3], "linear"),
        ([], "linear"),
        ([np.nan, np.inf, 1], "linear"),
        ([-1, 0, 1, 2, 3], "linear"),
        ([1e9, *np.linspace(-10, 10, 20)], "symlog"),
    ],
)
def test_a_scale_keeps_values_apart(values: list[float], scale: str) -> None:
    assert scale_of(np.array(values, dtype=np.float64))[0] == scale
