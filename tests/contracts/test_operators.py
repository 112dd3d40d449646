"""What every operator keeps: its adjoint is one, its data step is solved, its start is an image."""

import importlib
import inspect
import pkgutil

import pytest
import torch

from xhat.restore import operators
from xhat.restore._normalised import norm
from xhat.restore.operator import Operator

NAMES = sorted(m.name for m in pkgutil.iter_modules(operators.__path__) if not m.name.startswith("_"))


def found(name):
    module = importlib.import_module(f"xhat.restore.operators.{name}")
    classes = [c for c in vars(module).values() if inspect.isclass(c) and c.__module__ == module.__name__]
    return [c for c in classes if not c.__name__.startswith("_")]


@pytest.fixture(params=NAMES)
def operator(request):
    return found(request.param)[0].example().double()


@pytest.fixture
def x(operator):
    torch.manual_seed(0)
    channels = 3 if type(operator).__name__ in ("Demosaic", "CompressSense") else 2
    return torch.randn(3, channels, 12, 10, dtype=torch.float64)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_one_operator_with_its_equation(name):
    (cls,) = found(name)
    assert issubclass(cls, Operator)
    assert cls.__name__.lower() == name.replace("_", "")
    assert ":math:" in cls.__doc__ or ".. math::" in cls.__doc__


def test_the_adjoint_is_the_adjoint(operator, x):
    y = torch.randn_like(operator(x))
    left, right = (operator(x) * y).flatten(1).sum(1), (x * operator.adjoint(y)).flatten(1).sum(1)
    torch.testing.assert_close(left, right, rtol=1e-10, atol=1e-10)
    assert operator.adjoint(y).shape == x.shape


def test_what_is_said_to_contract_does(operator, x):
    if not operator.contracts:
        return
    assert (operator(x).flatten(1).norm(dim=1) <= x.flatten(1).norm(dim=1)).all()
    assert norm(operator, x) <= 1 + 1e-12


def test_it_is_linear_and_treats_each_image_alone(operator, x):
    torch.testing.assert_close(operator(2 * x[:1] - x[1:2]), 2 * operator(x[:1]) - operator(x[1:2]))
    torch.testing.assert_close(operator(x)[1:2], operator(x[1:2]))
    assert operator(x).dtype == torch.float64


@pytest.mark.parametrize("rho", [0.01, 1.0, 30.0])
def test_the_data_step_is_solved(operator, x, rho):
    operator.precision = 1e-12
    y, v = operator(x) + 0.1 * torch.randn_like(operator(x)), torch.randn_like(x)
    best = operator.prox(v, y, rho)
    gradient = operator.adjoint(operator(best) - y) + rho * (best - v)
    assert float(gradient.abs().max()) < 1e-8 * (1 + rho)


def test_a_large_weight_keeps_the_prior_s_image_and_a_small_one_the_data_s(operator, x):
    y, v = operator(x), torch.randn_like(x)
    torch.testing.assert_close(operator.prox(v, y, 1e9), v, rtol=0, atol=1e-6)
    operator.precision, operator.most = 1e-12, 500
    torch.testing.assert_close(operator(operator.prox(v, y, 1e-7)), y, rtol=0, atol=1e-3)


def test_it_starts_at_images_that_fit(operator, x):
    start = operator.start(operator(x))
    assert start.shape == x.shape
    assert start.isfinite().all()
    # Of a constant image the start is that image, wherever the borders lie, unless pixels are mixed at random.
    if type(operator).__name__ not in ("CompressSense", "Custom"):
        constant = torch.full_like(x, 0.4) if type(operator).__name__ != "Blur" else x[..., :1, :1].expand_as(x)
        scale = float(operator.kernel.sum()) if hasattr(operator, "kernel") else 1.0
        torch.testing.assert_close(operator.start(operator(constant)), scale * constant)


def test_the_trace_is_that_of_the_matrix(operator, x):
    torch.manual_seed(1)
    shape = x.shape[1:]
    basis = torch.eye(shape.numel(), dtype=torch.float64).unflatten(1, shape)
    exact = float((operator(basis) ** 2).sum())
    y = operator(x)
    trace = operator.trace(y, draws=200)
    assert trace.shape == (3,)
    torch.testing.assert_close(trace, torch.full_like(trace, exact), rtol=0.08, atol=0)


@pytest.mark.parametrize("rho", [6e-6, 6e-4, 4e-3])
def test_the_data_step_is_solved_in_single_precision_at_the_weights_that_solvers_use(operator, x, rho):
    torch.manual_seed(2)
    operator.precision, operator.most = 1e-12, 500
    x = (0.5 + 0.1 * x).clamp(0, 1)
    y, v = operator(x) + 0.01 * torch.randn_like(operator(x)), (x + 0.05 * torch.randn_like(x)).clamp(0, 1)
    exact = operator.prox(v, y, rho)
    operator.precision, operator.most = type(operator).precision, type(operator).most
    single = operator.float().prox(v.float(), y.float(), rho)
    # A quarter of an 8-bit step.
    torch.testing.assert_close(single.double(), exact, rtol=0, atol=0.25 / 255)
