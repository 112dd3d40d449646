import copy
import subprocess
import sys

import pytest
import torch
from torch import nn

from xhat.engine.adamw import AdamW

OPTIONS = {"lr": 1e-2, "betas": (0.8, 0.95), "weight_decay": 0.1}


def pair():
    """Two equal nets, one stepped by torch's AdamW and one by ours."""
    torch.manual_seed(0)
    ours = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3))
    theirs = copy.deepcopy(ours)
    return ours, AdamW(ours.parameters(), **OPTIONS), theirs, torch.optim.AdamW(theirs.parameters(), **OPTIONS)


def step(net, optimiser, x, *, skip=False):
    net(x).square().sum().backward()
    if skip:
        net[0].bias.grad = None
    optimiser.step()
    optimiser.zero_grad()


def assert_equal(ours, theirs):
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-6, atol=1e-7)


def test_it_moves_as_torchs_own_while_the_rate_changes():
    ours, our, theirs, their = pair()
    for i in range(8):
        x = torch.randn(6, 5)
        for net, optimiser in ((ours, our), (theirs, their)):
            optimiser.param_groups[0]["lr"] = 1e-2 / (1 + i)
            step(net, optimiser, x)
        assert_equal(ours, theirs)
    assert all(p.grad is None for p in ours.parameters())


def test_a_parameter_without_a_gradient_stays_and_its_count_with_it():
    ours, our, theirs, their = pair()
    for i in range(6):
        x = torch.randn(6, 5)
        for net, optimiser in ((ours, our), (theirs, their)):
            step(net, optimiser, x, skip=i in (0, 3))
        assert_equal(ours, theirs)
    counts = [float(our.state[p]["step"]) for p in ours.parameters()]
    assert counts == [6, 4, 6, 6]


@pytest.mark.parametrize("before", [0, 1, 3])
def test_a_state_goes_on_whatever_was_gathered_before(before):
    ours, our, theirs, their = pair()
    for _ in range(3):
        x = torch.randn(6, 5)
        step(ours, our, x)
        step(theirs, their, x)
    state, weights = copy.deepcopy(our.state_dict()), copy.deepcopy(ours.state_dict())
    other, optimiser, _, _ = pair()
    for _ in range(before):
        step(other, optimiser, torch.randn(6, 5))
    other.load_state_dict(weights)
    optimiser.load_state_dict(state)
    for _ in range(3):
        x = torch.randn(6, 5)
        step(other, optimiser, x)
        step(theirs, their, x)
    assert_equal(other, theirs)


def test_parameters_of_two_types_are_moved_as_well():
    one, two = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3, dtype=torch.float64))
    optimiser = AdamW([one, two], **OPTIONS)
    for _ in range(2):
        (one.sum() + two.sum()).backward()
        optimiser.step()
        optimiser.zero_grad()
    torch.testing.assert_close(one.double(), two)
    assert float(two[0].detach()) < 0.98


def test_a_fit_imports_nothing_slow_that_it_does_not_need():
    # A second and more each. Torch imports its tracer where its own optimisers are made, and where they step.
    program = """
import sys, numpy as np, xhat
x = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
for kind in ("ae", "vae"):
    xhat.fit(x, kind, epochs=1, latent=2, batch_size=20, device="cpu")
slow = {"torch._dynamo", "torch.distributed.tensor", "sklearn", "scipy.stats", "pandas", "matplotlib", "jinja2"}
print(*slow & sys.modules.keys())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
