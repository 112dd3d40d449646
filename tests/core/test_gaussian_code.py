import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from xhat.core import GaussianCode
from xhat.parts.priors.normal import Normal as NormalPrior

SHAPES = [(4, 3), (4, 2, 3, 3)]


def code_of(shape, dtype=torch.float64):
    return GaussianCode(torch.randn(shape, dtype=dtype), torch.randn(shape, dtype=dtype))


def reference(code):
    return Independent(Normal(code.mean, code.std), code.mean.ndim - 1)


@pytest.mark.parametrize("shape", SHAPES)
def test_kl_is_that_of_torch(shape):
    code = code_of(shape)
    standard = Independent(Normal(torch.zeros_like(code.mean), 1.0), len(shape) - 1)
    torch.testing.assert_close(code.kl(NormalPrior(shape[1:])), kl_divergence(reference(code), standard))
    torch.testing.assert_close(code.kl_per_dimension().flatten(1).sum(1), kl_divergence(reference(code), standard))


def test_kl_is_zero_at_the_prior_and_nowhere_below():
    assert GaussianCode(torch.zeros(2, 3), torch.zeros(2, 3)).kl(NormalPrior((3,))).tolist() == [0.0, 0.0]
    assert (code_of((1000, 1)).kl(NormalPrior((1,))) > 0).all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("k", [1, 3])
def test_log_density_of_draws_is_that_of_torch(shape, k):
    code = code_of(shape)
    draws = code.rsample(k)
    expected = reference(code).log_prob(draws.unflatten(0, (k, 4))).flatten()
    torch.testing.assert_close(code.log_prob(draws), expected)


def test_draws_have_the_codes_moments():
    code = code_of((2, 3))
    draws = code.rsample(40_000).unflatten(0, (40_000, 2))
    torch.testing.assert_close(draws.mean(0), code.mean, rtol=0, atol=0.05)
    torch.testing.assert_close(draws.std(0), code.std, rtol=0.02, atol=0)


def test_draws_of_one_row_differ():
    draws = code_of((2, 3)).rsample(2).unflatten(0, (2, 2))
    assert not torch.equal(draws[0], draws[1])


def test_kl_gradients_agree_with_finite_differences():
    mean, log_var = (torch.randn(2, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(lambda m, s: GaussianCode(m, s).kl(NormalPrior((3,))), (mean, log_var))


def test_a_mean_and_a_variance_of_two_shapes_are_refused():
    with pytest.raises(TypeError, match="GaussianCode"):
        GaussianCode(torch.zeros(2, 3), torch.zeros(2, 4))
