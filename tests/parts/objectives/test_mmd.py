import numpy as np
import pytest
import torch
from exercise_models import plain_model

from xhat.core import Batch
from xhat.core.errors import ConfigError
from xhat.parts.objectives.mmd import MMD, discrepancy

SCALES = (0.1, 0.5, 1.0, 2.0, 10.0)


def slow(a, b, scales):
    """The docstring's sums, pair by pair."""

    def k(u, v):
        distance = float(((u - v) ** 2).sum())
        return sum(2 * len(u) * s / (2 * len(u) * s + distance) for s in scales)

    n, m = len(a), len(b)
    within_a = sum(k(a[i], a[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    within_b = sum(k(b[i], b[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return within_a + within_b - 2 * sum(k(u, v) for u in a for v in b) / (n * m)


@pytest.mark.parametrize(("n", "m", "d"), [(2, 2, 1), (5, 7, 3)])
def test_it_is_the_double_sum(n, m, d):
    a, b = torch.randn(n, d, dtype=torch.float64), torch.randn(m, d, dtype=torch.float64) + 1
    assert float(discrepancy(a, b, SCALES)) == pytest.approx(slow(a, b, SCALES), abs=1e-12)


def test_it_is_what_numpy_says_of_a_fixed_code():
    a, b = np.array([[0.0, 1.0], [2.0, -1.0], [0.5, 0.5]]), np.array([[1.0, 1.0], [-1.0, 0.0]])
    kernel = {
        key: np.array([[sum(4 * s / (4 * s + ((u - v) ** 2).sum()) for s in SCALES) for v in right] for u in left])
        for key, left, right in (("aa", a, a), ("bb", b, b), ("ab", a, b))
    }
    apart = kernel["aa"][~np.eye(3, dtype=bool)].mean() + kernel["bb"][~np.eye(2, dtype=bool)].mean()
    expected = apart - 2 * kernel["ab"].mean()
    assert float(discrepancy(torch.tensor(a), torch.tensor(b), SCALES)) == pytest.approx(expected, abs=1e-12)


def test_half_precision_around_it_costs_nothing():
    a, b = torch.randn(2, 50, 16).bfloat16()
    exact = discrepancy(a.float(), b.float(), SCALES)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for left, right in ((a, b), (a.float(), b.float()), (a, b.float())):
            found = discrepancy(left, right, SCALES)
            assert found.dtype == torch.float32
            torch.testing.assert_close(found, exact)


def test_it_is_zero_in_expectation_for_the_same_distribution_whatever_the_batch():
    for n in (4, 32):
        values = torch.stack([discrepancy(*torch.randn(2, n, 3), SCALES) for _ in range(1500)])
        error = float(values.std()) / 1500**0.5
        assert abs(float(values.mean())) < 4 * error
        assert error < 0.02
        assert float(values.min()) < 0  # unbiased, thus sometimes negative: clamped it would pull at good codes


def test_it_rises_with_the_distance_of_the_distributions():
    a, b = torch.randn(2, 300, 3)
    values = [float(discrepancy(a, b + shift, SCALES)) for shift in (0.0, 0.5, 1.0, 2.0)]
    assert values == sorted(values)
    assert values[1] > 5 * abs(values[0])


def test_gradients_agree_with_finite_differences_even_for_equal_codes():
    a = torch.randn(4, 3, dtype=torch.float64)
    a[1] = a[0]
    a.requires_grad_()
    b = torch.randn(5, 3, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda a: discrepancy(a, b, SCALES), a)


def test_codes_far_from_the_origin_lose_no_more_than_rounding():
    a, b = torch.randn(2, 20, 3)
    expected = slow(a.double() + 300, b.double() + 300, SCALES)
    assert float(discrepancy(a + 300, b + 300, SCALES)) == pytest.approx(expected, abs=1e-5)


def test_a_batch_of_one_row_gives_a_number():
    assert MMD.example()(plain_model(), Batch(torch.randn(1, 6))).total.isfinite()


def test_the_weight_multiplies_the_discrepancy_alone():
    model, batch = plain_model(), Batch(torch.randn(8, 6))
    losses = []
    for weight in (1.0, 5.0):
        torch.manual_seed(3)
        losses.append(MMD(weight)(model, batch).terms)
    torch.testing.assert_close(losses[1]["mmd"], 5 * losses[0]["mmd"])
    assert torch.equal(losses[1]["distortion"], losses[0]["distortion"])


@pytest.mark.parametrize("arguments", [{"weight": -1}, {"scales": ()}, {"scales": (1.0, 0.0)}])
def test_bad_arguments_are_refused(arguments):
    with pytest.raises(ConfigError, match=f"MMD: {next(iter(arguments))} must be"):
        MMD(**arguments)
