"""Writing a report: where it goes, and what is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_runs import made

from xhat.core.errors import ArtifactError, ConfigError, MissingFileError
from xhat.data.open import open as open_data
from xhat.engine.history import History
from xhat.report.write import report, widths
from xhat.runs.fit import fit

TINY = {"overrides": {"net.hidden": [8]}, "epochs": 1, "batch_size": 16, "latent": 2}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    rows = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
    np.save(tmp_path / "rows.npy", rows)
    fit(tmp_path / "rows.npy", out=tmp_path / "run", **TINY)
    return tmp_path / "run"


def test_a_run_folder_needs_nothing_else(saved: Path) -> None:
    path = report(saved)
    assert path == saved / "report.html"
    text = path.read_text()
    assert "Environment" in text
    assert f"--model {saved}" in text


def test_a_model_in_memory_needs_a_file_to_write(tmp_path: Path) -> None:
    fitted, data = made("gray")
    with pytest.raises(ConfigError, match="Give out="):
        report(fitted, data)
    assert report(fitted, data, tmp_path / "page.html").is_file()


def test_data_of_an_array_must_be_given_again(tmp_path: Path) -> None:
    fitted, data = made("gray")
    with pytest.raises(ConfigError, match=r"was fitted to an array. Give it again, as data="):
        report(fitted, out=tmp_path / "page.html")
    assert report(fitted, data.x[:, 0].numpy(), tmp_path / "page.html").is_file()


def test_other_data_is_refused_and_the_folder_left_as_it_was(saved: Path) -> None:
    before = {path.name for path in saved.iterdir()}
    with pytest.raises(ArtifactError, match=r"on the data that it began with. Restore the data"):
        report(saved, np.arange(200.0).reshape(40, 5))
    with pytest.raises(MissingFileError):
        report(saved, "nowhere.npy")
    assert {path.name for path in saved.iterdir()} == before


def test_a_failure_leaves_the_report_that_was_there(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report(saved).write_text("old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(ArtifactError, match="No space left"):
        report(saved)
    assert (saved / "report.html").read_text() == "old"
    assert not list(saved.glob(".report*"))


def test_a_folder_of_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        report(tmp_path / "none")


def test_a_run_that_was_not_measured_is_refused(tmp_path: Path) -> None:
    fitted, data = made("gray")
    interrupted = replace(fitted, summary={"status": "interrupted", "epochs": 1})
    with pytest.raises(ArtifactError, match="the model was never measured"):
        report(interrupted, data, tmp_path / "page.html")
    assert not list(tmp_path.iterdir())


def test_a_run_without_metrics_says_so(tmp_path: Path) -> None:
    fitted, data = made("gray")
    forgetful = replace(fitted, history=History())
    assert "metrics were not kept" in report(forgetful, data, tmp_path / "page.html").read_text()


def test_three_rows_are_enough(tmp_path: Path) -> None:
    data = open_data(np.array([[0.0, 1, 2], [3, 4, 6], [1, 0, 1]]))
    fitted = fit(data, overrides={"net.hidden": [4]}, epochs=1, latent=1)
    assert "too few to be drawn" in report(fitted, data, tmp_path / "page.html").read_text()


def test_figures_stand_in_pairs_where_they_can() -> None:
    assert widths([True, False, False, False, True]) == ["wide", "half", "half", "alone", "wide"]
    assert widths([False, True, False]) == ["alone", "wide", "alone"]
