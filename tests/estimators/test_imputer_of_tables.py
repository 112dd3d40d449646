"""Gaps of frames that hold categories: filled in their types, by what the other columns say."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer

from xhat.core.errors import ConfigError, DataError
from xhat.data.open import open as open_data
from xhat.estimators.imputer import Imputer
from xhat.runs.fit import fit

# 60 large steps: with any of the seeds 0 to 2 each assertion below holds.
QUICK = {"n_components": 2, "hidden": (16,), "max_iter": 20, "batch_size": 64, "learning_rate": 0.03, "k": 3}
QUICK |= {"draws": 50, "random_state": 0, "device": "cpu"}
N = 160


def people():
    """Two kinds of rows, which every column but the last tells apart."""
    random = np.random.default_rng(0)
    kind = random.integers(0, 2, N)
    return pd.DataFrame(
        {
            "name": np.array(["red", "blue"])[kind],
            "size": pd.Categorical(np.array(["S", "L"])[kind], categories=["S", "M", "L"], ordered=True),
            "own": kind.astype(bool),
            "count": pd.array(10 * kind + random.integers(0, 3, N), dtype="Int64"),
            "value": (4.0 * kind + 0.1 * random.normal(size=N)).astype("float32"),
            "free": random.normal(size=N),
        },
        index=np.arange(N) + 5,
    )


WHOLE = people()
GAPS = WHOLE.mask(np.random.default_rng(1).random(WHOLE.shape) < 0.25)
SEEN = GAPS.notna()


@pytest.fixture(scope="module")
def imputer():
    return Imputer(add_indicator=True, **QUICK).fit(GAPS)


@pytest.fixture(scope="module")
def filled(imputer):
    return imputer.transform(GAPS)


def test_frames_come_back_in_their_types_and_what_was_observed_bit_for_bit(filled):
    before = GAPS.copy()
    frame = filled[list(GAPS)]
    assert frame.dtypes.equals(GAPS.dtypes)
    assert frame.index.equals(GAPS.index)
    assert not frame.isna().any(axis=None)
    pd.testing.assert_frame_equal(frame.where(SEEN), GAPS, check_exact=True)
    pd.testing.assert_frame_equal(before, GAPS)


def test_gaps_get_what_the_other_columns_say(filled):
    told = SEEN[["name", "size", "own", "count", "value"]].sum(axis=1) >= 2
    for name in ("name", "size", "own"):
        hidden = ~SEEN[name] & told
        assert (filled[name] == WHOLE[name])[hidden].mean() > 0.95
        usual = GAPS[name].mode()[0]
        assert (WHOLE[name] == usual)[hidden].mean() < 0.8  # the most frequent class would be wrong
    for name in ("count", "value"):
        hidden = ~SEEN[name] & told
        off = (filled[name].astype(float) - WHOLE[name].astype(float))[hidden]
        assert off.std() < 0.3 * WHOLE[name].astype(float).std()


def test_draws_are_frames_that_differ_in_gaps_alone(imputer):
    draws = imputer.impute_draws(GAPS, 4, random_state=0)
    assert len(draws) == 4
    for draw in draws:
        assert draw[list(GAPS)].dtypes.equals(GAPS.dtypes)
        pd.testing.assert_frame_equal(draw[list(GAPS)].where(SEEN), GAPS, check_exact=True)
    free = np.stack([draw["free"] for draw in draws])
    assert (np.ptp(free, axis=0)[~SEEN["free"]] > 0).all()
    assert free.min() >= GAPS["free"].min()  # within what was seen
    assert free.max() <= GAPS["free"].max()
    again = imputer.impute_draws(GAPS, 4, random_state=0)
    pd.testing.assert_frame_equal(draws[3], again[3])


def test_draws_of_a_category_that_nothing_tells_are_as_frequent_as_it_is(imputer):
    nothing = GAPS.mask(np.ones(GAPS.shape, dtype=bool))
    drawn = pd.concat(imputer.impute_draws(nothing, 2, random_state=0))["name"]
    assert (drawn == "red").mean() == pytest.approx((GAPS["name"] == "red").sum() / SEEN["name"].sum(), abs=0.2)


def test_the_indicator_stands_beside_the_columns_as_with_numbers(imputer, filled):
    theirs = SimpleImputer(add_indicator=True).fit(np.where(SEEN, 1.0, np.nan))
    marks = filled.iloc[:, len(GAPS.columns) :]
    np.testing.assert_array_equal(marks, theirs.transform(np.where(SEEN, 1.0, np.nan))[:, len(GAPS.columns) :])
    assert list(filled) == list(imputer.get_feature_names_out())
    assert list(filled)[-1] == "missingindicator_free"


def test_it_comes_back_from_the_disk_and_from_a_pickle(imputer, filled, tmp_path):
    loaded = Imputer.load(imputer.save(tmp_path / "run")).set_params(draws=50)
    for other in (loaded, pickle.loads(pickle.dumps(imputer))):
        pd.testing.assert_frame_equal(other.transform(GAPS), filled)
        assert list(other.get_feature_names_out()) == list(imputer.get_feature_names_out())


def test_it_loads_a_run_of_a_table(tmp_path):
    fit(open_data(GAPS, missing=True), "miwae", latent=2, epochs=1, out=tmp_path / "run")
    frame = Imputer.load(tmp_path / "run").set_params(draws=5).transform(GAPS)
    assert frame.dtypes.equals(GAPS.dtypes)


def test_a_column_without_a_value_is_left_out_or_filled_with_0():
    few = GAPS[["name", "value"]].assign(none=np.nan)
    with pytest.warns(UserWarning, match=r"Skipping features without any observed values: \[2\]"):
        dropped = Imputer(**QUICK | {"max_iter": 1}).fit(few)
    assert list(dropped.transform(few)) == list(dropped.get_feature_names_out()) == ["name", "value"]
    kept = Imputer(keep_empty_features=True, **QUICK | {"max_iter": 1})
    assert (kept.fit_transform(few)["none"] == 0).all()
    few["none"] = pd.Series(dtype="category")
    with pytest.raises(DataError, match="puts 0 where a feature has no value, which column 'none' cannot hold"):
        kept.fit(few)


def test_a_frame_of_numbers_stays_an_array():
    numbers = GAPS[["value", "free"]].astype(object)  # as a frame of some other origin may hold them
    assert isinstance(Imputer(**QUICK | {"max_iter": 1}).fit_transform(numbers), np.ndarray)


def test_types_of_a_later_frame_are_its_own(imputer):
    later = GAPS.astype({"size": object, "count": float}).assign(value=GAPS["value"].astype(float))
    frame = imputer.transform(later)[list(GAPS)]
    assert frame.dtypes.equals(later.dtypes)
    # One whose categories are fewer gets those of the model where they are likelier.
    large = GAPS.loc[GAPS["size"] == "L"].iloc[:1].astype({"size": str}).astype({"size": "category"})
    with_gap = pd.concat([large, large]).assign(size=pd.Categorical([None, "L"], ["L"]), name="red", own=False)
    assert imputer.transform(with_gap.assign(count=0, value=0.0))["size"].tolist() == ["S", "L"]


@pytest.mark.parametrize(
    ("spoil", "kind", "says"),
    [
        (lambda x: x.assign(name="green"), DataError, "column 'name' must hold one of blue, red, got 'green' in row 0"),
        (lambda x: x[list(x)[::-1]], ValueError, "must be in the same order as they were in fit"),
        (lambda x: x.drop(columns="own"), ValueError, "seen at fit time, yet now missing:\n- own"),
        (lambda x: x.assign(more=1), ValueError, "unseen at fit time:\n- more"),
        (lambda x: x.to_numpy(), ConfigError, "Imputer: was fitted to a frame with categories, got an array"),
        (lambda x: x.assign(free=np.inf), DataError, "every value must be finite, got inf in row 0, column 'free'"),
    ],
)
def test_what_it_refuses_to_fill(imputer, spoil, kind, says):
    with pytest.raises(kind, match=says):
        imputer.transform(spoil(GAPS))


def test_what_it_refuses_to_learn_from():
    with pytest.raises(
        ConfigError, match=r"init=factors: needs .* got MLPEncoder, Gaussian, Mixed\. Use init='random'"
    ):
        Imputer(**QUICK | {"init": "factors"}).fit(GAPS)
    with pytest.raises(DataError, match="column 'name' must hold numbers or categories that repeat"):
        Imputer(**QUICK).fit(GAPS.assign(name=[f"row {i}" for i in range(N)]))
