import numpy as np
import pandas as pd
import pytest

import xhat
from xhat.estimators.imputer import Imputer


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 1)) @ rng.normal(size=(1, 4)) + 0.1 * rng.normal(size=(60, 4))
    frame = pd.DataFrame(np.where(rng.random(x.shape) < 0.2, np.nan, x), columns=list("abcd")).assign(a=x[:, 0])
    frame.to_csv(tmp_path / "table.csv", index=False)
    return pd.read_csv(tmp_path / "table.csv")


@pytest.fixture
def run(table, tmp_path):
    Imputer(1, hidden=(8,), max_iter=2, random_state=0).fit(table).save(tmp_path / "run")


def test_a_model_fills_a_table_and_says_where_gaps_were(xhat_, table, run):
    done = xhat_("impute table.csv --model run --out filled.csv")
    assert (done.status, done.err) == (0, "")
    count = int(table.isna().sum().sum())
    *listed, last = done.out.splitlines()
    assert last == f"{count} gaps of 240 values filled: filled.csv"
    assert [line.split()[:2] for line in listed[1:]] == [[c, str(table[c].isna().sum())] for c in "bcd"]
    filled = pd.read_csv("filled.csv")
    assert list(filled.columns) == list("abcd")
    seen = table.notna().to_numpy()
    assert np.array_equal(filled.to_numpy()[seen], table.to_numpy()[seen])
    np.testing.assert_allclose(filled, Imputer.load("run").transform(table), rtol=1e-3, atol=1e-3)


def test_whole_numbers_stay_whole_where_there_are_no_gaps(xhat_, table, tmp_path):
    frame = table.assign(n=range(2**53, 2**53 + 60))
    frame.to_csv("whole.csv", index=False)
    Imputer(1, hidden=(8,), max_iter=1, random_state=0).fit(frame).save(tmp_path / "run")
    for out in ("filled.csv", "filled.parquet"):
        assert xhat_(f"impute whole.csv --model run --out {out}").status == 0
    pd.testing.assert_series_equal(pd.read_csv("filled.csv").n, frame.n)
    pd.testing.assert_series_equal(pd.read_parquet("filled.parquet").n, frame.n)
    assert xhat_("impute whole.csv --model run --out drawn.csv --draws 2").status == 0
    assert pd.read_csv("drawn.csv").n.tolist() == 2 * frame.n.tolist()


def test_a_model_fills_its_own_table_with_a_column_of_gaps_alone(xhat_, table, tmp_path):
    empty = table.assign(c=np.nan)
    empty.to_csv("empty.csv", index=False)
    with pytest.warns(UserWarning, match="Skipping features"):
        imputer = Imputer(1, hidden=(8,), max_iter=2, random_state=0, draws=7).fit(empty)
    imputer.save(tmp_path / "run")
    done = xhat_("impute empty.csv --model run --out filled.csv")
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines()[0] == "left out, for the model saw no value there: c"
    filled = pd.read_csv("filled.csv")
    assert list(filled.columns) == list("abd")
    # By as many draws as the estimator's.
    np.testing.assert_allclose(filled, imputer.transform(empty), rtol=1e-4, atol=1e-4)
    other = imputer.set_params(draws=256).transform(empty)
    assert np.abs(filled.to_numpy() - other).max() > 1e-3
    empty[list("dbca")].to_csv("turned.csv", index=False)
    assert "the model reads column 'a' at place 0" in xhat_("impute turned.csv --model run --out f.csv").error


def test_without_a_model_it_fits_one(xhat_, table, monkeypatch):
    fit = Imputer.fit
    monkeypatch.setattr(Imputer, "fit", lambda self, X: fit(self.set_params(hidden=(8,), max_iter=2), X))
    assert xhat_("impute table.csv --out filled.parquet").status == 0
    assert pd.read_parquet("filled.parquet").notna().all(axis=None)


@pytest.mark.parametrize("suffix", ["csv", "npy"])
def test_draws_stand_one_under_the_other(xhat_, table, run, suffix):
    assert xhat_(f"impute table.csv --model run --out drawn.{suffix} --draws 3").out.endswith(
        f"3 times: drawn.{suffix}\n"
    )
    if suffix == "npy":
        copies = np.load("drawn.npy")
        assert copies.shape == (3, 60, 4)
    else:
        frame = pd.read_csv("drawn.csv")
        assert list(frame.columns) == ["draw", *"abcd"]
        copies = frame.set_index("draw").to_numpy().reshape(3, 60, 4)
    gaps = table.isna().to_numpy()
    assert (np.ptp(copies, axis=0)[gaps] > 0).all()
    assert (np.ptp(copies, axis=0)[~gaps] == 0).all()


