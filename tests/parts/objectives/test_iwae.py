import gc
import math
import weakref

import linear_gaussian
import pytest
import torch
from exercise_models import variational_model

from xhat.core import Batch, GaussianCode
from xhat.core.errors import ConfigError
from xhat.models.autoencoder import Autoencoder
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.objectives.iwae import IWAE


@pytest.fixture
def model():
    return linear_gaussian.wrong_model()


def bound(model, x, k, seed=0):
    torch.manual_seed(seed)
    return -IWAE(k)(model, Batch(x)).terms["bound"].detach()


def gradient(objective, model, x, seed):
    """The encoder's and the decoder's, each as one vector."""
    model.zero_grad()
    torch.manual_seed(seed)
    objective(model, Batch(x)).total.backward()
    return [
        torch.cat([p.grad.flatten() for p in part.parameters()])
        for part in (model.encoder, torch.nn.ModuleList([model.decoder, model.likelihood]))
    ]


def test_one_draw_gives_the_evidence_lower_bound_at_that_draw(model):
    x = linear_gaussian.rows(7)
    torch.manual_seed(3)
    code = model.encode(x)
    z = code.rsample()
    elbo = model.decode(z).log_prob(x) + model.prior.log_prob(z) - code.log_prob(z)
    torch.testing.assert_close(bound(model, x, 1, seed=3), elbo)


def test_its_mean_over_draws_is_the_bound_with_the_kl_in_closed_form(model):
    x = linear_gaussian.rows(1)
    code = model.encode(x)
    draws = bound(model, x.expand(100_000, -1), 1)
    W, shift = model.decoder.map.weight, model.decoder.map(code.mean) - x
    # E|x - W z - m|² = |x - W μ - m|² + Σ_j σ_j² |W_j|²
    squares = (shift**2).sum() + ((W**2).sum(0) * code.std**2).sum()
    noise = linear_gaussian.NOISE
    distortion = squares / (2 * noise**2) + linear_gaussian.D * math.log(noise * math.sqrt(2 * math.pi))
    expected = float((-distortion - code.kl(model.prior)).detach())
    assert abs(float(draws.mean()) - expected) < 4 * float(draws.std()) / len(draws) ** 0.5


def test_the_bound_rises_with_k_and_stays_below_the_evidence(model):
    x = linear_gaussian.rows(1)
    evidence = float(linear_gaussian.evidence(model, x))
    means, errors = [], []
    for k in (1, 2, 4, 16, 64):
        draws = bound(model, x.expand(20_000, -1), k)
        means.append(float(draws.mean()))
        errors.append(float(draws.std()) / len(draws) ** 0.5)
    assert all(b - a > 4 * (e + f) for a, b, e, f in zip(means, means[1:], errors, errors[1:], strict=False))
    assert all(mean < evidence + 4 * error for mean, error in zip(means, errors, strict=True))
    assert evidence - means[0] > 0.2  # what the posterior is off
    assert evidence - means[-1] < 0.02


def test_of_the_exact_posterior_every_draw_gives_the_evidence():
    model, x = linear_gaussian.exact_model(), linear_gaussian.rows(5)
    for k in (1, 7):
        torch.testing.assert_close(bound(model, x, k), linear_gaussian.evidence(model, x))


@pytest.mark.parametrize("k", [1, 5])
def test_both_gradients_are_the_same_to_the_decoder(model, k):
    x = linear_gaussian.rows(9)
    (_, doubly), (_, plain) = (gradient(IWAE(k, gradient=how), model, x, seed=1) for how in ("doubly", "plain"))
    torch.testing.assert_close(doubly, plain, rtol=1e-12, atol=1e-14)


def test_both_gradients_to_the_encoder_agree_in_expectation(model):
    x = linear_gaussian.rows(1).expand(2000, -1)
    means, errors = [], []
    for how in ("doubly", "plain"):
        found = torch.stack([gradient(IWAE(4, gradient=how), model, x, seed)[0] for seed in range(25)])
        means.append(found.mean(0))
        errors.append(found.std(0) / 5)
    assert ((means[0] - means[1]).abs() < 4 * (errors[0] + errors[1]) + 1e-12).all()
    assert (means[0].abs() > 20 * errors[0]).any()  # there is something to agree on


def test_the_doubly_reparameterised_gradient_has_less_noise():
    model = linear_gaussian.wrong_model(shift=0.1)  # near the optimum, where the score's noise is what is left
    x = linear_gaussian.rows(1)
    variance = {
        how: float(torch.stack([gradient(IWAE(16, gradient=how), model, x, s)[0] for s in range(120)]).var(0).sum())
        for how in ("doubly", "plain")
    }
    assert variance["doubly"] < 0.2 * variance["plain"]


def test_at_the_exact_posterior_the_doubly_reparameterised_gradient_is_zero_at_every_draw():
    model, x = linear_gaussian.exact_model(), linear_gaussian.rows(6)
    to_encoder, _ = gradient(IWAE(5), model, x, seed=2)
    assert float(to_encoder.abs().max()) < 1e-12
    to_encoder, _ = gradient(IWAE(5, gradient="plain"), model, x, seed=2)
    assert float(to_encoder.abs().max()) > 1e-3


def test_hidden_entries_do_not_count(model):
    x = linear_gaussian.rows(5)
    mask = torch.rand(5, linear_gaussian.D) < 0.5
    losses = []
    for hidden in (0.0, 50.0):
        torch.manual_seed(1)
        batch = Batch(x.masked_fill(~mask, hidden), mask=mask, corrupted=x)
        losses.append(IWAE(3)(model, batch).terms["bound"])
    assert torch.equal(*losses)


def test_bad_arguments_are_refused():
    for k in (0, 2.5, "many"):
        with pytest.raises(ConfigError) as error:
            IWAE(k)
        assert str(error.value) == f"IWAE: k must be a whole number >= 1, got {k!r}. Use k=1 for the ELBO."
    with pytest.raises(ConfigError, match="IWAE: gradient must be one of doubly, plain, got 'double'"):
        IWAE(gradient="double")
    plain = Autoencoder(MLPEncoder((6,), (3,)), Plain((3,)), MLPDecoder((3,), (6,)), Gaussian())
    with pytest.raises(ConfigError, match="IWAE: reads a Posterior, but bottlenecks/plain emits a Code"):
        Recipe(plain, IWAE())


def test_a_step_leaves_no_tensor_behind(monkeypatch):
    model, batch, drawn = variational_model(), Batch(torch.randn(5, 6)), []
    rsample = GaussianCode.rsample

    def remembered(code, k=1):
        z = rsample(code, k)
        drawn.append(weakref.ref(z))
        return z

    monkeypatch.setattr(GaussianCode, "rsample", remembered)
    gc.disable()
    try:
        IWAE(4)(model, batch).total.backward()
        assert drawn[0]() is None
    finally:
        gc.enable()
