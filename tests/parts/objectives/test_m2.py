import numpy as np
import pytest
import torch
from torch.distributions import Categorical, Normal, kl_divergence

import xhat
from xhat.core import Batch
from xhat.core.errors import ConfigError
from xhat.models.autoencoder import Autoencoder
from xhat.models.recipe import Recipe
from xhat.models.recipes.m2 import m2
from xhat.parts.bottlenecks.classified import Classified
from xhat.parts.bottlenecks.gaussian import Gaussian
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian as GaussianLikelihood
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.objectives.m2 import M2
from xhat.parts.priors.classified import Classified as ClassifiedPrior
from xhat.parts.priors.normal import Normal as NormalPrior

CLASSES, STYLE, SCALE = 3, 2, 0.7
SHARES = torch.tensor([0.5, 0.2, 0.3], dtype=torch.float64)


@pytest.fixture
def model():
    torch.manual_seed(0)
    bottleneck = Classified(CLASSES, Gaussian((STYLE,)))
    encoder = MLPEncoder((4,), bottleneck.in_shape, hidden=(8,))
    decoder = MLPDecoder(bottleneck.code_shape, (4,), hidden=(8,))
    made = Autoencoder(
        encoder, bottleneck, decoder, GaussianLikelihood(SCALE), ClassifiedPrior(CLASSES, NormalPrior((STYLE,)))
    ).double()
    made.prior.log_shares.copy_(SHARES.log())
    return made


def by_hand(model, x, y, s, alpha):
    """One row, all sums written out, every density from torch.distributions."""
    h = model.encoder(x[None])[0]
    q_y, q_s = Categorical(logits=h[:CLASSES]), Normal(h[CLASSES : CLASSES + STYLE], (0.5 * h[CLASSES + STYLE :]).exp())
    style = kl_divergence(q_s, Normal(torch.zeros(STYLE).double(), 1.0)).sum()

    def bound(k):
        """L(x, k)."""
        z = torch.cat([torch.eye(CLASSES).double()[k], s])
        log_p = Normal(model.decoder(z[None])[0], SCALE).log_prob(x).sum()
        return -log_p - SHARES[k].log() + style

    if y >= 0:
        return bound(y) - alpha * q_y.log_prob(torch.tensor(y))
    return sum(q_y.probs[k] * bound(k) for k in range(CLASSES)) - q_y.entropy()


@pytest.mark.parametrize("alpha", [0.0, 3.0])
def test_the_loss_is_the_papers_by_hand(model, alpha):
    x, y = torch.randn(5, 4).double(), torch.tensor([2, -1, 0, -1, 1])
    torch.manual_seed(1)
    s = model.encode(x).style.rsample()
    torch.manual_seed(1)
    loss = M2(alpha)(model, Batch(x, y=y))
    expected = torch.stack([by_hand(model, x[i], int(y[i]), s[i], alpha) for i in range(5)])
    torch.testing.assert_close(sum(loss.terms.values()), expected)


def test_its_gradient_is_that_of_the_sum_by_hand(model):
    x, y = torch.randn(4, 4).double(), torch.tensor([-1, -1, 0, 2])
    weights = list(model.parameters())
    torch.manual_seed(1)
    s = model.encode(x).style.rsample()
    total = sum(by_hand(model, x[i], int(y[i]), s[i], 2.0) for i in range(4)) / 4
    expected = torch.autograd.grad(total, weights)
    torch.manual_seed(1)
    found = torch.autograd.grad(M2(2.0)(model, Batch(x, y=y)).total, weights)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_the_bound_without_a_label_lies_below_log_p_of_x(model):
    """The evidence by brute force: every class, and s on a fine grid."""
    x = torch.randn(3, 4).double()
    axis = torch.linspace(-6, 6, 241).double()
    grid = torch.cartesian_prod(axis, axis)  # (G, 2)
    log_s = -0.5 * (grid**2 + np.log(2 * np.pi)).sum(1) + 2 * torch.log(axis[1] - axis[0])
    parts = []
    for k in range(CLASSES):
        z = torch.cat([torch.eye(CLASSES).double()[k].expand(len(grid), -1), grid], 1)
        mean = model.decoder(z)  # (G, 4)
        log_p = Normal(mean[:, None], SCALE).log_prob(x).sum(2)  # (G, 3)
        parts.append(torch.logsumexp(log_p + log_s[:, None], 0) + SHARES[k].log())
    evidence = torch.logsumexp(torch.stack(parts), 0)  # (3,)
    many = x.repeat(4000, 1)
    bound = -sum(M2()(model, Batch(many, y=torch.full((12000,), -1))).terms.values()).unflatten(0, (4000, 3)).mean(0)
    assert (bound < evidence).all()
    assert (bound > evidence - 20).all()