def test_a_table_without_gaps_stays_as_it_is(xhat_, table, run):
    table.fillna(0.5).to_csv("whole.csv", index=False)
    assert xhat_("impute whole.csv --model run --out filled.csv").out == "0 gaps of 240 values filled: filled.csv\n"
    pd.testing.assert_frame_equal(pd.read_csv("filled.csv"), table.fillna(0.5))


def test_what_it_refuses(xhat_, table, run, tmp_path):
    assert xhat_("impute table.csv --model run --out f.csv --draws 0").error.startswith("--draws: must be >= 1, got 0.")
    assert "must end in" in xhat_("impute table.csv --model run --out f.txt").error
    assert "there is no 'lost.csv'" in xhat_("impute lost.csv --out f.csv").error
    np.save("images.npy", np.zeros((5, 8, 8), np.uint8) + np.arange(5, dtype=np.uint8)[:, None, None])
    assert "without --model fills tables, got image" in xhat_("impute images.npy --out f.npy").error
    xhat.fit(xhat.data.open(table, missing=True), "ae", latent=1, epochs=1, out=tmp_path / "ae")
    assert "needs codes that are distributions" in xhat_("impute table.csv --model ae --out f.csv").error
    assert not (tmp_path / "f.csv").exists()


@pytest.fixture
def mixed(tmp_path):
    """Two kinds of rows, some of whose names are gaps; the code is a number that 32 bits do not hold."""
    rng = np.random.default_rng(0)
    c = rng.integers(0, 2, 160)
    whole = pd.DataFrame({"name": np.array(["red", "blue"])[c], "v": 4.0 * c + 0.1 * rng.normal(size=160)})
    whole["code"] = 123456789 + c
    whole.assign(name=whole.name.mask(rng.random(160) < 0.3, "?")).to_csv(tmp_path / "mixed.csv", index=False)
    return whole


FEW = {"n_components": 2, "hidden": (16,), "max_iter": 20, "batch_size": 64, "learning_rate": 0.03, "k": 3}


def test_categories_are_filled_by_the_likeliest(xhat_, mixed, monkeypatch, tmp_path):
    fit = Imputer.fit
    monkeypatch.setattr(Imputer, "fit", lambda self, X: fit(self.set_params(**FEW), X))
    gaps = pd.read_csv("mixed.csv", na_values="?")
    listed = xhat_("impute mixed.csv --out filled.csv").out.splitlines()
    assert listed[1].split()[:2] == ["name", str(gaps.name.isna().sum())]
    filled = pd.read_csv("filled.csv")
    assert (filled.name == mixed.name).mean() > 0.95
    pd.testing.assert_frame_equal(filled[["v", "code"]], mixed[["v", "code"]], check_exact=True)
    # The same by a model of Python, and by columns in another order.
    Imputer(random_state=0).fit(gaps).save("run")
    gaps[["code", "v", "name"]].to_parquet("turned.parquet")
    assert xhat_("impute turned.parquet --model run --out turned.csv").status == 0
    pd.testing.assert_frame_equal(pd.read_csv("turned.csv"), filled, check_exact=True)
    assert xhat_("impute mixed.csv --model run --draws 2 --out drawn.parquet").status == 0
    drawn = pd.read_parquet("drawn.parquet")
    assert drawn.shape == (320, 4)
    assert drawn.notna().all(axis=None)


def test_what_a_models_columns_do_not_hold_is_refused_in_one_line(xhat_, mixed, table, run):
    Imputer(**FEW | {"max_iter": 1}).fit(mixed).save("tables")
    mixed.assign(name=mixed.name.where(mixed.v > 1, "green")).to_csv("other.csv", index=False)
    mixed.drop(columns="v").to_csv("less.csv", index=False)
    assert "column 'name' must hold one of blue, red" in xhat_("impute other.csv --model tables --out f.csv").error
    assert "has no column 'v', which the model reads" in xhat_("impute less.csv --model tables --out f.csv").error
    assert "must end in .parquet, .csv" in xhat_("impute mixed.csv --model tables --out f.npy").error
    # A model of numbers knows them by their order.
    table[list("bacd")].to_csv("turned.csv", index=False)
    assert "the model reads column 'a' at place 0" in xhat_("impute turned.csv --model run --out f.csv").error
