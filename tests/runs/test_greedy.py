import pytest
import torch

import xhat
from xhat.core.errors import ConfigError
from xhat.data.open import open as open_data


@pytest.fixture(scope="module")
def digits():
    return open_data("digits").subset(torch.arange(400))


def start(fitted):
    return fitted.history.epochs[0].validation["distortion"]


def test_a_stack_trained_layer_by_layer_starts_ahead(digits):
    few = {"latent": 8, "epochs": 20, "patience": 1, "overrides": {"net.hidden": [64, 32]}}
    assert start(xhat.fit(digits, init="greedy", **few)) < start(xhat.fit(digits, init="random", **few)) - 1  # nats


def test_a_gaussian_code_layer_is_left_as_drawn(digits):
    assert xhat.fit(digits, "vae", latent=4, init="greedy", epochs=2).summary["epochs"] == 2


def test_other_nets_are_refused_before_anything_is_written(digits, tmp_path):
    with pytest.raises(ConfigError, match="init=greedy: needs nets/mlp"):
        xhat.fit(digits, net="linear", latent=4, init="greedy", epochs=1, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
