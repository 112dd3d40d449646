import ast
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from safetensors.torch import load_file, save_file

import xhat
from xhat.core.errors import ArtifactError, MissingFileError, XhatError

SRC = Path(xhat.__file__).parent
FILES = ("config.json", "model.safetensors", "summary.json", "metrics.jsonl")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """One short run of each recipe."""
    root = tmp_path_factory.mktemp("runs")
    return {kind: (tiny.fit(kind, epochs=1, out=root / kind), root / kind) for kind in tiny.KINDS}


@pytest.fixture
def folder(runs, tmp_path):
    """A run folder to spoil."""
    return Path(shutil.copytree(runs["vae"][1], tmp_path / "run"))


# Saved and loaded


@pytest.mark.parametrize("kind", tiny.KINDS)
def test_what_is_loaded_gives_the_same_numbers_bit_for_bit(runs, kind):
    fitted, path = runs[kind]
    loaded = xhat.load(path)
    codes = fitted.encode(tiny.rows())
    assert np.array_equal(loaded.encode(tiny.rows()), codes)
    assert np.array_equal(loaded.decode(codes), fitted.decode(codes))
    assert np.array_equal(loaded.reconstruct(tiny.rows()), fitted.reconstruct(tiny.rows()))
    assert np.array_equal(loaded.sample(5, seed=1), fitted.sample(5, seed=1))


@pytest.mark.parametrize("kind", tiny.KINDS)
def test_nothing_else_is_forgotten(runs, kind):
    fitted, path = runs[kind]
    loaded = xhat.load(path)
    for name in ("schema", "summary", "history", "objective"):
        assert getattr(loaded, name) == getattr(fitted, name), name
    assert loaded.origin == json.loads(json.dumps(fitted.origin))
    assert (loaded.scaling.how, loaded.scaling.shape) == (fitted.scaling.how, fitted.scaling.shape)
    assert not loaded.model.training
    assert not any(p.requires_grad for p in loaded.model.parameters())


@pytest.mark.parametrize("scale", ["none", "unit", "global", "standard"])
def test_every_scaling_is_kept(tmp_path, scale):
    table = np.random.default_rng(0).normal(40, [1, 9, 0.1], (60, 3)).astype(np.float32)
    fitted = xhat.fit(table, latent=2, scale=scale, overrides=tiny.NARROW, **tiny.SHORT)
    xhat.save(fitted, tmp_path / "run")
    assert np.array_equal(xhat.load(tmp_path / "run").reconstruct(table), fitted.reconstruct(table))


def test_a_model_that_was_never_written_can_be_saved_and_saved_again(tmp_path):
    fitted = tiny.fit(epochs=1)
    path = xhat.save(xhat.load(xhat.save(fitted, tmp_path / "one")), tmp_path / "two")
    assert sorted(file.name for file in path.iterdir()) == [
        "config.json",
        "metrics.jsonl",
        "model.safetensors",
        "summary.json",
    ]
    for file in path.iterdir():
        assert file.read_bytes() == (tmp_path / "one" / file.name).read_bytes(), file.name


def test_a_model_that_was_never_measured_can_be_saved(tmp_path):
    fitted = tiny.fit(epochs=1)
    fitted.summary = {}
    assert xhat.load(xhat.save(fitted, tmp_path)).summary == {}


def test_loading_leaves_the_global_random_state(runs):
    before = torch.get_rng_state()
    # The parts' first weights are drawn, and overwritten.
    with torch.random.fork_rng(devices=[]):
        xhat.load(runs["vae"][1])
    assert torch.equal(torch.get_rng_state(), before)


# Folders that cannot be loaded


def edit(folder: Path, *way, value=None, file="config.json"):
    path = folder / file
    content = json.loads(path.read_text())
    node = content
    for key in way[:-1]:
        node = node[key]
    if value is None:
        del node[way[-1]]
    else:
        node[way[-1]] = value
    path.write_text(json.dumps(content))


