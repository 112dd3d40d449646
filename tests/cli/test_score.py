"""``score``: rows in, how abnormal they are out."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score

import xhat
from xhat.cli import score
from xhat.estimators.detector import Detector
from xhat.metrics.abnormality.reconstruction import Reconstruction

X, Y = load_breast_cancer(return_X_y=True)
NAMES = [f"f{i}" for i in range(6)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Benign rows to learn from, others with their classes, and a run and a detector of the former."""
    folder = tmp_path_factory.mktemp("score")
    benign = X[Y == 1][:, :6]
    pd.DataFrame(benign[:150], columns=NAMES).to_csv(folder / "normal.csv", index=False)
    rows = pd.DataFrame(np.r_[benign[150:], X[Y == 0][:, :6]], columns=NAMES)
    rows["ill"] = np.repeat([0, 1], [len(benign) - 150, (Y == 0).sum()])
    rows.to_csv(folder / "rows.csv", index=False)
    rows.assign(ill=np.where(rows.ill, "yes", "no")).to_csv(folder / "named.csv", index=False)
    normal = xhat.data.open(folder / "normal.csv")
    short = {"epochs": 2, "overrides": {"net.hidden": (8,)}, "device": "cpu"}
    xhat.fit(str(folder / "normal.csv"), "dae", latent=6, out=folder / "run", **short)
    xhat.fit(normal, "dae", latent=6, out=folder / "array", **short)
    Detector(hidden=(8,), max_iter=2, random_state=0).fit(pd.read_csv(folder / "normal.csv")).save(folder / "detector")
    return folder


def test_a_table_names_the_rows_and_the_area_under_the_curve_is_scikit_learns(xhat_, folder):
    done = xhat_(f"score {folder}/rows.csv --labels ill --model {folder}/run --out scores.csv")
    assert (done.status, done.err) == (0, "")
    model, rows = xhat.load(folder / "run"), pd.read_csv(folder / "rows.csv")
    scores = Reconstruction().score(model.double, xhat.data.open(rows[NAMES])).numpy()
    written = pd.read_csv("scores.csv")
    assert list(written) == ["reconstruction", *(f"part {name}" for name in NAMES)]
    np.testing.assert_allclose(written.reconstruction, scores, rtol=1e-9)
    np.testing.assert_allclose(written.iloc[:, 1:].sum(axis=1), scores, rtol=1e-9)
    assert f"AUROC {roc_auc_score(rows.ill, scores):.4f}" in done.out
    assert f"{rows.ill.sum()} of {len(rows)} rows are abnormal" in done.out
    worst = written.iloc[scores.argmax(), 1:].astype(float).idxmax().removeprefix("part ")
    first = done.out.splitlines()[1].split()
    assert first[0] == str(scores.argmax())
    assert first[2] == worst


@pytest.mark.parametrize("method", ["neighbours", "mahalanobis"])
def test_distances_are_to_the_rows_that_the_run_learned_from(xhat_, folder, method):
    words = f"score {folder}/rows.csv --labels ill --method {method} --model"
    own = xhat_(f"{words} {folder}/run").out
    assert own == xhat_(f"{words} {folder}/run --like {folder}/normal.csv").out
    error = xhat_(f"{words} {folder}/array").error
    assert f"was fitted to an array, and {method} compares with it. Name a file of normal rows: --like" in error
    assert "AUROC" in xhat_(f"{words} {folder}/array --like {folder}/normal.csv").out


def test_a_detectors_folder_has_its_score_and_its_threshold(xhat_, folder):
    done = xhat_(f"score {folder}/rows.csv --labels ill --model {folder}/detector --out scores.parquet")
    rows, written = pd.read_csv(folder / "rows.csv"), pd.read_parquet("scores.parquet")
    detector = Detector.load(folder / "detector")
    np.testing.assert_allclose(written.neighbours, -detector.score_samples(rows[NAMES]), rtol=1e-9)
    np.testing.assert_array_equal(written.outlier, detector.predict(rows[NAMES]) == -1)
    assert f"{int(written.outlier.sum())} of {len(rows)} rows lie beyond the threshold" in done.out


def test_names_of_classes_need_the_normal_one(xhat_, folder):
    words = f"score {folder}/named.csv --labels ill --model {folder}/run"
    plain = xhat_(f"score {folder}/rows.csv --labels ill --model {folder}/run").out
    assert xhat_(f"{words} --normal no").out == plain
    assert xhat_(words).error == "--normal: must be one of no, yes, got '0'. Say which class is normal."


