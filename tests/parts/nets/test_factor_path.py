import pytest
import torch
from gaps import given_observed

from xhat.core.errors import ConfigError
from xhat.metrics.factor_analysis import FactorAnalysis
from xhat.parts.nets.factor_path import FactorPathDecoder, FactorPathEncoder
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.nets.patch import PatchEncoder

D, K = 5, 2


@pytest.fixture
def factors():
    torch.manual_seed(0)
    return FactorAnalysis(torch.randn(D).double(), torch.randn(D, K).double(), torch.rand(D).double() + 0.1)


def test_at_the_start_it_says_what_the_factors_are_given_what_was_observed(factors):
    encoder = FactorPathEncoder(MLPEncoder((K + 2 * D,), (2 * K,), hidden=(8,))).double()
    encoder.start(factors.mean, factors.loadings, factors.noise)
    x, seen = torch.randn(6, D).double(), torch.rand(6, D) < 0.6
    seen[0], seen[1] = True, False
    # Of the factors and the row as one Gaussian, the factors are what is missing.
    w, psi = factors.loadings, factors.noise.diag()
    joint = torch.cat([torch.cat([torch.eye(K), w.T], 1), torch.cat([w, w @ w.T + psi], 1)])
    mean = torch.cat([torch.zeros(K), factors.mean])
    h = encoder(x, seen)
    for row, there, says in zip(x, seen, h, strict=True):
        hidden = torch.zeros(K, dtype=torch.bool)
        _, expected, covariance = given_observed(
            mean, joint, torch.cat([torch.zeros(K), row]), torch.cat([hidden, there])
        )
        torch.testing.assert_close(says[:K], expected[:K])
        torch.testing.assert_close(says[K:], covariance.diagonal()[:K].log())


def test_what_lies_in_a_gap_is_never_seen():
    encoder = FactorPathEncoder.example()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter += torch.randn_like(parameter)
    x, seen = torch.randn(4, 3), torch.tensor([True, False, True]).expand(4, 3)
    assert torch.equal(encoder(x, seen), encoder(torch.where(seen, x, 7.0), seen))
    assert not torch.equal(encoder(x, seen), encoder(x))  # a value of 0 is not a gap


def test_the_decoder_begins_linear():
    decoder = FactorPathDecoder(MLPDecoder((K,), (D,), hidden=(8,)))
    loadings, offset = torch.randn(D, K), torch.randn(D)
    decoder.start(loadings, offset)
    z = torch.randn(4, K)
    torch.testing.assert_close(decoder(z), z @ loadings.T + offset)


def test_what_it_refuses():
    with pytest.raises(ConfigError, match=r"nets/factor_path: needs a net from K \+ 2 D numbers to 2 K"):
        FactorPathEncoder(MLPEncoder((5,), (4,), hidden=(8,)))
    with pytest.raises(ConfigError, match="needs a net from"):
        FactorPathEncoder(PatchEncoder.example())