def cut(folder: Path, file: str, share: float = 0.5):
    path = folder / file
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def refused(folder: Path, error=ArtifactError) -> str:
    with pytest.raises(error) as caught:
        xhat.load(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_no_folder(folder):
    message = refused(folder.with_name("rn"), MissingFileError)
    assert "load: there is no run folder" in message
    assert message.endswith("There are: run.")
    assert "Give the folder that a fit wrote." in refused(folder / "no" / "where", MissingFileError)
    assert "there is no run folder" in refused(folder / "config.json", MissingFileError)


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file(folder, file):
    (folder / file).unlink()
    assert f"{folder / file}: is missing." in refused(folder, MissingFileError)


# Without a line, metrics are those of a model that was never trained.
@pytest.mark.parametrize(
    ("file", "share"), [(f, s) for f in FILES for s in (0, 0.5, 0.99) if (f, s) != ("metrics.jsonl", 0)]
)
def test_a_truncated_file(folder, file, share):
    cut(folder, file, share)
    assert refused(folder).startswith(str(folder / file))


def test_an_unfinished_run_points_to_its_continuation(folder):
    (folder / "model.safetensors").unlink()
    assert refused(folder, MissingFileError).endswith(f"Continue it with: xhat fit --resume {folder}.")
    shutil.rmtree(folder / "checkpoints")
    assert "--resume" not in refused(folder, MissingFileError)


@pytest.mark.parametrize(
    ("way", "value", "says"),
    [
        (("format",), 2, "config.json: the format must be at most 1, which this xhat (0.1.0) reads, got 2. Install"),
        (("format",), "new", "the format must be at most 1"),
        (("format",), None, "the format must be at most 1"),
        (("colour",), "red", "must have the keys format, xhat, model, objective, scaling, schema, origin, got colour."),
        (("schema",), None, "got no schema."),
        (("model", "encoder"), 3, "cannot be built from"),
        (("model", "encoder"), "mlp", "cannot be built from"),
        (("model", "encoder"), [], "cannot be built from"),
        (("model", "encoder"), None, "cannot be built from"),
        (("model",), 3, "cannot be built from"),
        (("model", "encoder", "kind"), "nets/mpl.encoder", "there is no 'mpl'. Did you mean 'mlp'?"),
        (("model", "encoder", "kind"), "room/mlp", "there is no room 'room'"),
        (("model", "encoder", "kind"), "os.system", "there is no room 'os.system'"),
        (("model", "encoder", "kind"), "objectives/beta_elbo", "cannot be built from"),
        (("model", "encoder", "widht"), 3, "has no argument 'widht'"),
        (("model", "encoder", "hidden"), [17], "does not fit config.json"),
        (("model", "encoder", "hidden"), [16, 16], "does not fit config.json"),
        (("model", "encoder", "hidden"), ["wide"], "cannot be built from"),
        (("model", "encoder", "hidden"), 16, "cannot be built from"),
        (("model", "encoder", "hidden"), [-1], "hidden widths must be >= 1"),
        (("model", "encoder", "activation"), 3, "cannot be built from"),
        (("model", "encoder", "in_shape"), [65], "neighbours must meet"),
        (("model", "bottleneck", "code_shape"), [5], "neighbours must meet"),
        (("model", "bottleneck", "kind"), "bottlenecks/plain", "neighbours must meet"),
        (("model", "likelihood", "learned"), False, "does not fit config.json"),
        (("scaling",), "unit", "cannot be built from"),
        (("scaling", "how"), "units", "how must be one of"),
        (("scaling", "how"), "global", "does not fit config.json"),
        (("scaling", "shape"), [-1], "the scaling (-1,)"),
        (("scaling", "shape"), ["a"], "the scaling ('a',)"),
        (("schema", "shape"), [8, 8], "the schema describes (8, 8)"),
        (("schema", "shape"), 3, "the schema describes 3"),
        (("schema", "colour"), "red", "does not know every key, got colour"),
        (("schema", "low"), None, "needs the keys low"),
        (("origin",), 3, "cannot be built from"),
    ],
)
def test_an_edited_configuration(folder, way, value, says):
    edit(folder, *way, value=value)
    message = refused(folder)
    assert says in message
    assert message.startswith((str(folder), "Schema: "))


def test_a_configuration_that_is_no_object(folder):
    (folder / "config.json").write_text("[1, 2]")
    assert "must hold a JSON object, got list" in refused(folder)
    (folder / "config.json").write_bytes(b"\xff\xfe\x00")
    assert "is no JSON" in refused(folder)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda w: w.pop("model.encoder.layers.0.weight"), "Missing key(s)"),
        (lambda w: w.update({"model.extra": torch.ones(1)}), "Unexpected key(s)"),
        (lambda w: w.update({"other.extra": torch.ones(1)}), "Unexpected key(s)"),
        (lambda w: w.update({"scaling.centre": torch.ones(7)}), "size mismatch"),
    ],
)
def test_edited_weights(folder, change, says):
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors")
    message = refused(folder)
    assert "does not fit config.json" in message
    assert says in message


def test_weights_that_are_no_safetensors(folder):
    import pickle

    (folder / "model.safetensors").write_bytes(pickle.dumps({"model": 1}))
    assert "model.safetensors: is broken" in refused(folder)


@pytest.mark.parametrize("line", ["3", "[]", '{"epoch": 1}', "nonsense"])
def test_edited_metrics(folder, line):
    with (folder / "metrics.jsonl").open("a") as file:
        file.write(line + "\n")
    assert "metrics.jsonl: must hold one epoch a line" in refused(folder)


def test_an_edited_summary(folder):
    edit(folder, "error.pca", file="summary.json")
    assert f"{folder / 'summary.json'}: lacks error.pca." in refused(folder)


def test_a_part_of_another_name_is_refused(folder):
    with pytest.raises(XhatError, match=r"has no part 'encodr'\. Did you mean 'encoder'"):
        xhat.load(folder, encodr=3)


# Nothing is pickled and nothing is evaluated


def calls(tree: ast.AST):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("path", sorted(SRC.rglob("*.py")), ids=lambda path: str(path.relative_to(SRC)))
def test_no_source_unpickles_or_evaluates(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not imported & {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
    for call in calls(tree):
        called = ast.unparse(call.func)
        assert called not in ("eval", "exec", "compile", "__import__", "torch.load", "torch.save", "yaml.load")
        allowed = [keyword.value for keyword in call.keywords if keyword.arg == "allow_pickle"]
        assert all(ast.unparse(value) == "False" for value in allowed)
        if called in ("np.load", "numpy.load"):
            assert allowed  # said, not left to a default
