import math

import pytest
import torch
from torch.distributions import Normal as Law

from xhat.parts.priors.flow import Flow
from xhat.parts.priors.maf import MAF
from xhat.parts.priors.normal import Normal

KINDS = (Flow, MAF)


def moved(kind, d, scale=0.5):
    prior = kind((d,), layers=3, hidden=16).double()
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter.add_(scale * torch.randn_like(parameter))
        prior.centre.copy_(torch.randn(d))
        prior.spread.copy_(torch.rand(d) + 0.5)
    return prior


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("kind", KINDS)
def test_the_log_determinant_is_that_of_autograds_jacobian(kind, d):
    prior, z = moved(kind, d), torch.randn(4, d, dtype=torch.float64)
    _, log_det = prior.to_noise(z)
    for row, found in zip(z, log_det, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda z: prior.to_noise(z.unsqueeze(0))[0].squeeze(0), row)
        torch.testing.assert_close(found, torch.linalg.slogdet(jacobian).logabsdet)
    assert log_det.std() > 1e-3 or d == 1  # it depends on where it is


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("kind", KINDS)
def test_there_and_back_is_the_identity(kind, d):
    prior, z = moved(kind, d), torch.randn(6, d, dtype=torch.float64)
    torch.testing.assert_close(prior.from_noise(prior.to_noise(z)[0]), z)
    torch.testing.assert_close(prior.to_noise(prior.from_noise(z))[0], z)


@pytest.mark.parametrize("kind", KINDS)
def test_the_density_adds_up_to_one(kind):
    prior = moved(kind, 2, scale=0.3)
    axis = torch.linspace(-12, 12, 601, dtype=torch.float64)
    with torch.no_grad():
        total = prior.log_prob(torch.cartesian_prod(axis, axis)).exp().sum() * (axis[1] - axis[0]) ** 2
    assert float(total) == pytest.approx(1, abs=2e-3)


def test_each_number_is_moved_by_those_before_it_alone():
    for i, layer in enumerate(moved(MAF, 4).chain):
        z = torch.randn(4, dtype=torch.float64)
        jacobian = torch.autograd.functional.jacobian(lambda z, f=layer: f(z.unsqueeze(0))[0].squeeze(0), z)
        order = jacobian if i % 2 == 0 else jacobian.flip(0, 1)  # every other layer turns round
        assert torch.equal(order.triu(1), torch.zeros(4, 4, dtype=torch.float64))
        assert (order.tril() != 0).sum() == 10


@pytest.mark.parametrize("kind", KINDS)
def test_it_begins_as_the_standard_normal(kind):
    z = torch.randn(5, 2, 3)
    torch.testing.assert_close(kind((2, 3)).log_prob(z), Law(0.0, 1.0).log_prob(z).sum((1, 2)))
    assert kind((2, 3)).sample(4).shape == (4, 2, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fit_comes_near_the_entropy_of_a_bent_distribution(kind):
    def bent(n):
        z = torch.randn(n, 2)
        return torch.stack([2 * z[:, 0], 0.3 * z[:, 1] + z[:, 0] ** 2], 1) + 3

    prior, normal = kind((2,), hidden=32), Normal((2,))
    prior.fit(bent(1500))
    normal.fit(bent(1500))
    # The map from z is triangular: its entropy is that of noise and the logs of its scales.
    entropy = math.log(2 * math.pi * math.e) + math.log(2 * 0.3)
    new = bent(4000)
    with torch.no_grad():
        assert -prior.log_prob(new).mean() == pytest.approx(entropy, abs=0.12)
        assert -normal.log_prob(new).mean() > entropy + 0.5


def test_a_fit_leaves_no_gradient_and_no_frozen_state_behind():
    prior = Flow((3,), layers=2, hidden=4)
    prior.requires_grad_(False)
    with torch.no_grad():
        prior.fit(torch.randn(20, 3))
    assert all(p.grad is None and not p.requires_grad for p in prior.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_dead_numbers_are_fitted_all_the_same(kind):
    prior = kind((3,), hidden=8)
    prior.fit(torch.randn(50, 3) * torch.tensor([1.0, 0.0, 2.0]))
    assert prior.log_prob(torch.randn(5, 3)).isfinite().all()
    assert prior.sample(5).isfinite().all()


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="layers must be >= 2, got 1"):
        Flow((3,), layers=1)
    with pytest.raises(ValueError, match="hidden must be >= 1, got 0"):
        MAF((3,), hidden=0)
