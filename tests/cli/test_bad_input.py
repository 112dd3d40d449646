"""Bad input gets one line and status 2; nothing is written and nothing is overwritten."""

import errno
import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest
import tiny
from PIL import Image

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(RNG.normal(size=(40, 4)).round(3), columns=["a", "b", "c", "d"])


def state(folder) -> dict:
    return {path: path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


def empty(folder):
    (folder / "rows.csv").touch()


def one_row(folder):
    TABLE.iloc[:1].to_csv(folder / "rows.csv", index=False)


def constant(folder):
    (TABLE * 0 + 3).to_csv(folder / "rows.csv", index=False)


def gaps(folder):
    TABLE.where(RNG.random(TABLE.shape) > 0.1).to_csv(folder / "rows.csv", index=False)


def infinite(folder):
    np.save(folder / "rows.npy", TABLE.to_numpy() / np.where(TABLE.to_numpy() > 2, 0.0, 1.0).clip(0))


def texts(folder):
    TABLE.assign(b=[f"red {i}" for i in range(len(TABLE))]).to_csv(folder / "rows.csv", index=False)


def ragged(folder):
    (folder / "rows.csv").write_text("a,b\n1,2\n3,4,5\n6\n")


def no_archive(folder):
    (folder / "rows.npz").write_bytes(b"PK\x03\x04 and no more")


def truncated_image(folder):
    for i in range(3):
        Image.fromarray(RNG.integers(0, 256, (16, 16), np.uint8)).save(folder / f"{i}.png")
    path = folder / "1.png"
    path.write_bytes(path.read_bytes()[:100])


def mixed_images(folder):
    for i, side in enumerate((16, 16, 20)):
        Image.fromarray(RNG.integers(0, 256, (side, side), np.uint8)).save(folder / f"{i}.png")


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize(
    ("make", "name", "says"),
    [
        (lambda folder: None, "rows.csv", "there is no 'data/rows.csv'."),
        (lambda folder: None, "none/rows.csv", "There is no folder 'data/none' either."),
        (empty, "rows.csv", "rows.csv: the file is empty, got 0 bytes."),
        (one_row, "rows.csv", "rows: needs at least 2 rows, got 1."),
        (constant, "rows.csv", "rows: some value must differ between rows, got constant data."),
        (gaps, "rows.csv", "(--missing)"),
        (infinite, "rows.npy", "rows: every value must be finite, got inf in row "),
        (texts, "rows.csv", "column 'b' must hold numbers or categories that repeat, got "),
        (ragged, "rows.csv", "rows.csv: cannot be read as a table"),
        (no_archive, "rows.npz", "rows.npz: cannot be read as an .npz file"),
        (lambda folder: (folder / "notes.md").write_text("x"), "notes.md", "cannot read files that end in '.md'"),
        (lambda folder: None, "", "data: the folder holds no images."),
        (truncated_image, "", "1.png: the image cannot be decoded"),
        (mixed_images, "", "2.png: images must all be of one size, as most are (16, 16), got (20, 20)."),
    ],
)
def test_bad_data(xhat_, tmp_path, make, name, says):
    (tmp_path / "data").mkdir()
    make(tmp_path / "data")
    before = state(tmp_path)
    assert says in xhat_(f"fit data/{name} --out run").error
    assert says in xhat_(f"info data/{name}").error or make in (one_row, constant)
    assert state(tmp_path) == before


def test_what_looks_bad_and_is_not(xhat_, tmp_path):
    gaps(tmp_path)
    assert xhat_(f"fit rows.csv --missing --latent 2 {tiny.FLAGS} --out gaps").status == 0
    (TABLE * [1, 0, 1, 1]).to_csv(tmp_path / "rows.csv", index=False)  # one constant column among others
    for scale in ("global", "standard"):
        assert xhat_(f"fit rows.csv --latent 2 --scale {scale} {tiny.FLAGS} --out {scale}").status == 0
    (tmp_path / "images").mkdir()
    mixed_images(tmp_path / "images")
    assert xhat_(f"fit images --size 8x8 --latent 2 {tiny.FLAGS.replace('32', '2')} --out sized").status == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--latent 0", "fit: latent must be >= 1, got 0."),
        ("--kind vea", "recipes: there is no 'vea'. Did you mean 'vae'?"),
        ("--net cnov", "nets: there is no 'cnov'. Did you mean 'conv'?"),
        ("--scale big", "fit: scale must be auto, none, unit, global, standard, range, got 'big'."),
        ("--epochs 0", "fit: epochs must be >= 1, got 0."),
        ("--batch-size 9999", "fit: batch_size must be at most the number of training rows"),
        ("--lr -1", "fit: lr must be > 0, got -1.0."),
        ("--device gpu", "device: must be one that this machine has, got 'gpu'."),
        ("--key x", "has no use for key='x'"),
        ("--size 8", "has no use for size=(8, 8)"),
        ('--set likelihood={kind="likelihoods/bernoulli"} --scale global', "Bernoulli: reads data in [0, 1], got "),
    ],
)
def test_bad_options(xhat_, tmp_path, options, says):
    assert says in xhat_(f"fit digits {options} --out run").error
    assert state(tmp_path) == {}