def test_without_labels_at_all_every_row_is_unlabelled(model):
    x = torch.randn(3, 4).double()
    losses = []
    for y in (None, torch.full((3,), -1)):
        torch.manual_seed(2)
        losses.append(M2()(model, Batch(x, y=y)).terms)
    assert all(torch.equal(losses[0][name], losses[1][name]) for name in losses[0])
    assert not losses[0]["classification"].any()


def test_a_certain_class_costs_no_more_than_its_label(model):
    """Where π is sure of a class, the unlabelled bound is the labelled one, and no logarithm of 0 spoils it."""
    with torch.no_grad():
        model.encoder.last.weight[:CLASSES], model.encoder.last.bias[:CLASSES] = 0, torch.tensor([900.0, 0, -900])
    x = torch.randn(3, 4).double()
    totals = []
    for y in (0, -1):
        torch.manual_seed(2)
        loss = M2(0.0)(model, Batch(x, y=torch.full((3,), y)))
        loss.total.backward()
        totals.append(loss.total)
    torch.testing.assert_close(*totals)
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_classes_are_learned_from_few_labels():
    """Two rings of digits' kind: what only few labels name, the unlabelled rows' clusters tell."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 900)
    x = (rng.normal(size=(3, 12))[y] * 1.5 + rng.normal(size=(900, 12))).astype(np.float32)
    some = np.where(np.arange(900) % 60 == 0, y, -1)  # 15 rows
    data = xhat.data.open(x, labels=some)
    fitted = xhat.fit(data, "m2", latent=2, overrides={"net.hidden": [32]}, epochs=25, batch_size=64, device="cpu")
    predicted = fitted.encode(x)[:, :3].argmax(1)
    assert (predicted == y).mean() > 0.95
    drawn = fitted.sample(200, label=2)
    assert (fitted.encode(drawn)[:, :3].argmax(1) == 2).mean() > 0.9


def test_what_it_refuses(model):
    with pytest.raises(ConfigError, match=r"M2: labelled_share must lie in \[0, 1\), got 1"):
        M2(labelled_share=1)
    with pytest.raises(ConfigError, match="M2: labels must be >= 0, got -1"):
        M2(-1)
    with pytest.raises(ConfigError, match="labels must be below 3, the number of classes, got 3"):
        M2()(model, Batch(torch.randn(2, 4).double(), y=torch.tensor([3, 0])))
    with pytest.raises(ConfigError, match=r"labels must be classes, got torch\.float64"):
        M2()(model, Batch(torch.randn(2, 4).double(), y=torch.randn(2).double()))
    plain = Classified(CLASSES, Plain((STYLE,)))
    encoder = MLPEncoder((4,), plain.in_shape, hidden=(8,))
    prior = ClassifiedPrior(CLASSES, NormalPrior((STYLE,)))
    with pytest.raises(ConfigError, match="needs a style with a posterior, got Plain"):
        Recipe(Autoencoder(encoder, plain, model.decoder, model.likelihood, prior), M2())
    with pytest.raises(ConfigError, match=r"needs a prior over a class and a style, got Normal.*recipe m2"):
        Recipe(Autoencoder(model.encoder, model.bottleneck, model.decoder, model.likelihood), M2())
    assert m2((4,), classes=3, latent=2).model.classes == 3
