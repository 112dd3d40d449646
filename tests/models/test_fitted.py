import numpy as np
import pandas as pd
import pytest
import tiny
import torch

import xhat
from xhat.core.errors import ConfigError, DataError, ShapeError
from xhat.models import fitted as verbs

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(RNG.normal(5, 2, (80, 3)).astype(np.float32), columns=["a", "b", "c"])


@pytest.fixture(scope="module")
def digits():
    return tiny.fit("vae", epochs=1)


@pytest.fixture(scope="module")
def table():
    return xhat.fit(TABLE, latent=2, overrides=tiny.NARROW, **tiny.SHORT)


def images(layout: str) -> np.ndarray:
    colour = np.stack([tiny.rows() * s for s in (15, 9, 2)], -1).astype(np.uint8)  # (n, 8, 8, 3)
    return {"hw": tiny.rows(), "hwc": colour, "chw": np.moveaxis(colour, -1, 1), "hw1": tiny.rows()[..., None]}[layout]


def test_every_row_comes_back_in_its_place(digits):
    codes = digits.encode(tiny.rows())
    assert codes.shape == (200, 4)
    assert codes.dtype == np.float32
    order = RNG.permutation(200)
    np.testing.assert_allclose(digits.encode(tiny.rows()[order]), codes[order], atol=1e-5)


@pytest.mark.parametrize("kind", ["ae", "vae"])
@pytest.mark.parametrize("net", ["mlp", "conv", "linear"])
def test_a_row_has_the_same_code_in_any_company(kind, net):
    fitted = tiny.fit(kind, net=net, epochs=1, overrides=None)
    codes, copies = fitted.encode(tiny.rows()), fitted.reconstruct(tiny.rows())
    for rows in (slice(0, 1), slice(7, 8), slice(190, 200)):
        np.testing.assert_allclose(fitted.encode(tiny.rows()[rows]), codes[rows], atol=1e-5)
        np.testing.assert_allclose(fitted.reconstruct(tiny.rows()[rows]), copies[rows], atol=1e-4)


def test_more_rows_than_go_at_once_are_cut_without_a_seam(digits):
    many = np.concatenate([tiny.rows()] * 6)[:1030]  # 1024 and 6
    codes = digits.encode(many)
    assert codes.shape == (1030, 4)
    np.testing.assert_allclose(codes[1000:], digits.encode(tiny.rows())[:30], atol=1e-5)


def test_codes_and_copies_are_deterministic_and_without_gradients(digits):
    assert np.array_equal(digits.encode(tiny.rows()), digits.encode(tiny.rows()))
    assert np.array_equal(digits.reconstruct(tiny.rows()), digits.reconstruct(tiny.rows()))


def test_decoding_the_codes_is_the_reconstruction_in_the_datas_own_units(digits):
    copies = digits.reconstruct(tiny.rows())
    np.testing.assert_allclose(digits.decode(digits.encode(tiny.rows())), copies, atol=1e-4)
    assert copies.shape == (200, 8, 8)
    assert copies.max() > 2  # not in [0, 1], as the model sees them


def test_whatever_holds_the_rows_the_codes_are_the_same(table, tmp_path):
    codes = table.encode(TABLE)
    TABLE.to_csv(tmp_path / "rows.csv", index=False)
    TABLE.to_parquet(tmp_path / "rows.parquet")
    np.save(tmp_path / "rows.npy", TABLE.to_numpy())
    np.savez(tmp_path / "rows.npz", x=TABLE.to_numpy())
    paths = [tmp_path / f"rows.{suffix}" for suffix in ("csv", "parquet", "npy", "npz")]
    values = TABLE.to_numpy()
    for source in (*paths, str(paths[0]), values, torch.tensor(values), values.tolist(), xhat.data.open(TABLE)):
        np.testing.assert_allclose(table.encode(source), codes, atol=1e-5, err_msg=str(type(source)))


@pytest.mark.parametrize("layout", ["hw", "hwc", "chw", "hw1"])
def test_images_come_back_laid_out_as_they_came(layout):
    x = images(layout)
    fitted = xhat.fit(x, latent=4, overrides=tiny.NARROW, **tiny.SHORT | {"epochs": 8, "lr": 2e-2})
    for rows in (x, x[:1]):
        assert fitted.reconstruct(rows).shape == rows.shape
    assert fitted.decode(fitted.encode(x)).shape == x.shape
    assert fitted.sample(3).shape == (3, *x.shape[1:])
    near = np.abs(fitted.reconstruct(x) - x).mean()
    assert near < np.abs(np.flip(fitted.reconstruct(x), 0) - x).mean()  # its own copy, not another's


