import json

import pytest

from xhat.cli.sweep import read_grid

FLAGS = "--kind vae --latent 4 --epochs 1 --batch-size 32 --set net.hidden=[8] --device cpu"


def test_a_table_is_printed_and_runs_are_kept(xhat_, digits, tmp_path):
    shown = xhat_(f"sweep {digits} {FLAGS} --seeds 2 --set objective.beta=1,2")
    assert shown.status == 0, shown.err
    head, *lines = [line.split() for line in shown.out.splitlines() if line]
    assert head[:4] == ["run", "objective.beta", "seed", "error"]
    assert [line[0] for line in lines[:4]] == ["000", "001", "002", "003"]
    assert lines[4][:3] == ["objective.beta", "mean", "error"]
    assert (tmp_path / "runs/sweep-vae-digits/003/model.safetensors").exists()
    table = json.loads((tmp_path / "runs/sweep-vae-digits/sweep.json").read_text())
    best = min(table["members"], key=lambda member: member["error.model"])
    assert lines[-1] == ["best", best["run"]]
    assert xhat_(f"encode {digits} --model {best['run']} --out codes.npy").status == 0


def test_json_is_all_that_is_printed(xhat_, digits):
    shown = xhat_(f"sweep {digits} {FLAGS} --folds 2 --one-by-one --json --out sweep")
    printed = json.loads(shown.out)
    assert [(row["fold"], row["together"]) for row in printed["members"]] == [(0, 1), (1, 1)]
    assert printed["run"] == "sweep"


def test_values_are_parted_at_commas_that_belong_to_none():
    grid, fixed = read_grid(("net.hidden=[64],[32,16]", "lr=1e-3,2e-3", "objective.beta='linear(0, 1, epochs=2)',4"))
    assert grid == {
        "net.hidden": [[64], [32, 16]],
        "lr": [1e-3, 2e-3],
        "objective.beta": ["linear(0, 1, epochs=2)", 4],
    }
    assert fixed == {}
    assert read_grid(("objective.beta=4", "scale=unit")) == ({"scale": ["unit"]}, {"objective.beta": 4})


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        ("--set objective.bta=1,2", "'objective.bta' leads nowhere"),
        ("--set colour=1,2", "grid: there is nothing named 'colour' to set."),
        ("--set lr=1e-3, --seeds 2", "--set: has an empty value"),
        ("--set lr=1e-3 --set lr=2e-3", "--set: lr is given twice. Give its values with commas."),
        ("--set lr", "--set: must be PATH=VALUE,VALUE"),
        ("--lr 1e-3 --set lr=1e-3,1e-2", "--set: lr is given twice. Leave the option out."),
        ("--seeds many", "--seeds: must be how many, or numbers with commas"),
        ("--seed 3", "--seed: has no place in a sweep. Give --seeds."),
        ("--batch-size 500", "fit: batch_size must be at most the number of training rows, 180, got 500."),
    ],
)
def test_what_is_wrong_is_said_in_a_line(xhat_, digits, tmp_path, flags, line):
    assert line in xhat_(f"sweep {digits} --kind vae {flags}").error
    assert not (tmp_path / "runs").exists()
