"""From data to a run folder, and from an interrupted one to the same end."""

import errno
import json
import os
import re
import shutil
from functools import partial

import numpy as np
import pytest
import tiny
import torch

import xhat
from xhat.core.errors import ArtifactError, ConfigError, DataError, MissingFileError, TrainingError, XhatError
from xhat.core.loss import Loss
from xhat.core.objective import Objective
from xhat.engine import training
from xhat.engine.hook import Hook
from xhat.models.recipe import Recipe
from xhat.report.write import report
from xhat.runs.fit import resume
from xhat.runs.folder import RunFolder
from xhat.runs.recorder import Recorder

FILES = {"config.json", "model.safetensors", "metrics.jsonl", "summary.json", "env.json", "README.md", "checkpoints"}


@pytest.fixture
def source(tmp_path):
    """The digits as a file, so that a run knows where its data lies."""
    np.save(tmp_path / "digits.npy", tiny.rows())
    return tmp_path / "digits.npy"


def fit(source, out=None, kind="ae", **options):
    return xhat.fit(source, kind, latent=4, overrides=tiny.NARROW, out=out, **tiny.SHORT | options)


def names(path) -> set[str]:
    return {file.name for file in path.iterdir()}


def content(path) -> dict:
    """What a run folder holds, without times and without what the checkpoint holds beside."""
    summary, metrics = json.loads((path / "summary.json").read_text()), (path / "metrics.jsonl").read_text()
    epochs = [json.loads(line) | {"seconds": 0} for line in metrics.splitlines()]
    weights, config = (path / "model.safetensors").read_bytes(), (path / "config.json").read_text()
    card = re.sub(r"in [\d.]+ s", "", (path / "README.md").read_text()).replace(str(path), "RUN")
    return {"summary": summary | {"seconds": 0}, "epochs": epochs, "weights": weights, "config": config, "card": card}


# What a run leaves


def test_without_out_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert tiny.fit(epochs=1).summary["status"] == "finished"
    assert names(tmp_path) == set()


def test_a_masked_autoencoder_of_normalised_pixels_copies_in_the_units_of_x(tmp_path):
    hidden = {"kind": "corruptions/patch_masking", "share": 0.5, "patch": 4}
    overrides = {"objective.corruption": hidden, "objective.on": "hidden", "net.width": 8, "net.depth": 1}
    options = {"net": "patch", "likelihood": "norm_pix", "overrides": overrides, "out": tmp_path / "run"}
    fitted = xhat.fit(tiny.rows(), "dae", latent=4, **tiny.SHORT | options)
    again = xhat.load(tmp_path / "run")
    np.testing.assert_allclose(again.reconstruct(tiny.rows()), fitted.reconstruct(tiny.rows()), atol=1e-3)
    assert report(tmp_path / "run", data=tiny.rows()).is_file()


def test_a_run_folder_holds_the_run(source, tmp_path):
    fitted = fit(source, tmp_path / "deep" / "run")
    folder = RunFolder(tmp_path / "deep" / "run")
    assert names(folder.path) == FILES
    assert json.loads(folder.summary.read_text()) == fitted.summary
    metrics = [json.loads(line) for line in folder.metrics.read_text().splitlines()]
    assert metrics == fitted.history.to_list()
    config = json.loads(folder.config.read_text())
    assert config["origin"]["source"] == {"path": str(source)}
    assert config["model"]["encoder"]["inner"]["hidden"] == [16]
    environment = json.loads(folder.environment.read_text())
    assert environment["torch"] == torch.__version__
    assert not {"user", "host", "path"} & set(environment)


def test_the_card_says_what_the_model_is_and_how_to_use_it(source, tmp_path):
    fitted = fit(source, tmp_path / "run")
    card = (tmp_path / "run" / "README.md").read_text()
    assert card.startswith("# ae on digits\n")
    for text in (
        f"{fitted.summary['error.model']:.6g} | {fitted.summary['error.pca']:.6g}",
        f'xhat.load("{tmp_path / "run"}")',
        "4 dimensions, ",
        "2 epochs in ",
        "200 rows of image 1×8×8, uint8",
    ):
        assert text in card
    namespace = {"rows": tiny.rows()}
    exec(card.split("```python\n")[1].split("```")[0], namespace)
    assert namespace["copies"].shape == (200, 8, 8)


