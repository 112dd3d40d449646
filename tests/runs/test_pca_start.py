import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

import xhat
from xhat.core.errors import ConfigError
from xhat.data.open import open as open_data
from xhat.runs.plan import make_plan

STILL = {"epochs": 1, "lr": 1e-30}


@pytest.fixture(scope="module")
def digits():
    return open_data("digits").subset(torch.arange(400))


@pytest.mark.parametrize("scale", ["unit", "global"])
def test_step_zero_is_pca(digits, scale):
    summary = xhat.fit(digits, latent=5, init="pca", scale=scale, **STILL).summary
    assert summary["error.model"] == pytest.approx(summary["error.pca"], rel=1e-5)


@pytest.mark.parametrize("net", ["conv", "resnet", "patch"])
def test_any_net_can_have_the_path(digits, net):
    summary = xhat.fit(digits, latent=5, init="pca", net=net, **STILL).summary
    assert summary["error.model"] == pytest.approx(summary["error.pca"], rel=1e-5)


def test_validation_never_ends_above_pca(digits):
    # A learning rate at which training only does harm: what is returned is then PCA itself.
    fitted = xhat.fit(digits, latent=5, init="pca", epochs=3, lr=5.0, clip=0)
    assert fitted.summary["error.model"] <= fitted.summary["error.pca"] * (1 + 1e-5)


def test_more_code_than_axes_starts_with_idle_dimensions():
    rows = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    fitted = xhat.fit(rows, latent=5, init="pca", **STILL)
    assert fitted.summary["error.model"] == pytest.approx(0, abs=1e-8)
    assert fitted.summary["active"] == 3


def test_a_vae_starts_at_probabilistic_pca(digits):
    fitted = xhat.fit(digits, "vae", latent=5, init="pca", **STILL)
    split = digits.split(seed=0)
    train, held = (fitted.scaling(digits.batch(rows).x).flatten(1).double() for rows in (split.train, split.validation))
    # The posterior is exact, so that the bound is the evidence: here up to one draw for each validation row.
    evidence = PCA(5).fit(train.numpy()).score(held.numpy())
    bound = -sum(fitted.history.epochs[0].validation.values())
    assert bound == pytest.approx(evidence, abs=1.0)
    assert evidence > 10  # nats: the comparison is not between two small numbers


def test_the_distortion_before_training_is_pcas_in_its_own_noise():
    rows = np.random.default_rng(0).normal(size=(300, 5)) @ np.diag([9, 4, 1, 0.5, 0.1])
    plan = make_plan(open_data(rows), latent=2)
    x = plan.scaling(plan.data.x[plan.split.train]).double().numpy()
    pca = PCA(2).fit(x)
    left = pca.inverse_transform(pca.transform(x)) - x
    assert plan.recipe.model.likelihood.scale**2 == pytest.approx(np.mean(left**2), rel=5e-3)
    np.testing.assert_allclose(plan.pca.left(2), left.var(0, ddof=1), atol=1e-6 * plan.pca.total)


def test_a_spatial_code_has_no_place_for_the_path(digits):
    with pytest.raises(ConfigError, match="init=pca: needs a flat code"):
        xhat.fit(digits, net="conv", code="spatial", latent=2, init="pca")
