"""The page, of every kind of data and of objective."""

import re
from html.parser import HTMLParser

import matplotlib
import numpy as np
import pytest
import torch
from tiny_runs import DATA, HOSTILE, made, page

from xhat.report.write import compose

MOST = 5_000_000
VOID = {"meta", "img", "br", "path", "use", "image"}


class Page(HTMLParser):
    """What a page says and loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def check(text: str) -> Page:
    found = Page(text)
    assert not found.open, "every element is closed"
    assert len(text.encode()) < MOST
    assert not found.all("script")
    assert not found.all("link")
    assert "@import" not in text
    for _, attrs in found.tags:
        for name in ("src", "href"):
            assert (attrs.get(name) or "data:").startswith(("data:", "#"))
    assert not re.search(r"url\((?!#)", text)
    assert all(attrs.get("alt") for attrs in found.all("img"))
    assert all(attrs.get("aria-label") for attrs in found.all("svg"))
    assert len(found.all("figcaption")) == len(found.all("figure")) == 6
    names = [attrs["id"] for _, attrs in found.tags if "id" in attrs]
    assert len(names) == len(set(names))
    targets = re.findall(r'(?:href="|url\()#([\w-]+)', text)
    assert set(targets) <= set(names)
    return found


@pytest.mark.parametrize("data", sorted(DATA))
def test_every_kind_of_data_has_a_page(data: str) -> None:
    check(page(data))


@pytest.mark.parametrize("kind", ["dae", "vae", "aae"])
def test_every_objective_has_a_page(kind: str) -> None:
    text = page("gray", kind, epochs=2)
    check(text)
    terms = {"dae": ["distortion"], "vae": ["distortion", "rate", "score"], "aae": ["distortion", "fooling", "critic"]}
    for term in terms[kind]:
        assert f"Curve of {term} by epoch" in text


def test_the_verdict_comes_first() -> None:
    text = page("gray", "vae", epochs=2)
    places = [text.index(part) for part in ("<h1>", "Verdict", "Mean squared error", "<figure>", "Use it again")]
    assert places == sorted(places)


def test_mixed_tables_are_shown_by_their_columns() -> None:
    text = page("mixed", "vae", epochs=2)
    check(text)
    assert HOSTILE not in text
    assert "60 rows of a table of 4 columns, 5 elements each;" in text
    assert "held out, numbers standardised, categories as zeros and a one." in text
    assert "then each column from its own distribution." in text
    assert "pet=cat" not in text[text.index("Reconstructions") : text.index("Use it again")]
    # Samples are draws: categories are named, and none has a probability.
    shown = text[text.index(">Samples<") : text.index("Use it again")]
    assert re.search(r"<td>cat</td>", shown)
    assert not re.search(r"\d\s%</td>", shown)


def test_warnings_are_said_in_words() -> None:
    text = page("gaps", latent=4)
    assert "nothing is compressed" in text[: text.index("<figure>")]


def test_names_of_strangers_are_escaped() -> None:
    text = page("table")
    assert HOSTILE not in text
    assert "&lt;script&gt;" in text
    assert "a&amp;b" in text
    assert "文" in text


def test_codes_of_one_number_are_drawn_on_a_line() -> None:
    check(page("gray", latent=1))


def test_the_same_run_gives_the_same_page_and_leaves_no_trace() -> None:
    fitted, data = made("gray")
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), dict(matplotlib.rcParams)  # noqa: NPY002
    assert compose(fitted, data) == page("gray")
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()  # noqa: NPY002
    assert before[2] == dict(matplotlib.rcParams)
