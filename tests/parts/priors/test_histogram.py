import math

import pytest
import torch
from safetensors.torch import load, save

from xhat.core import build, config
from xhat.core.errors import ShapeError
from xhat.parts.bottlenecks.vq import VQ
from xhat.parts.priors.histogram import Histogram

ROWS = torch.tensor([[0.0, 0, 5], [0, 0, 5], [0, 0, 7], [1, 2, 7]])


def test_log_shares_by_hand():
    prior = Histogram((3,), groups=3)
    prior.fit(ROWS)
    # Each number is a place: shares 3/5 and 1/5; 3/5 and 1/5; 2/5 and 2/5; one fifth is for all never seen.
    found = prior.log_prob(torch.tensor([[0.0, 2, 5], [0, 0, 7], [1, 2, 6], [9, 9, 9]]))
    expected = [(3 / 5) * (1 / 5) * (2 / 5), (3 / 5) * (3 / 5) * (2 / 5), 1 / 125, 1 / 125]
    torch.testing.assert_close(found, torch.tensor(expected).log())


def test_a_group_is_one_vector():
    prior = Histogram((3,), groups=1)
    prior.fit(ROWS)
    found = prior.log_prob(torch.tensor([[0.0, 0, 5], [0, 0, 7], [1, 2, 5]]))
    torch.testing.assert_close(found, torch.tensor([2 / 5, 1 / 5, 1 / 5]).log())


def test_seen_shares_and_the_unseen_one_add_up_to_one():
    prior = Histogram((2,), groups=1)
    z = torch.randint(3, (50, 2)).float()
    prior.fit(z)
    seen = prior.log_prob(z.unique(dim=0)).exp().sum()
    torch.testing.assert_close(seen + prior.log_prob(torch.tensor([[9.0, 9]])).exp().sum(), torch.tensor(1.0))


@pytest.mark.parametrize(("shape", "groups"), [((6,), 3), ((4, 2, 3), 1), ((4, 2, 3), 2)])
def test_samples_are_as_frequent_as_the_codes_place_by_place(shape, groups):
    vq = VQ(shape, 5, groups=groups).eval()
    drawn = torch.randn(300, *shape) + torch.linspace(-2, 2, torch.Size(shape).numel()).view(shape)
    codes = vq(drawn)
    prior = Histogram(shape, groups=groups)
    prior.fit(codes.z.detach())
    samples = prior.sample(20_000)
    found = vq(samples)
    assert torch.equal(found.z, samples)  # entries, each at its own place
    for k in range(5):
        shares = [(code.indices == k).double().mean(0) for code in (codes, found)]
        torch.testing.assert_close(*shares, rtol=0, atol=0.02)
    # Places are independent: the log-probability of samples is the negative entropy, a sum over places.
    expected = -sum(
        float(f * math.log(f))
        for place in codes.indices.flatten(1).unbind(1)
        for f in (place.bincount() / 300).tolist()
        if f > 0
    )
    assert -float(prior.log_prob(samples).mean()) == pytest.approx(expected, rel=0.03)


def test_a_fitted_prior_survives_a_file():
    prior = Histogram((4, 2, 2), groups=2)
    prior.fit(torch.randint(3, (40, 4, 2, 2)).float())
    twin = build(config(prior))
    twin.load_state_dict(load(save(prior.state_dict())))
    z = torch.randint(3, (9, 4, 2, 2)).float()
    assert torch.equal(twin.log_prob(z), prior.log_prob(z))
    torch.manual_seed(1)
    one = prior.sample(6)
    torch.manual_seed(1)
    assert torch.equal(twin.sample(6), one)


def test_it_can_be_fitted_again():
    prior = Histogram((3,), groups=3)
    prior.fit(ROWS)
    prior.fit(torch.full((2, 3), 4.0))
    assert torch.equal(prior.sample(5), torch.full((5, 3), 4.0))
    assert prior.cells == 3


def test_what_rounding_has_moved_is_still_seen():
    prior = Histogram((3,), groups=1)
    prior.fit(ROWS)
    torch.testing.assert_close(prior.log_prob(ROWS * (1 + 1e-6)), prior.log_prob(ROWS))


def test_many_rows_are_thinned_evenly(monkeypatch):
    monkeypatch.setattr("xhat.parts.priors.histogram.MOST", 30)
    prior = Histogram((3,), groups=3)
    prior.fit(torch.arange(100.0)[:, None].repeat(1, 3))
    assert prior.cells <= 30
    assert prior.sample(500).unique().numel() == prior.cells // 3


def test_before_it_saw_codes_it_is_the_standard_normal():
    prior = Histogram((3, 2))
    assert prior.sample(5).shape == (5, 3, 2)
    z = torch.randn(4, 3, 2)
    torch.testing.assert_close(prior.log_prob(z), torch.distributions.Normal(0.0, 1.0).log_prob(z).sum((1, 2)))


def test_groups_that_do_not_divide_are_refused():
    with pytest.raises(ShapeError, match="groups must divide the code's 4 numbers, got 3"):
        Histogram((4,), groups=3)
