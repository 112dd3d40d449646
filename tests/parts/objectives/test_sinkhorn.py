import math

import pytest
import torch
from exercise_models import plain_model, variational_model
from scipy.optimize import linear_sum_assignment

from xhat.core import Batch
from xhat.core.errors import ConfigError
from xhat.parts.objectives._distances import energy
from xhat.parts.objectives.sinkhorn import Sinkhorn, transport


def draws(*size):
    return torch.randn(*size, dtype=torch.float64)


def divergence(a, b, epsilon, steps):
    """S, Feydy et al.'s equation 3."""
    ab, aa, bb = (transport(u, v, epsilon, steps) for u, v in ((a, b), (a, a), (b, b)))
    return ab - (aa + bb) / 2


def exact(a, b):
    """The best assignment, by the Hungarian method."""
    cost = torch.cdist(a, b).square().numpy()
    return cost[linear_sum_assignment(cost)].mean()


@pytest.mark.parametrize(("n", "d", "shift"), [(6, 1, 0.0), (8, 2, 1.0), (20, 5, 0.5)])
def test_at_a_small_epsilon_it_is_the_best_assignment(n, d, shift):
    a, b = draws(n, d), draws(n, d) + shift
    assert float(divergence(a, b, 1e-3 / d, 3000)) == pytest.approx(exact(a, b), abs=0.02)


def test_at_a_large_epsilon_it_compares_the_means():
    a, b = draws(30, 3), draws(20, 3) + 1
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum()
    assert float(divergence(a, b, 1e5, 20)) == pytest.approx(float(expected), rel=1e-3)


@pytest.mark.parametrize("steps", [1, 7, 30])
def test_equal_samples_are_not_apart_and_others_are(steps):
    a, b = draws(2, 12, 3)
    assert abs(float(divergence(a, a, 0.1, steps))) < 1e-12
    assert float(divergence(a, b, 0.1, 30)) > 0.1


def test_it_does_not_know_one_side_from_the_other_nor_the_order_of_rows():
    a, b = draws(9, 3), draws(5, 3)
    one = transport(a, b, 0.1, 30)
    torch.testing.assert_close(one, transport(b, a, 0.1, 30))
    torch.testing.assert_close(one, transport(a.flip(0), b.roll(2, 0), 0.1, 30))
    torch.testing.assert_close(one, transport(a + 5, b + 5, 0.1, 30))


def test_gradients_agree_with_finite_differences():
    a, b = draws(5, 2).requires_grad_(), draws(4, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: transport(a, b, 0.5, 200), (a, b))


def test_the_usual_steps_are_enough_for_codes_of_usual_size():
    for d in (2, 16, 64):
        a, b = torch.randn(2, 64, d)
        usual, long = (float(divergence(a, 0.5 * b, 0.1, steps)) for steps in (30, 1000))
        assert usual == pytest.approx(long, rel=0.02)


@pytest.mark.parametrize("n", [2, 7, 32])
def test_the_term_is_nothing_on_average_where_the_codes_are_the_priors(n):
    values = term(n, 1.0, times=100)
    assert abs(float(values.mean())) < 4 * float(values.std()) / 100**0.5


@pytest.mark.parametrize("n", [8, 32])
def test_the_term_is_least_for_codes_of_the_priors_scale_even_in_small_batches(n):
    means = {scale: float(term(n, scale, times=30).mean()) for scale in (0.6, 0.8, 1.0, 1.2)}
    assert min(means, key=means.get) == 1.0


def term(n, scale, times):
    model = variational_model()  # whose code is drawn: N(0, scale²) of 3 numbers
    h = torch.tensor([0.0] * 3 + [2 * math.log(scale)] * 3)
    model.encoder.forward = lambda x: h.expand(len(x), 6)
    torch.manual_seed(0)  # the same draws for every scale
    objective, batch = Sinkhorn(1.0, epsilon=0.1), Batch(torch.zeros(n, 6))
    with torch.no_grad():
        return torch.stack([objective(model, batch).terms["transport"] for _ in range(times)])


def test_halves_of_the_debiased_divergence_are_halves_of_the_transport():
    z, p = draws(2, 10, 3)
    both = [energy(lambda a, b, d=d: d(a, b, 0.1, 100), z, p) for d in (transport, divergence)]
    torch.testing.assert_close(*both)


def test_following_the_gradient_carries_points_to_the_others():
    b = draws(40, 2) * 0.5 + 2
    a = draws(40, 2).requires_grad_()
    for _ in range(100):
        (gradient,) = torch.autograd.grad(divergence(a, b, 0.05, 30), a)
        a = (a - 15 * gradient).detach().requires_grad_()
    assert float(divergence(a, b, 0.05, 30).detach()) < 1e-3
    torch.testing.assert_close(a.mean(0), b.mean(0), atol=0.02, rtol=0)


def test_half_precision_around_the_transport_costs_nothing():
    a, b = torch.randn(2, 20, 4).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = transport(a, b, 0.1, 30)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, transport(a.float(), b.float(), 0.1, 30))


def test_one_row_gives_a_number():
    assert Sinkhorn()(plain_model(), Batch(torch.randn(1, 6))).total.isfinite()


@pytest.mark.parametrize("arguments", [{"weight": -1}, {"epsilon": 0}, {"steps": 0}])
def test_bad_arguments_of_sinkhorn_are_refused(arguments):
    with pytest.raises(ConfigError, match=f"Sinkhorn: {next(iter(arguments))} must be"):
        Sinkhorn(**arguments)