@pytest.mark.parametrize("empty", ["-1", "", "named"])
def test_rows_without_a_label_count_as_neither(xhat_, folder, empty):
    named = empty == "named"
    rows = pd.read_csv(folder / "rows.csv")
    scores = Reconstruction().score(xhat.load(folder / "run"), xhat.data.open(rows[NAMES])).numpy()
    truth, labels = rows.ill.copy(), rows.ill.map({0: "no", 1: "yes"} if named else {0: "0", 1: "1"})
    labels.iloc[::3] = "" if named else empty
    rows.assign(ill=labels).to_csv("some.csv", index=False)
    done = xhat_(f"score some.csv --labels ill {'--normal no' if named else ''} --model {folder}/run")
    there = np.arange(len(rows)) % 3 != 0
    assert f"AUROC {roc_auc_score(truth[there], scores[there]):.4f}" in done.out
    of = f"{truth[there].sum()} of {there.sum()} rows are abnormal · {(~there).sum()} without a label are left out"
    assert of in done.out


def test_labels_among_normal_rows_are_told(xhat_, folder):
    words = "--labels ill --method neighbours --model"
    for name in ("rows.csv", "named.csv"):
        normal = "--normal no" if name == "named.csv" else ""
        error = xhat_(f"score {folder}/{name} {normal} {words} {folder}/run --like {folder}/{name}").error
        assert error.startswith("--like: needs normal rows without labels, got the column 'ill' in ")
    error = xhat_(f"score {folder}/rows.csv {words} {folder}/run --like {folder}/none.csv").error
    assert "none.csv" in error
    assert "labels" not in error


def test_a_row_of_gaps_alone_gets_one_line(xhat_, folder):
    rows = pd.read_csv(folder / "rows.csv")[NAMES]
    rows.iloc[5] = np.nan
    rows.to_csv("gaps.csv", index=False)
    error = xhat_(f"score gaps.csv --missing --model {folder}/run").error
    assert error == "gaps: a row needs some observed value to be scored, got none in row 5. Leave such rows out."


def test_images_and_texts_are_scored_too(xhat_, run, digits):
    assert xhat_(f"score {digits} --model {run} --method likelihood --out scores.npy").status == 0
    assert np.load("scores.npy").shape == (200,)
    texts = xhat.data.open(np.random.default_rng(0).integers(0, 4, (40, 6)), kind="tokens")
    xhat.fit(texts, latent=2, out="texts", overrides={"net.hidden": 4}, epochs=1, device="cpu")
    np.save("tokens.npy", texts.x.numpy())
    assert "likelihood" in xhat_("score tokens.npy --model texts").out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("rows.csv --labels ill --normal 7", "--normal: must be one of 0, 1, got '7'"),
        ("normal.csv --normal 7", "--normal: needs --labels, got '7' alone. Name the column"),
        ("rows.csv --labels ill --like normal.csv", "--like: reconstruction compares with no rows, got 'normal.csv'"),
        ("rows.csv --labels f0", "--labels: must be classes, one a row"),
        ("rows.csv --method best", 'Invalid value "best" for --method'),
        ("rows.csv", "rows: the model reads rows of (6,); this data has rows of (7,)"),
        ("rows.csv --labels ill --out scores.txt", "--out: must end in"),
    ],
)
def test_bad_input_gets_one_line(xhat_, folder, monkeypatch, words, says):
    monkeypatch.chdir(folder)
    assert xhat_(f"score {words} --model run").error.startswith(says)


def test_one_class_has_no_curve(xhat_, folder):
    rows = pd.read_csv(folder / "rows.csv")
    rows[rows.ill == 0].to_csv("healthy.csv", index=False)
    error = xhat_(f"score healthy.csv --labels ill --model {folder}/run").error
    assert error.startswith("--labels: needs normal and abnormal rows, got only 0.")


def test_large_rows_that_are_streamed_are_written_a_few_at_a_time(xhat_, folder, monkeypatch):
    rows = np.tile(pd.read_csv(folder / "rows.csv")[NAMES], (70, 1))  # 1.4 MB
    np.save("rows.npy", rows)
    monkeypatch.setattr("xhat.data.memory.TOGETHER", 1000 * 8 * (6 + 1 + 6))  # a row, its score and its parts
    lengths, table = [], score._table
    monkeypatch.setattr(score, "_table", lambda *given: lengths.append(len(given[0])) or table(*given))
    assert xhat_(f"score rows.npy --memory 1MB --model {folder}/run --out scores.parquet").status == 0
    assert max(lengths) == 1000
    assert len(pd.read_parquet("scores.parquet")) == sum(lengths) == len(rows)
