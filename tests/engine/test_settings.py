import json

import numpy as np
import pytest
import torch

from xhat.core.errors import ConfigError
from xhat.engine import settings as module
from xhat.engine.settings import TrainSettings


@pytest.mark.parametrize(
    ("rows", "batch_size", "epochs"),
    [
        (2, 2, 300),  # no batch is larger than the data
        (100, 16, 300),  # 400 would be 2500 steps: no run has more than 300 epochs
        (1617, 64, 99),  # 2500 · 64 / 1617
        (5_400, 256, 119),
        (1_000_000, 256, 20),  # 1 would be 2500 steps: every run has 20 epochs
    ],
)
def test_what_is_left_open_is_chosen_by_the_number_of_rows(rows, batch_size, epochs):
    resolved = TrainSettings().resolved(rows)
    assert (resolved.batch_size, resolved.epochs) == (batch_size, epochs)
    assert resolved.patience == max(epochs // 3, 10)


def test_a_gpu_gets_larger_batches_of_large_data(monkeypatch):
    monkeypatch.setattr(module, "pick_device", lambda name: torch.device("cuda"))
    assert TrainSettings().resolved(5_400).batch_size == 256
    assert TrainSettings().resolved(1_000_000).batch_size == 1024


def test_what_is_given_is_kept():
    resolved = TrainSettings(epochs=3, batch_size=7, patience=2, lr=1e-4).resolved(1000)
    assert (resolved.epochs, resolved.batch_size, resolved.patience, resolved.lr) == (3, 7, 2, 1e-4)
    assert resolved.resolved(1000) == resolved


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"epochs": 0}, "fit: epochs must be >= 1, got 0. Leave it out to have it chosen."),
        ({"batch_size": -1}, "fit: batch_size must be >= 1, got -1."),
        ({"patience": 0}, "fit: patience must be >= 1, got 0."),
        ({"lr": 0}, "fit: lr must be > 0, got 0.0. 2e-3 suits most data."),
        ({"lr": float("nan")}, "fit: lr must be > 0, got nan."),
        ({"weight_decay": -1e-3}, "fit: weight_decay must be >= 0, got -0.001. Use 0 for none."),
        ({"clip": -1}, "fit: clip must be >= 0, got -1.0. Use 0 for none."),
        ({"epochs": "ten"}, "fit: epochs must be a whole number, got 'ten'."),
        ({"epochs": 2.5}, "fit: epochs must be a whole number, got 2.5."),
        ({"lr": "fast"}, "fit: lr must be a number, got 'fast'."),
        ({"lr": None}, "fit: lr must be a number, got None."),
        ({"seed": "a"}, "fit: seed must be a whole number, got 'a'."),
    ],
)
def test_bad_settings_are_refused_in_one_line(setting, message):
    with pytest.raises(ConfigError) as error:
        TrainSettings(**setting)
    assert str(error.value).startswith(message)


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(ConfigError, match=r"batch_size must be at most the number of training rows, 180, got 181\."):
        TrainSettings(batch_size=181).resolved(180)
    assert TrainSettings(batch_size=180).resolved(180).batch_size == 180


def test_numbers_of_numpy_become_pythons_own_and_go_into_json():
    settings = TrainSettings(epochs=np.int64(3), seed=np.int32(7), lr=np.float32(0.5))
    assert json.loads(json.dumps(settings.to_dict())) == TrainSettings(epochs=3, seed=7, lr=0.5).to_dict()