def test_images_come_back_as_they_came_though_the_model_learned_from_another_layout():
    fitted = xhat.fit(images("hwc"), latent=4, overrides=tiny.NARROW, **tiny.SHORT)
    np.testing.assert_array_equal(
        fitted.reconstruct(images("chw")), np.moveaxis(fitted.reconstruct(images("hwc")), -1, 1)
    )


def test_floats_are_read_as_the_kind_that_the_model_knows(digits):
    np.testing.assert_array_equal(digits.encode(tiny.rows().astype(np.float32)), digits.encode(tiny.rows()))


def test_rows_of_another_shape_are_refused_with_both_shapes(digits, table):
    with pytest.raises(DataError, match=r"the model reads rows of \(1, 8, 8\); this data has rows of \(1, 8, 7\)"):
        digits.encode(tiny.rows()[:, :, 1:])
    with pytest.raises(DataError, match=r"the model reads rows of \(3,\); this data has rows of \(4,\)"):
        table.reconstruct(np.ones((5, 4)))
    with pytest.raises(DataError, match=r"images have the shape .* got shape \(200, 64\)"):
        digits.encode(tiny.rows().reshape(200, 64))
    with pytest.raises(DataError, match="the model reads column 'a' at place 0; this data has 'c' there"):
        table.encode(TABLE[["c", "b", "a"]])


def test_codes_of_another_shape_are_refused_with_both_shapes(digits):
    for codes in (np.ones((2, 5)), np.ones(4), np.ones((0, 4))):
        with pytest.raises(ShapeError, match=r"decode: codes must be of shape \(n, 4\) with n >= 1, got \("):
            digits.decode(codes)


def test_samples_follow_their_seed_and_leave_no_trace(digits):
    before = torch.get_rng_state()
    assert np.array_equal(digits.sample(3, seed=1), digits.sample(3, seed=1))
    assert not np.array_equal(digits.sample(3, seed=1), digits.sample(3, seed=2))
    assert torch.equal(torch.get_rng_state(), before)
    with pytest.raises(ConfigError, match="n must be >= 1, got 0"):
        digits.sample(0)


def test_many_samples_are_decoded_in_parts(digits, monkeypatch):
    sizes, decode = [], digits.model.decode
    monkeypatch.setattr(
        digits.model, "decode", lambda z, *read, **told: sizes.append(len(z)) or decode(z, *read, **told)
    )
    few = digits.sample(verbs.ROWS, seed=1)
    many = digits.sample(2 * verbs.ROWS + 5, seed=1)
    assert sizes == [verbs.ROWS, verbs.ROWS, verbs.ROWS, 5]
    assert len(many) == 2 * verbs.ROWS + 5
    np.testing.assert_array_equal(many[: verbs.ROWS], few)
    assert not np.array_equal(many[verbs.ROWS : 2 * verbs.ROWS], few)


def test_samples_of_codes_that_training_did_not_shape_come_from_where_the_codes_lie():
    fitted = tiny.fit("ae", epochs=3)
    codes = fitted.encode(tiny.data().subset(tiny.plan().split.train))
    np.testing.assert_allclose(fitted.model.prior.mean.numpy(), codes.mean(0), atol=1e-4)
    covariance = (fitted.model.prior.factor @ fitted.model.prior.factor.T).numpy()
    np.testing.assert_allclose(covariance, np.cov(codes.T), rtol=1e-2, atol=1e-4)


def test_a_prior_that_training_shaped_stays(digits):
    assert not digits.model.prior.fitted


def gaps() -> np.ndarray:
    rows = TABLE.to_numpy().copy()
    rows[3, 1] = rows[9, 2] = np.nan
    return rows


def test_gaps_are_refused_by_a_model_that_never_saw_any(table):
    with pytest.raises(DataError, match="no value may be missing"):
        table.encode(gaps())


def test_a_model_that_was_fitted_with_gaps_fills_them():
    fitted = xhat.fit(xhat.data.open(gaps(), missing=True), latent=2, overrides=tiny.NARROW, **tiny.SHORT)
    assert np.isfinite(fitted.encode(gaps())).all()
    assert np.isfinite(fitted.reconstruct(gaps())).all()
    # A row without gaps has the same code whether or not another has one.
    np.testing.assert_allclose(fitted.encode(gaps()[10:12]), fitted.encode(TABLE.to_numpy())[10:12], atol=1e-5)
    assert fitted.encode(TABLE.to_numpy()).shape == (80, 2)
