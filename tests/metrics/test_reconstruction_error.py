import numpy as np
import pytest
import tiny
import torch

import xhat
from xhat.metrics.reconstruction_error import mean_error, reconstruction_error

RNG = np.random.default_rng(0)


def test_it_is_the_mean_over_rows_and_elements_in_float64():
    x = RNG.normal(1000, 1, size=(1500, 3)).astype(np.float32)  # more rows than go at once, far from 0
    data, rows = xhat.data.open(x), torch.arange(3, 1500)
    error = mean_error(data, rows, lambda batch: batch.x + 0.1 * torch.sin(batch.x))
    copies = (data.x + 0.1 * torch.sin(data.x)).numpy()
    assert error == pytest.approx(((x[3:].astype(np.float64) - copies[3:]) ** 2).mean(), rel=1e-9)


def test_missing_entries_do_not_count():
    x = RNG.normal(size=(50, 4)).astype(np.float32)
    x[RNG.random(x.shape) < 0.3] = np.nan
    data = xhat.data.open(x, missing=True)
    error = mean_error(data, torch.arange(50), lambda batch: torch.full_like(batch.x, 0.5))
    assert error == pytest.approx(np.nanmean((x.astype(np.float64) - 0.5) ** 2), rel=1e-9)


def test_of_a_model_it_is_that_of_its_reconstructions_in_the_datas_own_units():
    fitted = tiny.fit(epochs=1)
    rows = torch.tensor([5, 3, 190])
    by_hand = ((tiny.rows()[rows] - fitted.reconstruct(tiny.rows())[rows].astype(np.float64)) ** 2).mean()
    assert reconstruction_error(fitted, tiny.data(), rows) == pytest.approx(by_hand, rel=1e-5)


def test_of_a_model_of_data_with_gaps_too():
    x = RNG.normal(5, 2, size=(60, 3)).astype(np.float32)
    x[RNG.random(x.shape) < 0.2] = np.nan
    data = xhat.data.open(x, missing=True)
    fitted = xhat.fit(data, latent=2, overrides=tiny.NARROW, **tiny.SHORT)
    by_hand = np.nanmean((x - fitted.reconstruct(data).astype(np.float64)) ** 2)
    assert reconstruction_error(fitted, data, torch.arange(60)) == pytest.approx(by_hand, rel=1e-5)
