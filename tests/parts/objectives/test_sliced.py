import math

import numpy as np
import pytest
import torch
from exercise_models import variational_model
from scipy.stats import wasserstein_distance

from xhat.core import Batch
from xhat.core.errors import ConfigError
from xhat.parts.objectives.sliced import Sliced, directions, distance


def draws(*size):
    return torch.randn(*size, dtype=torch.float64)


def test_in_one_dimension_it_is_exact():
    a, b = draws(50, 1), 2 * draws(50, 1) + 1
    found = distance(a, b, directions(3, a))
    best = ((np.sort(a.numpy(), 0) - np.sort(b.numpy(), 0)) ** 2).mean()  # the monotone plan is the optimal one
    assert float(found) == pytest.approx(best, abs=1e-12)
    shifted = distance(a, a + 1.5, directions(3, a))
    assert float(shifted) ** 0.5 == pytest.approx(wasserstein_distance(a[:, 0], a[:, 0] + 1.5), abs=1e-12)


def test_of_shifted_and_stretched_gaussians_it_is_the_closed_form():
    # N(0, I) and N(m, s² I): along θ it is (θᵀm)² + (s - 1)², on average |m|² / d + (s - 1)².
    torch.manual_seed(0)
    d, s = 5, 1.5
    m = torch.arange(d, dtype=torch.float64)
    a, b = draws(4_000, d), s * draws(4_000, d) + m
    expected = float((m**2).sum()) / d + (s - 1) ** 2
    assert float(distance(a, b, directions(200, a))) == pytest.approx(expected, rel=0.1)


def test_directions_are_uniform_on_the_sphere():
    theta = directions(20_000, draws(1, 4))
    torch.testing.assert_close(theta.norm(dim=1), torch.ones(20_000, dtype=torch.float64))
    torch.testing.assert_close(theta.T.cov(), torch.eye(4, dtype=torch.float64) / 4, atol=0.01, rtol=0)


def test_gradients_of_the_distance_agree_with_finite_differences():
    a, b = draws(6, 3).requires_grad_(), draws(6, 3)
    theta = directions(4, b)
    assert torch.autograd.gradcheck(lambda a: distance(a, b, theta), a)


@pytest.mark.parametrize("n", [2, 7, 32])
def test_the_term_is_nothing_on_average_for_codes_of_the_prior(n):
    values = term(n, 1.0, times=300)
    assert abs(float(values.mean())) < 4 * float(values.std()) / 300**0.5


def test_the_term_is_least_for_codes_of_the_priors_scale():
    means = {scale: float(term(16, scale, times=300).mean()) for scale in (0.7, 0.85, 1.0, 1.15)}
    assert min(means, key=means.get) == 1.0


def term(n, scale, times):
    model = variational_model()  # whose code is drawn: N(0, scale²) of 3 numbers
    h = torch.tensor([0.0] * 3 + [2 * math.log(scale)] * 3)
    model.encoder.forward = lambda x: h.expand(len(x), 6)
    torch.manual_seed(0)  # the same draws for every scale
    objective, batch = Sliced(1.0), Batch(torch.zeros(n, 6))
    with torch.no_grad():
        return torch.stack([objective(model, batch).terms["transport"] for _ in range(times)])


def test_half_precision_around_the_lines_costs_nothing():
    a, b = torch.randn(2, 20, 4).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        theta = directions(5, a)
        found = distance(a, b, theta)
    assert found.dtype == theta.dtype == torch.float32
    torch.testing.assert_close(found, distance(a.float(), b.float(), theta))


@pytest.mark.parametrize("arguments", [{"weight": -1}, {"directions": 0}])
def test_bad_arguments_of_sliced_are_refused(arguments):
    with pytest.raises(ConfigError, match=f"Sliced: {next(iter(arguments))} must be"):
        Sliced(**arguments)
