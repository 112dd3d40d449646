import numpy as np
import pytest
import torch
from scipy.stats import gaussian_kde
from torch.distributions import Normal as Law

from xhat.parts.priors.empirical import Empirical


def codes(n):
    return torch.randn(n, 3) @ torch.tensor([[2.0, 0, 0], [1, 0.5, 0], [0, -1, 1]]) + torch.tensor([5.0, 0, -3])


def test_it_is_the_standard_normal_until_it_is_fitted():
    z = torch.randn(5, 3)
    torch.testing.assert_close(Empirical((3,)).log_prob(z), Law(0.0, 1.0).log_prob(z).sum(1))
    assert list(Empirical((3,)).state_dict()) == ["centre"]


@pytest.mark.parametrize("bandwidth", [1.0, 0.3])
def test_the_density_is_that_of_scipy(bandwidth):
    z, new, prior = codes(200), codes(20), Empirical((3,), bandwidth=bandwidth)
    prior.fit(z)
    other = gaussian_kde(z.double().numpy().T, lambda kde: bandwidth * kde.scotts_factor())
    expected = other.logpdf(new.double().numpy().T)
    np.testing.assert_allclose(prior.log_prob(new).numpy(), expected, rtol=1e-3, atol=1e-3)


def test_a_narrow_kernel_keeps_its_digits():
    # In units of the kernels these codes are thousands long: their squares' rounding would be several nats.
    z, prior = torch.cat([torch.randn(100, 3), torch.randn(100, 3) + 10]), Empirical((3,), bandwidth=1e-3)
    prior.fit(z)
    new = z + torch.randn(200, 3) @ prior.factor.T
    exact = Empirical((3,), bandwidth=1e-3, kept=200).double()
    exact.load_state_dict(prior.state_dict())
    torch.testing.assert_close(prior.log_prob(new).double(), exact.log_prob(new.double()), rtol=0, atol=0.02)


def test_a_subsample_is_kept():
    prior, z = Empirical((3,), 50), codes(300)
    prior.fit(z)
    kept = prior.centre + prior.codes @ prior.factor.T
    assert prior.kept == len(prior.codes) == 50
    assert (torch.cdist(kept, z).min(1).values < 5e-3).all()  # cdist's rounding


def test_a_narrow_kernel_draws_the_codes_themselves():
    prior, z = Empirical((3,), bandwidth=1e-3), codes(100)
    prior.fit(z)
    nearest = torch.cdist(prior.sample(2000), z).min(1)
    assert (nearest.values < 0.02).all()
    assert len(nearest.indices.unique()) == 100


def test_parts_of_a_large_batch_are_judged_alike(monkeypatch):
    prior, new = Empirical((3,)), codes(50)
    prior.fit(codes(100))
    whole = prior.log_prob(new)
    monkeypatch.setattr("xhat.parts.priors.empirical.TOGETHER", 700)
    torch.testing.assert_close(prior.log_prob(new), whole)


@pytest.mark.parametrize("z", [torch.zeros(10, 3), torch.randn(1, 3)], ids=["dead", "one row"])
def test_codes_without_spread_are_fitted_all_the_same(z):
    prior = Empirical((3,))
    prior.fit(z)
    assert prior.log_prob(z).isfinite().all()
    assert prior.sample(5).isfinite().all()


def test_a_spatial_code_keeps_its_shape():
    prior = Empirical((2, 3))
    prior.fit(torch.randn(30, 2, 3))
    assert prior.sample(4).shape == (4, 2, 3)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="bandwidth must be > 0, got 0"):
        Empirical((3,), bandwidth=0)
    with pytest.raises(ValueError, match="most must be >= 1, got 0"):
        Empirical((3,), 0)
