"""Both kinds of disentangled inferred prior."""

import numpy as np
import pytest
import torch
from exercise_models import variational_model
from torch.utils._python_dispatch import TorchDispatchMode

from xhat.core import Batch, GaussianCode
from xhat.core.errors import ConfigError
from xhat.parts.objectives._covariance import covariance
from xhat.parts.objectives.beta_elbo import BetaELBO
from xhat.parts.objectives.dip import DIP
from xhat.parts.objectives.dip_second import DIPSecond

KINDS = (DIP, DIPSecond)


@pytest.fixture
def model():
    return variational_model()


def matrix(kind, code: GaussianCode, weight=None) -> np.ndarray:
    """C by numpy."""
    mean, variance = (t.detach().double().numpy() for t in (code.mean, code.std**2))
    C = np.cov(mean.T, ddof=0, aweights=None if weight is None else weight.double().numpy())
    return C + np.diag(np.average(variance, 0, weight)) * (kind is DIPSecond)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weight", [None, torch.arange(40.0)])
def test_the_penalties_are_the_equations(model, kind, weight):
    batch = Batch(3 * torch.randn(40, 6), weight=weight)
    C = matrix(kind, model.encode(batch), weight)
    terms = kind(2.0, 5.0)(model, batch).terms
    off = 2 * sum(C[i, j] ** 2 for i in range(3) for j in range(3) if i != j)
    assert float(terms["off_diagonal"].detach()) == pytest.approx(off, rel=1e-4)
    assert float(terms["diagonal"].detach()) == pytest.approx(5 * sum((C[i, i] - 1) ** 2 for i in range(3)), rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_without_penalties_it_is_the_evidence_lower_bound(model, kind):
    batch, losses = Batch(torch.randn(9, 6)), []
    for objective in (kind(0, 0), BetaELBO()):
        torch.manual_seed(2)
        losses.append(objective(model, batch).total)
    torch.testing.assert_close(*losses)


def test_the_gradient_of_the_covariance_agrees_with_finite_differences():
    z, weight = torch.randn(5, 3, dtype=torch.float64, requires_grad=True), torch.rand(5, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda z: covariance(z, weight), z)


class Sizes(TorchDispatchMode):
    """Note the largest tensor that is made."""

    largest = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        if isinstance(made, torch.Tensor):
            self.largest = max(self.largest, made.numel())
        return made


def test_the_covariance_needs_no_matrix_for_every_row():
    with Sizes() as sizes:
        covariance(torch.randn(50, 20), None)
    assert sizes.largest == 50 * 20


def test_one_row_has_no_covariance(model):
    terms = DIP(1.0, 1.0)(model, Batch(torch.randn(1, 6))).terms
    assert (float(terms["off_diagonal"].detach()), float(terms["diagonal"].detach())) == (0.0, 3.0)


@pytest.mark.parametrize("kind", KINDS)
def test_training_makes_correlated_codes_uncorrelated_and_of_variance_one(kind):
    model = variational_model()
    factors = torch.randn(500, 3)
    batch = Batch(factors @ torch.randn(3, 6))
    objective = kind(10.0, 10.0)
    before = matrix(kind, model.encode(batch))
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(300):
        optimiser.zero_grad()
        terms = objective(model, batch).terms
        (terms["off_diagonal"] + terms["diagonal"]).backward()
        optimiser.step()
    after = matrix(kind, model.encode(batch))
    assert abs(before - np.eye(3)).max() > 0.3
    assert abs(after - np.eye(3)).max() < 0.05


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["off_diagonal", "diagonal"])
def test_negative_arguments_are_refused(kind, name):
    with pytest.raises(ConfigError, match=f"{kind.__name__}: {name} must be >= 0, got -1"):
        kind(**{name: -1})
