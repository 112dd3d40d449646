"""What every corruption keeps."""

import inspect

import pytest
import torch
from exercise import example, kinds, x_shape_of

from xhat.core import build, catalogue, config

EVERY = kinds("corruptions")

# The names under which a corruption says how much it spoils.
STRENGTHS = ("sigma", "share", "strength", "rate", "probability")


def strengths(kind):
    return [name for name in STRENGTHS if name in inspect.signature(catalogue.find(kind)).parameters]


@pytest.fixture(params=EVERY)
def corruption(request):
    return example(request.param)


@pytest.fixture
def x(corruption):
    return 0.1 + torch.rand(8, *x_shape_of(corruption, (2, 8, 8)))


def test_it_keeps_shape_and_type_and_leaves_the_input_alone(corruption, x):
    before = x.clone()
    spoiled = corruption(x)
    assert spoiled.shape == x.shape
    assert spoiled.dtype == x.dtype
    assert torch.equal(x, before)


def test_it_spoils_something_of_most_rows(corruption, x):
    assert (corruption(x) != x).flatten(1).any(1).sum() >= 4


def test_the_global_seed_decides(corruption, x):
    torch.manual_seed(3)
    first, second = corruption(x), corruption(x)
    torch.manual_seed(3)
    assert torch.equal(corruption(x), first)
    assert not torch.equal(first, second)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (kind, name)
        for kind in EVERY
        for name in STRENGTHS
        if name in inspect.signature(catalogue.find(kind)).parameters
    ],
)
def test_no_strength_is_the_identity(kind, name):
    corruption = build(config(example(kind)) | {name: 0})
    x = torch.rand(8, *x_shape_of(corruption, (2, 8, 8)))
    assert torch.equal(corruption(x), x)
