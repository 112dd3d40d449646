"""Rows of every kind, as they are shown."""

import base64
import io
import re

import pytest
import torch
from PIL import Image

from xhat.data.column import Column
from xhat.data.schema import Schema
from xhat.report.rows.images import Images
from xhat.report.rows.lines import Lines, _path
from xhat.report.rows.mixed_tables import MixedTables
from xhat.report.rows.pixels import SIDE, difference, picture
from xhat.report.rows.tables import Tables
from xhat.report.rows.view import Group, Pair


def opened(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/png;base64,"))))


def test_pictures_are_cut_to_the_range_and_clear_where_nothing_was_seen() -> None:
    image = opened(picture(torch.tensor([[[-5.0, 0, 8, 99, float("nan")]]]), 0, 16))
    assert [image.getpixel((x, 0)) for x in range(4)] == [(v, v, v, 255) for v in (0, 0, 128, 255)]
    assert image.getpixel((4, 0))[3] == 0


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
def test_any_number_of_channels_makes_a_picture(channels: int) -> None:
    assert opened(picture(torch.rand(channels, 4, 6), 0, 1)).size == (6, 4)


def test_large_pictures_become_thumbnails() -> None:
    assert opened(picture(torch.rand(1, 180, 360), 0, 1)).size == (SIDE, SIDE // 2)


def test_differences_have_a_sign() -> None:
    image = opened(difference(torch.tensor([[[2.0, -1, 0]]]), 2.0))
    high, low, none = (image.getpixel((x, 0)) for x in range(3))
    assert high[0] > high[2]
    assert low[2] > low[0]
    assert [high[3], low[3], none[3]] == [255, 128, 0]


def test_bytes_are_shown_from_0_to_255() -> None:
    schema = Schema("image", (1, 1, 1), "uint8", 3.0, 200.0)
    view = Images(schema, torch.tensor(255.0), ("input", "copy"))
    pair = Pair(torch.tensor([[[200.0]]]), torch.tensor([[[0.0]]]), "row 1", "error 2")
    html = view.html([Group("", [pair])])
    uri = html.split('src="')[1].split('"')[0]
    assert opened(uri).getpixel((0, 0))[0] == 200


def test_mixed_tables_show_their_own_columns_and_name_categories() -> None:
    columns = (
        Column("age", "int64", whole=True),
        Column("pet", "str", ("<cat>", "dog", "emu")),
        Column("own", "bool", (False, True)),
        Column("town", "str", ("a", "b")),
    )
    schema = Schema("table", (8,), "float32", 0.0, 1.0, mixed=columns)
    spread = torch.tensor([10.0, *[1.0] * 7])
    view = MixedTables(schema, spread, ("input", "copy", "error"))
    nan = float("nan")
    first = torch.tensor([40.0, 1, 0, 0, 0, 1, nan, nan])
    second = torch.tensor([43.4, 0.2, 0.7, 0.1, 0, 1, 0.4, 0.6])
    html = str(view.html([Group("", [Pair(first, second, "row 1", "error 2")])]))
    cells = [re.findall("<t[hd][^>]*>(.*?)</t[hd]>", row)[:3] for row in html.split("<tr>")[2:]]
    # The category is off by √((0.8² + 0.7² + 0.1²) / 2) = 0.75, the number by 0.34 of its spread.
    assert cells == [
        ["pet", "&lt;cat&gt;", "dog 70\N{NO-BREAK SPACE}%"],
        ["age", "40", "43"],
        ["own", "True", "True"],
        ["town", "missing", "b 60\N{NO-BREAK SPACE}%"],
    ]
    widths = [float(width) for width in re.findall(r"width:([\d.]+)%", html)]
    # On the scale that groups share, the element that is farthest off: 0.8.
    assert widths == pytest.approx([50 * 0.57**0.5 / 0.8, 50 * 0.34 / 0.8, 0, 0], abs=0.06)


def test_tables_show_the_columns_that_differ_most_to_the_model() -> None:
    schema = Schema("table", (3,), "float64", 0.0, 1.0, columns=("small", "<large>", "gap"))
    view = Tables(schema, torch.tensor([0.1, 100.0, 1.0]), ("input", "copy", "error"))
    pair = Pair(torch.tensor([0.0, 0.0, float("nan")]), torch.tensor([0.2, 10.0, 1.0]), "row 1", "error 2")
    html = view.html([Group("Best", [pair])])
    assert html.index("small") < html.index("&lt;large&gt;") < html.index("gap")
    assert "missing" in html


def test_lines_stop_at_gaps() -> None:
    nan = float("nan")
    assert _path([0.0, 1.0, nan, 1.0], 0.0, 1.0).count("M") == 2
    assert _path([nan, nan], 0.0, 1.0) == ""


def test_series_show_the_variables_that_differ_most() -> None:
    schema = Schema("series", (4, 5), "float32", 0.0, 1.0)
    view = Lines(schema, torch.tensor(1.0), ("input", "copy"))
    second = torch.zeros(4, 5)
    second[:, 3] = 2.0
    html = view.html([Group("", [Pair(torch.zeros(4, 5), second, "row 1", "error 2")])])
    assert html.count("<svg") == 3
    assert html.index("variable 3") < html.index("variable 0")
    assert "3 that differ most" in view.reading(1.0)
