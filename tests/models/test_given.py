"""Rows under conditions: what a linear Gaussian model gives is known in closed form."""

import warnings

import pytest
import torch

from xhat.core.errors import DataError
from xhat.models import given
from xhat.models.autoencoder import Autoencoder
from xhat.models.given import sample_given
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.conditional import ConditionalDecoder
from xhat.parts.nets.linear import LinearDecoder, LinearEncoder

SIGMA = 0.5


def linear(axes, scale=SIGMA):
    """x = W z + σ ε, z standard normal."""
    decoder = LinearDecoder((axes.shape[1],), (len(axes),))
    decoder.start(axes, torch.zeros(len(axes)))
    encoder = LinearEncoder((len(axes),), (axes.shape[1],))
    return Autoencoder(encoder, Plain(encoder.out_shape), decoder, Gaussian(scale)).eval()


ONES = torch.ones(2, 1)
FIRST = torch.tensor([True, False])


def test_what_is_not_known_follows_its_conditional_distribution():
    x = sample_given(linear(ONES), torch.tensor([1.0, 99.0]), FIRST, 20_000)
    assert (x[:, 0] == 1).all()
    # z | x_1 is normal with mean x_1 / (1 + σ²) and variance σ² / (1 + σ²).
    shrink = 1 / (1 + SIGMA**2)
    assert x[:, 1].mean() == pytest.approx(shrink, abs=0.03)
    assert x[:, 1].var() == pytest.approx(SIGMA**2 * shrink + SIGMA**2, rel=0.05)


def test_draws_have_a_limit_and_rows_none(monkeypatch):
    drawn = []
    model = linear(ONES)
    sample = model.prior.sample
    monkeypatch.setattr(model.prior, "sample", lambda n: drawn.append(n) or sample(n))
    monkeypatch.setattr(given, "MOST", 60_000)
    for n, draws in ((1, 50_000), (2_900, 58_000), (100_000, 60_000)):
        assert sample_given(model, torch.zeros(2), FIRST, n).shape == (n, 2)
        assert drawn[-1] == draws
    # torch.multinomial knows 2**24 categories.
    assert given.EACH * 900_000 > 2**24


def test_few_codes_are_told_of():
    model = linear(ONES, scale=0.01)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sample_given(model, torch.zeros(2), FIRST, 100)  # some hundred draws lie within 0.01 of the middle
        sample_given(model, torch.tensor([4.0, 0.0]), FIRST, 1)  # one row needs one
    with pytest.warns(UserWarning, match=r"sample: rows like these are rare .*: 100 rows come from some \d different"):
        sample_given(model, torch.tensor([4.0, 0.0]), FIRST, 100)


def test_classes_are_drawn_with_the_codes():
    # Beside the code stand two classes: the first element says which, the second does ten times as loudly.
    inner = LinearDecoder((3,), (3,))
    inner.start(torch.tensor([[0.0, 0, 3], [0, 0, 30], [1, 0, 0]]), torch.zeros(3))
    decoder = ConditionalDecoder(inner, 2)
    model = Autoencoder(LinearEncoder((3,), (1,)), Plain((1,)), decoder, Gaussian(SIGMA)).eval()
    x = sample_given(model, torch.tensor([1.5, 0.0, 0.0]), torch.tensor([True, False, False]), 2000)
    assert (x[:, 1] > 15).float().mean() == pytest.approx(0.5, abs=0.05)  # 1.5 is as far from either
    x = sample_given(model, torch.tensor([3.0, 0.0, 0.0]), torch.tensor([True, False, False]), 2000)
    assert (x[:, 1] > 15).all()


def test_impossible_rows_are_refused():
    with pytest.raises(DataError, match="the model knows no rows like these"):
        sample_given(linear(ONES), torch.tensor([float("inf"), 0.0]), FIRST, 3)