def test_a_folder_in_use_is_not_overwritten(xhat_, tmp_path, digits):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("mine")
    before = state(tmp_path)
    for command in (f"fit {digits} --out run", "demo --no-browser --out run"):
        done = xhat_(command)
        assert (done.status, done.err.count("\n")) == (2, 1)
        assert "run: a run needs a new or empty folder, got one in use." in done.err
    assert state(tmp_path) == before


@pytest.mark.parametrize("command", ["encode", "reconstruct"])
@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (tiny.rows()[:, 1:], "the model reads rows of (1, 8, 8); this data has rows of (1, 7, 8)."),
        (np.ones((4, 5)), "images have the shape (N, H, W), (N, H, W, C) or (N, C, H, W), got shape (4, 5)."),
        (np.full((2, 8, 8), np.nan), "no value may be missing"),
    ],
)
def test_data_that_the_model_cannot_read(xhat_, tmp_path, run, command, rows, says):
    np.save(tmp_path / "rows.npy", rows)
    before = state(tmp_path)
    assert says in xhat_(f"{command} rows.npy --model {run} --out out.npy").error
    assert state(tmp_path) == before


@pytest.fixture
def spoiled(run, tmp_path):
    return shutil.copytree(run, tmp_path / "run")


def edit(folder, change):
    config = json.loads((folder / "config.json").read_text())
    change(config)
    (folder / "config.json").write_text(json.dumps(config))


def cut(path):
    path.write_bytes(path.read_bytes()[:-50])


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (shutil.rmtree, "load: there is no run folder 'run'."),
        (lambda run: (run / "config.json").unlink(), "run/config.json: is missing."),
        (lambda run: (run / "model.safetensors").unlink(), "Continue it with: xhat fit --resume run."),
        (lambda run: (run / "summary.json").unlink(), "run/summary.json: is missing."),
        (lambda run: cut(run / "config.json"), "run/config.json: is no JSON"),
        (lambda run: cut(run / "model.safetensors"), "run/model.safetensors: is broken"),
        (lambda run: cut(run / "metrics.jsonl"), "run/metrics.jsonl: must hold one epoch a line"),
        (lambda run: edit(run, lambda c: c.update(colour=3)), "run/config.json: must have the keys"),
        (lambda run: edit(run, lambda c: c.update(format=9)), "Install a newer xhat."),
        (lambda run: edit(run, lambda c: c["model"]["encoder"].update(hidden=[9])), "does not fit config.json"),
        (lambda run: edit(run, lambda c: c["model"]["encoder"].update(kind="nets/mpl.encoder")), "Did you mean 'mlp'?"),
        (lambda run: edit(run, lambda c: c["model"].update(encoder=3)), "run/config.json: cannot be built from"),
    ],
)
def test_a_run_folder_that_was_spoiled(xhat_, spoiled, digits, tmp_path, spoil, says):
    spoil(spoiled)
    before = state(tmp_path)
    commands = ["encode DATA", "reconstruct DATA", "sample 2"]
    for command in commands:
        assert says in xhat_(f"{command.replace('DATA', str(digits))} --model run --out out.npy").error
    if spoiled.exists():
        assert says in xhat_("info run").error
    assert state(tmp_path) == before


def test_a_full_disk_while_saving(xhat_, tmp_path, digits, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    done = xhat_(f"fit {digits} {tiny.FLAGS} --out run")
    assert done.status == 2
    assert done.err.splitlines()[-1] == (
        "xhat: run/config.json: cannot be written (No space left on device). Free the disk or choose another path."
    )
    assert "Traceback" not in done.err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_disk_that_fills_up_amid_a_run(xhat_, tmp_path, digits, monkeypatch):
    def full(handle):
        if (tmp_path / "run" / "checkpoints" / "last.safetensors").exists():
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    done = xhat_(f"fit {digits} {tiny.FLAGS} --out run")
    assert done.status == 2
    assert done.err.splitlines()[-1].startswith("xhat: run/checkpoints/last.safetensors: cannot be written")
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert xhat_("fit --resume run").status == 0  # the checkpoint before survived
    assert xhat_(f"encode {digits} --model run --out codes.npy").status == 0
