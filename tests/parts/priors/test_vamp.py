import copy
import math

import pytest
import torch
from tiny import data, fit

import xhat
from xhat.core import Batch, GaussianCode, build, config
from xhat.core.errors import ConfigError
from xhat.models.autoencoder import Autoencoder
from xhat.models.recipes.vampvae import vampvae
from xhat.parts.bottlenecks.gaussian import Gaussian
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian as GaussianLikelihood
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.objectives.beta_elbo import BetaELBO
from xhat.parts.priors.vamp import Vamp


def made(k=5, bottleneck=Gaussian):
    bottle = bottleneck((3,))
    encoder = MLPEncoder((6,), bottle.in_shape, hidden=(8,))
    return Autoencoder(
        encoder, bottle, MLPDecoder((3,), (6,), hidden=(8,)), GaussianLikelihood(learned=True), Vamp((3,), (6,), k)
    )


def test_the_density_is_the_mean_of_the_posteriors():
    model, z = made(), torch.randn(7, 3)
    code = model.encode(model.prior.u)
    each = [GaussianCode(code.mean[i].expand(7, 3), code.log_var[i].expand(7, 3)).log_prob(z) for i in range(len(code))]
    torch.testing.assert_close(model.prior.log_prob(z), torch.logsumexp(torch.stack(each), 0) - math.log(5))


def test_parts_of_a_large_batch_give_the_same_density_and_gradients(monkeypatch):
    found = []
    for together in (2**20, 40):
        monkeypatch.setattr("xhat.parts.priors.vamp.TOGETHER", together)
        torch.manual_seed(1)
        model, z = made(), torch.randn(9, 3, requires_grad=True)
        model.prior.log_prob(z).sum().backward()
        found.append([z.grad, *[p.grad for p in (*model.encoder.parameters(), *model.prior.parameters())]])
    for whole, parts in zip(*found, strict=True):
        assert whole.any()
        torch.testing.assert_close(whole, parts)


def test_it_begins_with_rows_of_the_data():
    model, x = made(), torch.randn(40, 6)
    model.begin(Batch(x))
    assert (torch.cdist(model.prior.u, x).min(1).values < 1e-2).all()  # cdist's rounding
    assert len(model.prior.u.unique(dim=0)) == 5


def test_fewer_rows_than_pseudo_inputs_make_no_twins():
    model, x = made(), torch.randn(2, 6)
    model.begin(Batch(x))
    assert len(model.prior.u.unique(dim=0)) == 5
    assert (torch.cdist(model.prior.u, x).min(1).values < 0.2).all()


def test_the_bound_moves_the_pseudo_inputs():
    model = made()
    BetaELBO()(model, Batch(torch.randn(8, 6))).total.backward()
    assert (model.prior.u.grad != 0).any(1).all()


def test_a_copy_borrows_the_copys_encoder():
    model, z = made(), torch.randn(4, 3)
    twin = copy.deepcopy(model)
    before = model.prior.log_prob(z)
    assert torch.equal(twin.prior.log_prob(z), before)
    with torch.no_grad():
        for parameter in twin.encoder.parameters():
            parameter.add_(1.0)
    assert torch.equal(model.prior.log_prob(z), before)
    assert not torch.equal(twin.prior.log_prob(z), before)


def test_the_encoder_is_listed_once():
    model = made()
    assert list(model.prior.state_dict()) == ["u"]
    assert not list(model.prior.children())
    parts = sum(len(part.state_dict()) for part in (model.encoder, model.decoder, model.likelihood, model.prior))
    assert len(model.state_dict()) == parts


def test_draws_are_of_the_posteriors():
    model = made(k=1)
    code = model.encode(model.prior.u)
    z = model.prior.sample(20_000).detach()
    assert ((z.mean(0) - code.mean[0]).abs() < 5 * code.std[0] / 20_000**0.5).all()
    torch.testing.assert_close(z.std(0), code.std[0].detach(), rtol=0.03, atol=0)


def test_a_fit_moves_the_pseudo_inputs_alone():
    model, z = made(), torch.randn(100, 3)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    likely = model.prior.log_prob(z).mean()
    model.prior.fit(z)
    assert model.prior.log_prob(z).mean() > likely + 0.1
    moved = [name for name, value in model.state_dict().items() if not torch.equal(value, before[name])]
    assert moved == ["prior.u"]
    assert all(p.grad is None for p in model.parameters())


def test_a_saved_model_draws_the_same_rows(tmp_path):
    fitted = fit("vampvae", out=tmp_path / "run")
    loaded = xhat.load(tmp_path / "run")
    assert torch.equal(torch.from_numpy(fitted.sample(5)), torch.from_numpy(loaded.sample(5)))
    z = torch.randn(5, 4)
    with torch.no_grad():
        assert torch.equal(fitted.model.prior.log_prob(z), loaded.model.prior.log_prob(z))


def test_what_it_needs_is_said():
    with pytest.raises(ConfigError, match="has no encoder yet"):
        build(config(Vamp.example())).sample(1)
    with pytest.raises(ConfigError, match="is made of distributions of codes, got Code"):
        made(bottleneck=Plain).prior.sample(1)
    with pytest.raises(ConfigError, match="pseudo_inputs must be >= 1, got 0"):
        Vamp((3,), (6,), 0)
    with pytest.raises(ConfigError, match="learns rows, and these hold symbols"):
        vampvae((5,), vocabulary=4)


def test_more_pseudo_inputs_than_rows_can_be_asked_for():
    fitted = xhat.fit(data(), "vampvae", overrides={"prior.pseudo_inputs": 250, "net.hidden": [8]}, epochs=1, latent=2)
    assert fitted.model.prior.u.shape == (250, 1, 8, 8)
