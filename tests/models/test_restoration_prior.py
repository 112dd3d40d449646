"""The restoration prior, from a folder of photographs on a command line to a denoiser."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import xhat
from xhat.cli.app import main
from xhat.core import catalogue
from xhat.core.errors import ShapeError
from xhat.models.habits import habits
from xhat.models.recipes.restoration_prior import HABITS, restoration_prior

TINY = ["--set", "net.widths=[4]", "--set", "net.blocks=1", "--epochs", "2", "--device", "cpu", "--tiles", "16"]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "photographs"
    folder.mkdir()
    random = np.random.default_rng(0)
    for name, (height, width) in {"a": (160, 200), "b": (72, 80)}.items():
        coarse = random.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(folder / f"{name}.png")
    return folder


@pytest.fixture(scope="module")
def run(photographs, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "prior"
    assert main(["fit", str(photographs), "--recipe", "restoration-prior", *TINY, "--out", str(out)]) == 0
    return out


def test_the_command_trains_a_denoiser_and_keeps_its_recipe(run, capsys):
    summary = json.loads((run / "summary.json").read_text())
    origin = json.loads((run / "config.json").read_text())["origin"]
    assert summary["status"] == "finished"
    assert summary["told_noise"]
    assert (origin["recipe"], origin["net"], origin["source"]["tiles"]) == ("restoration_prior", "denoiser", 16)
    assert origin["settings"]["weight_decay"] == 0.0  # the recipe's habit
    assert "It denoises" in (run / "README.md").read_text()
    assert "nothing is compressed" not in (run / "README.md").read_text()
    assert (run / "report.html").is_file()
    metrics = (run / "metrics.jsonl").read_text()
    first, *_, last = [json.loads(line)["validation"]["distortion"] for line in metrics.splitlines()]
    assert last < first


def test_what_was_saved_denoises_images_of_any_size(run):
    denoise = xhat.load(run).model.decoder.net
    x = torch.rand(1, 3, 31, 18)
    assert denoise(x, torch.tensor([0.1])).shape == x.shape


def test_the_parts_are_those_that_were_decided():
    recipe = restoration_prior((3, 64, 64))
    assert catalogue.kind_of(type(recipe.model.decoder)) == "nets/denoiser.decoder"
    assert recipe.objective.objective.gray == 0.5
    assert restoration_prior((1, 64, 64)).objective.objective.gray == 0.0
    parameters = sum(p.numel() for p in recipe.model.parameters())
    assert 2.2e6 < parameters < 2.5e6
    assert 4 * parameters < 10e6  # bytes, as it is shipped
    with pytest.raises(ShapeError, match=r"restoration_prior: needs images, got rows of \(7,\)"):
        restoration_prior((7,))


def test_it_costs_about_a_tenth_of_a_million_multiplications_a_pixel():
    net, macs = restoration_prior((3, 64, 64)).model.decoder.net, 0

    def count(layer, inputs, out):
        nonlocal macs
        each = layer.weight[0].numel() if isinstance(layer, torch.nn.Conv2d) else layer.weight.shape[0]
        macs += each * out.numel()

    for layer in net.modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            layer.register_forward_hook(count)
    net(torch.rand(1, 3, 64, 64), torch.tensor([0.1]))
    assert 0.10e6 < macs / 64**2 < 0.12e6


def test_habits_are_of_recipes_that_have_some():
    assert habits("restoration_prior") is HABITS
    assert (habits("ae").folders, habits("ae").settings) == ({}, {})


def test_they_open_folders_and_nothing_else(photographs):
    assert HABITS.opening(photographs) == {"tiles": 64}
    assert HABITS.opening("digits") == HABITS.opening(np.zeros((2, 3))) == {}


def test_in_python_its_habits_hold_as_well(photographs):
    narrow = {"net.widths": [4], "net.blocks": 1}
    fitted = xhat.fit(photographs, "restoration_prior", epochs=1, batch_size=2, overrides=narrow)
    assert fitted.schema.shape == (3, 64, 64)
    assert fitted.origin["settings"]["lr"] == HABITS.settings["lr"]
    assert fitted.origin["settings"]["batch_size"] == 2
