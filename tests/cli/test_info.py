import json

import pytest

from xhat.core import catalogue
from xhat.runs.verdict import verdict


def test_a_run_is_described(xhat_, run, model):
    facts = json.loads(xhat_(f"info {run} --json").out)
    assert facts["data"] == "digits: 200 rows of image (1, 8, 8)"
    assert (facts["recipe"], facts["encoder"], facts["likelihood"]) == ("vae", "MLPEncoder", "Gaussian")
    assert facts["objective"] == "objectives/beta_elbo"
    assert facts["error.model"] == model.summary["error.model"]
    assert facts["verdict"] == verdict(model.summary)
    text = xhat_(f"info {run}").out
    for name in facts:
        assert name in text


def test_data_is_described_as_a_fit_would_see_it(xhat_, digits):
    facts = json.loads(xhat_(f"info {digits} --json").out)
    assert (facts["rows"], facts["kind"], facts["shape"], facts["dtype"]) == (200, "image", [1, 8, 8], "uint8")
    assert (facts["low"], facts["high"], facts["missing"]) == (0, 16, 0)
    assert "uint8" in xhat_(f"info {digits}").out
    assert json.loads(xhat_("info curves --json").out)["name"] == "curves"


def test_options_of_the_data_are_understood(xhat_, digits):
    facts = json.loads(xhat_(f"info {digits} --rows series --json").out)
    assert (facts["kind"], facts["shape"]) == ("series", [8, 8])
    assert xhat_(f"info {digits} --size big").error == ("--size: must be HEIGHTxWIDTH in pixels, got 'big'. As 64x64.")


@pytest.mark.parametrize("json_", ["", "--json"])
def test_parts_are_listed_with_a_line_each(xhat_, json_):
    out = xhat_(f"parts {json_}").out
    listed = json.loads(out) if json_ else None
    for entry in catalogue.entries():
        if listed is None:
            assert entry.kind in out
        else:
            fields = {"kind": entry.kind, "room": entry.room, "name": entry.name, "summary": entry.summary}
            assert fields in listed
            assert entry.summary
    assert {"nets/mlp", "objectives/mmd", "recipes/vae"} <= {entry.kind for entry in catalogue.entries()}


def test_one_room_may_be_asked_for(xhat_):
    listed = json.loads(xhat_("parts objectives --json").out)
    assert {entry["room"] for entry in listed} == {"objectives"}
    assert "did you mean 'nets'" in xhat_("parts nts").error.lower()