def test_a_folder_in_use_is_left_as_it_is(source, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("mine")
    with pytest.raises(ArtifactError, match="a run needs a new or empty folder"):
        fit(source, tmp_path / "run")
    assert names(tmp_path / "run") == {"notes.txt"}


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"latent": 0}, ConfigError),
        ({"kind": "vea"}, XhatError),
        ({"device": "gpu"}, ConfigError),
        ({"epoch": 3}, ConfigError),
        ({"overrides": {"objective.bta": 1}}, ConfigError),
    ],
)
def test_what_is_refused_leaves_no_folder(source, tmp_path, options, error):
    with pytest.raises(error):
        xhat.fit(source, out=tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_an_unknown_setting_is_suggested():
    with pytest.raises(ConfigError, match=r"fit: has no setting 'epoch'\. Did you mean 'epochs'\?"):
        xhat.fit(tiny.data(), epoch=3)


# Divergence


class Fails(Objective):
    """The squared error, and no number once so many batches were seen."""

    shapes_prior = False

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after, self.seen = after, 0

    def forward(self, model, batch):
        self.seen += 1
        squares = (model.reconstruct(batch) - batch.x).square().flatten(1).sum(1)
        return Loss(distortion=squares * (1 if self.seen <= self.after else float("nan")))


def test_a_run_that_diverges_keeps_its_last_good_weights(source, tmp_path):
    with pytest.raises(TrainingError) as error:
        fit(source, tmp_path / "run", lr=1e30)
    message = (
        rf"epoch \d: the \w+ term 'distortion' must stay finite; the weights of epoch 0 are in {tmp_path}/run, got"
    )
    assert re.match(message, str(error.value))
    loaded = xhat.load(tmp_path / "run")
    assert loaded.summary["status"] == "diverged"
    assert np.isfinite(loaded.reconstruct(tiny.rows())).all()


def test_one_that_learned_first_keeps_what_it_learned(tmp_path):
    recipe = Recipe(tiny.plan().recipe.model, Fails(3 * (tiny.STEPS + 1) + 1 + 2))  # amid the fourth epoch
    with pytest.raises(TrainingError, match=r"epoch 4.*the weights of epoch 3 are in"):
        xhat.fit(tiny.data(), recipe, out=tmp_path / "run", **tiny.SHORT | {"epochs": 6})
    summary = xhat.load(tmp_path / "run").summary
    assert (summary["best_epoch"], summary["epochs"]) == (3, 3)


def test_a_loss_that_is_no_number_from_the_start_leaves_no_folder(tmp_path):
    recipe = Recipe(tiny.plan().recipe.model, Fails(0))
    with pytest.raises(TrainingError, match="epoch 0"):
        xhat.fit(tiny.data(), recipe, out=tmp_path / "run", **tiny.SHORT)
    assert not (tmp_path / "run").exists()


# Interrupted and continued


@pytest.mark.parametrize("step", [3, tiny.STEPS, tiny.STEPS + 1])
@pytest.mark.parametrize("kind", tiny.KINDS)
def test_interrupted_and_resumed_equals_uninterrupted(source, tmp_path, kind, step):
    fit(source, tmp_path / "whole", kind)
    begun = fit(source, tmp_path / "run", kind, hooks=[tiny.CtrlC(step)])
    assert begun.summary == {"status": "interrupted", "epochs": step // tiny.STEPS}
    assert names(tmp_path / "run") == {"config.json", "metrics.jsonl", "env.json", "checkpoints"}
    torch.manual_seed(9)
    resume(tmp_path / "run")
    assert content(tmp_path / "run") == content(tmp_path / "whole")


def test_a_start_at_pca_and_its_warnings_survive_an_interruption(tmp_path):
    table = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    np.save(tmp_path / "table.npy", table)
    options = {"latent": 3, "init": "pca", "overrides": tiny.NARROW, **tiny.SHORT}
    xhat.fit(tmp_path / "table.npy", out=tmp_path / "whole", **options)
    xhat.fit(tmp_path / "table.npy", out=tmp_path / "run", hooks=[tiny.CtrlC(4)], **options)
    resume(tmp_path / "run")
    assert content(tmp_path / "run") == content(tmp_path / "whole")
    assert xhat.load(tmp_path / "run").summary["warnings"]


def test_a_run_that_was_killed_continues_from_its_last_checkpoint(source, tmp_path):
    class KilledError(Exception):
        pass

    class Kill(Hook):
        def on_step(self, training):
            if training.step.done == tiny.STEPS + 2:
                raise KilledError

    fit(source, tmp_path / "whole")
    with pytest.raises(KilledError):
        fit(source, tmp_path / "run", hooks=[Kill()])
    assert len((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()) == 2  # one more than it will know
    resume(tmp_path / "run")
    assert content(tmp_path / "run") == content(tmp_path / "whole")


def test_a_second_ctrl_c_leaves_a_run_that_continues(source, tmp_path):
    fit(source, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        fit(source, tmp_path / "run", hooks=[tiny.CtrlC(4, times=2)])
    resume(tmp_path / "run")
    assert content(tmp_path / "run") == content(tmp_path / "whole")


def test_one_amid_a_validation_does_as_well(source, tmp_path, monkeypatch):
    fit(source, tmp_path / "whole")
    calls = []

    def evaluate(*arguments):
        calls.append(1)
        if len(calls) == 2:  # the first is of what stands before training
            raise KeyboardInterrupt
        return whole(*arguments)

    whole = training.evaluate
    with monkeypatch.context() as patch:
        patch.setattr(training, "evaluate", evaluate)
        with pytest.raises(KeyboardInterrupt):
            fit(source, tmp_path / "run")
    resume(tmp_path / "run")
    assert content(tmp_path / "run") == content(tmp_path / "whole")


def test_checkpoints_come_as_often_as_asked(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(
        "xhat.runs.recorder.write_checkpoint", lambda path, state: written.append(state["step"]["done"])
    )
    plan = tiny.plan(epochs=3)
    fitted = xhat.Fitted(plan.recipe.model, plan.scaling, plan.data.schema, {}, origin=plan.origin)
    for seconds, steps in ((1e9, [0, 18]), (0, [0, 6, 12, 18, 18])):
        written.clear()
        tiny.training(tiny.plan(epochs=3), Recorder(RunFolder(tmp_path / str(seconds)), fitted, seconds)).run()
        assert written == steps


def test_one_that_was_killed_amid_an_epoch_continues_from_amid_that_epoch(source, tmp_path, monkeypatch):
    class KilledError(Exception):
        pass

    class Kill(Hook):
        def on_step(self, training):
            if training.step.done == tiny.STEPS + 4:
                raise KilledError

    fit(source, tmp_path / "whole")
    written = []
    keep = Recorder._checkpoint
    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "_checkpoint", lambda self, t: (written.append(t.step.done), keep(self, t)))
        patch.setattr("xhat.runs.fit.Recorder", partial(Recorder, seconds=1e9, amid=0.0))
        with pytest.raises(KilledError):
            fit(source, tmp_path / "run", hooks=[Kill()])
    # Never after an epoch's last step: its validation is still to come, and the checkpoint would skip it.
    assert written == [0, *range(1, tiny.STEPS), *range(tiny.STEPS + 1, tiny.STEPS + 5)]
    resume(tmp_path / "run")
    assert content(tmp_path / "run") == content(tmp_path / "whole")


@pytest.mark.parametrize("file", ["model.safetensors", "metrics.jsonl", "summary.json", "config.json"])
def test_a_run_that_could_not_be_saved_at_its_end_is_saved_later(source, tmp_path, monkeypatch, file):
    fit(source, tmp_path / "whole")
    replace = os.replace

    def full(temporary, path):
        if path.name == file and (file == "model.safetensors" or (tmp_path / "run" / "model.safetensors").exists()):
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(temporary, path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(ArtifactError, match="No space left on device"):
            fit(source, tmp_path / "run")
    with pytest.raises(XhatError):
        xhat.load(tmp_path / "run")
    resume(tmp_path / "run")
    assert content(tmp_path / "run") == content(tmp_path / "whole")


def test_a_disk_that_fills_up_amid_a_run_leaves_the_checkpoint_before(source, tmp_path, monkeypatch):
    class Fill(Hook):
        def on_step(self, training):
            if training.step.done == tiny.STEPS + 1:
                monkeypatch.setattr(os, "fsync", full)

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    fit(source, tmp_path / "whole")
    with pytest.raises(ArtifactError, match=r"last\.safetensors: cannot be written"):
        fit(source, tmp_path / "run", hooks=[Fill()])
    assert names(tmp_path / "run" / "checkpoints") == {"last.safetensors"}
    monkeypatch.undo()
    resume(tmp_path / "run")
    assert content(tmp_path / "run") == content(tmp_path / "whole")


def test_metrics_that_cannot_be_written_stop_the_run_in_a_line(source, tmp_path):
    class Lose(Hook):
        def on_step(self, training):
            if training.step.done == 1:
                (tmp_path / "run" / "metrics.jsonl").unlink()
                (tmp_path / "run" / "metrics.jsonl").mkdir()

    with pytest.raises(ArtifactError, match=r"metrics.jsonl: cannot be written \(Is a directory\)\. Free the disk"):
        fit(source, tmp_path / "run", hooks=[Lose()])


# What cannot be continued


@pytest.fixture
def begun(source, tmp_path):
    fit(source, tmp_path / "run", hooks=[tiny.CtrlC(3)])
    return tmp_path / "run"


def refused(path, error=XhatError, **options) -> str:
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    with pytest.raises(error) as caught:
        resume(path, **options)
    assert "\n" not in str(caught.value)
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before
    return str(caught.value)


def test_a_finished_run(source, tmp_path):
    fit(source, tmp_path / "run")
    assert refused(tmp_path / "run").startswith(f"{tmp_path}/run: has finished, there is nothing to continue. Use it")


def test_no_run(tmp_path):
    assert "there is no run folder" in refused(tmp_path / "none", MissingFileError)
    assert "config.json: is missing" in refused(tmp_path, MissingFileError)


def test_a_run_without_its_checkpoint(begun):
    (begun / "checkpoints" / "last.safetensors").unlink()
    assert "is missing, so there is nothing to continue from" in refused(begun, MissingFileError)


def test_a_truncated_checkpoint(begun):
    path = begun / "checkpoints" / "last.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    assert "is no whole checkpoint" in refused(begun, ArtifactError)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            '"hidden": [\n          16\n        ]',
            '"hidden": [\n          17\n        ]',
            "the checkpoint does not fit config.json",
        ),
        ('"how": "unit"', '"how": "global"', "the checkpoint does not fit config.json"),
        ('"fingerprint":', '"print":', "lacks origin.fingerprint"),
        ('"epochs": 2', '"epochs": "two"', "epochs must be a whole number"),
        ('"lr":', '"rate":', "fit: has no setting 'rate'"),
        ("objectives/reconstruction", "objectives/adversarial", "missing a required argument: 'critic'"),
    ],
)
def test_an_edited_configuration(begun, old, new, says):
    text = (begun / "config.json").read_text()
    assert old in text
    (begun / "config.json").write_text(text.replace(old, new))
    assert says in refused(begun)


def test_data_that_changed(begun, source):
    np.save(source, 16 - tiny.rows())
    assert "can only be continued on the data that it began with. Restore the data." in refused(begun, ArtifactError)
    np.save(source, tiny.rows()[:150])
    assert "can only be continued on the data that it began with" in refused(begun, ArtifactError)
    np.save(source, tiny.rows()[:, 1:])
    assert "the model reads rows of (1, 8, 8)" in refused(begun, DataError)
    source.unlink()
    assert "there is no" in refused(begun, MissingFileError)


def test_data_that_moved_is_given(begun, source, tmp_path):
    fit(source, tmp_path / "whole")
    source.rename(tmp_path / "moved.npy")
    resume(begun, data=tmp_path / "moved.npy")
    assert content(begun)["weights"] == content(tmp_path / "whole")["weights"]


def test_data_that_had_no_path_is_given_again(tmp_path):
    tiny.fit(out=tmp_path / "run", hooks=[tiny.CtrlC(3)])
    tiny.fit(out=tmp_path / "whole")
    assert f"{tmp_path}/run: was fitted to an array. Give it again, as data=." in refused(tmp_path / "run", ConfigError)
    for again in (tiny.rows(), tiny.data()):
        shutil.rmtree(tmp_path / "run")
        tiny.fit(out=tmp_path / "run", hooks=[tiny.CtrlC(3)])
        assert resume(tmp_path / "run", data=again).summary["status"] == "finished"
        assert content(tmp_path / "run")["weights"] == content(tmp_path / "whole")["weights"]
