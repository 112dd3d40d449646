"""What every part of every room keeps: its arguments, its weights and its place."""

import inspect
from pathlib import Path

import pytest
import torch
from exercise import example, kinds, outputs, rebuilt
from safetensors.torch import load, save

from xhat.core import build, catalogue, config
from xhat.core.errors import ConfigError

EVERY = kinds(*catalogue.rooms())
FILES = [f"{room}/{name}" for room in catalogue.rooms() for name in catalogue.names(room)]


@pytest.mark.parametrize("kind", EVERY)
def test_configuration_survives_json(kind):
    part = example(kind)
    twin = rebuilt(part)
    assert config(part)["kind"] == kind
    assert type(twin) is type(part)
    assert config(twin) == config(part)


@pytest.mark.parametrize("kind", EVERY)
def test_weights_survive_safetensors(kind):
    part = example(kind).eval()
    twin = rebuilt(part).eval()
    twin.load_state_dict(load(save(part.state_dict())))
    for before, after in zip(outputs(part), outputs(twin), strict=True):
        assert torch.equal(before, after)


@pytest.mark.parametrize("kind", EVERY)
def test_every_argument_is_stored_under_its_own_name(kind):
    part = example(kind)
    described = config(part)
    for name in inspect.signature(type(part)).parameters:
        if name not in ("args", "kwargs"):  # nn.Module's, of a part without a constructor
            assert hasattr(part, name)
            assert name in described


@pytest.mark.parametrize("kind", EVERY)
def test_an_unknown_argument_is_refused_with_a_suggestion(kind):
    described = config(example(kind))
    known = next((name for name in described if name != "kind"), None)
    wrong = f"{known or 'nothing'}x"
    with pytest.raises(ConfigError, match=f"has no argument '{wrong}'") as error:
        build(described | {wrong: 1})
    assert known is None or f"did you mean '{known}'?" in str(error.value).lower()


@pytest.mark.parametrize("kind", EVERY)
def test_the_docstring_holds_the_equation_or_the_parameters(kind):
    text = inspect.getdoc(catalogue.find(kind)) or ""
    assert any(sign in text for sign in ("Parameters\n---", ".. math::", ":math:`", " = "))


@pytest.mark.parametrize("file", FILES)
def test_a_file_is_one_idea_of_at_most_300_lines(file):
    public = [cls for cls in catalogue.classes(file.partition("/")[0]) if catalogue.kind_of(cls).split(".")[0] == file]
    sides = sorted(catalogue.kind_of(cls).partition(".")[2] for cls in public)
    denoiser = [""] if file == "nets/unet" else []  # the same paths, joined by skips: no pair can have those
    assert sides == (denoiser + ["decoder", "encoder"] if file.startswith("nets/") else [""])
    assert len(Path(inspect.getfile(public[0])).read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("entry", catalogue.entries(), ids=lambda entry: entry.kind)
def test_a_file_begins_with_a_line_that_the_catalogue_can_show(entry):
    assert 10 <= len(entry.summary) <= 110
