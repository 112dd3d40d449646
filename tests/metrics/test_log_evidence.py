import linear_gaussian
import pytest
import torch

from xhat.core import Batch
from xhat.core.errors import ConfigError
from xhat.metrics import log_evidence as module
from xhat.metrics.log_evidence import log_evidence
from xhat.models.autoencoder import Autoencoder
from xhat.parts.bottlenecks.gaussian import Gaussian as Gauss
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.likelihoods.norm_pix import NormPix
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder


@pytest.mark.parametrize("k", [1, 3, 1000])
def test_with_the_exact_posterior_it_is_exact_whatever_the_draws(k):
    model, x = linear_gaussian.exact_model(), linear_gaussian.rows(6)
    for seed in range(2):
        torch.manual_seed(seed)
        expected = linear_gaussian.evidence(model, x)
        torch.testing.assert_close(log_evidence(model, Batch(x), k), expected, rtol=1e-12, atol=1e-12)


def test_with_a_wrong_posterior_many_draws_come_close():
    model, x = linear_gaussian.wrong_model(), linear_gaussian.rows(6)
    off = log_evidence(model, Batch(x), 20_000) - linear_gaussian.evidence(model, x)
    assert float(off.abs().max()) < 0.03
    few = torch.stack([log_evidence(model, Batch(x), 1) for _ in range(200)]).mean(0)
    assert float((few - linear_gaussian.evidence(model, x)).max()) < -0.2  # one draw a row is the ELBO


def test_it_is_the_same_for_every_batch_and_every_part_of_the_draws(monkeypatch):
    model, x = linear_gaussian.wrong_model(), linear_gaussian.rows(6)
    noise = torch.randn(700, linear_gaussian.d, dtype=torch.float64)  # draw by draw, the same for every row

    def estimate(rows, together):
        done = 0

        def draw(std):
            nonlocal done
            draws = len(std) // len(rows)
            done += draws
            return noise[done - draws : done].repeat_interleave(len(rows), 0)

        monkeypatch.setattr(module, "TOGETHER", together)
        monkeypatch.setattr(torch, "randn_like", draw)
        found = log_evidence(model, Batch(rows), 700)
        assert done == 700
        return found

    whole = estimate(x, 10**6)
    for together in (1, 64, 2048):
        torch.testing.assert_close(estimate(x, together), whole, rtol=1e-12, atol=0)
    alone = torch.cat([estimate(row[None], 300) for row in x])
    torch.testing.assert_close(alone, whole, rtol=1e-12, atol=0)


def test_hidden_entries_do_not_count():
    model, x = linear_gaussian.exact_model(), linear_gaussian.rows(3)
    mask = torch.tensor([True, False, True, True]).expand(3, -1)
    found = []
    for hidden in (0.0, float("nan")):
        torch.manual_seed(0)
        found.append(log_evidence(model, Batch(x.masked_fill(~mask, hidden), mask=mask, corrupted=x), 10))
    assert torch.equal(*found)


def test_a_likelihood_that_is_no_density_of_the_rows_is_refused():
    bottleneck, likelihood = Gauss((3,)), NormPix(2)
    decoder = MLPDecoder((3,), likelihood.params((1, 4, 4)))
    model = Autoencoder(MLPEncoder((1, 4, 4), bottleneck.in_shape), bottleneck, decoder, likelihood)
    with pytest.raises(ConfigError, match="log_evidence: needs a likelihood that is a density of x, got NormPix"):
        log_evidence(model, Batch(torch.rand(2, 1, 4, 4)), 2)


def test_it_leaves_no_gradient_and_needs_a_distribution():
    model, x = linear_gaussian.exact_model(), linear_gaussian.rows(3)
    assert not log_evidence(model, Batch(x), 2).requires_grad
    plain = Autoencoder(MLPEncoder((4,), (3,)), Plain((3,)), MLPDecoder((3,), (4,)), Gaussian())
    with pytest.raises(ConfigError, match="log_evidence: needs codes that are distributions, got Code"):
        log_evidence(plain, Batch(x.float()))
    with pytest.raises(ConfigError, match="log_evidence: k must be >= 1, got 0"):
        log_evidence(model, Batch(x), 0)
