from dataclasses import replace

import pytest

from xhat.report.comparison import compose, sentence, tone, write_comparison
from xhat.runs.compare import Comparison, Line

LINES = (
    Line("PCA", 2, 4.0, 1.0, 0.01, 900),
    Line("ae", 2, 3.0, 0.75, 2.5, 900),
    Line("PCA", 8, 1.0, 1.0, 0.01, 900),
    Line("ae", 8, 1.5, 1.5, 2.5, 900),
)
BESIDE = Comparison("<data>", "ae", 100, 8.0, LINES, ("NMF is left out: it needs values >= 0",))


def test_the_page_holds_every_number(tmp_path):
    page = write_comparison(BESIDE, tmp_path / "page.html").read_text()
    assert "&lt;data&gt;" in page
    assert "<data>" not in page
    assert "NMF is left out" in page
    assert page.count("<tr") == 1 + len(LINES)
    assert page.count('<tr class="own">') == 2
    assert "<svg" in page
    assert "<script" not in page
    assert "<svg" not in compose(replace(BESIDE, lines=LINES[:2]))  # one k makes no curve


@pytest.mark.parametrize(("lines", "words", "how"), [
    (LINES, "The error of ae is 0.75 of PCA’s with 2 numbers a row, 1.50 with 8: the least in 1 of 2 cases.", "fair"),
    (LINES[:2], "The error of ae is 0.75 of PCA’s with 2 numbers a row: the least everywhere.", "good"),
    (LINES[2:], "The error of ae is 1.50 of PCA’s with 8 numbers a row: the least nowhere.", "poor"),
])  # fmt: skip
def test_the_verdict_is_the_tables(lines, words, how):
    found = replace(BESIDE, lines=lines)
    assert (sentence(found), tone(found)) == (words, how)
