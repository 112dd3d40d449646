"""The stacked optimiser against torch's own and `SpikeClip`, model by model."""

import pytest
import torch

from xhat.engine.spike_clip import SpikeClip
from xhat.engine.stacked_adamw import StackedAdamW, move

LR, DECAY, CLIP = [1e-3, 2e-2, 0.1], [0.0, 0.1, 1.0], [5.0, 0.0, 1.01]


def rates(dtype=torch.float64):
    return [torch.tensor(values, dtype=dtype) for values in (LR, DECAY, CLIP)]


def test_each_row_moves_as_by_torchs_adamw_with_its_own_rates():
    theta = torch.randn(3, 40)
    singles = [torch.nn.Parameter(row.clone()) for row in theta]
    optimisers = [
        torch.optim.AdamW([p], lr=lr, weight_decay=decay) for p, lr, decay in zip(singles, LR, DECAY, strict=True)
    ]
    clips = [SpikeClip(factor) for factor in CLIP]
    stacked = StackedAdamW(theta, *rates())
    for step in range(1, 60):
        g = torch.randn(3, 40) * (10 if step % 7 == 0 else 1)  # spikes, which two of them cut
        share = step / 60
        for p, optimiser, clip, lr, row in zip(singles, optimisers, clips, LR, g, strict=True):
            p.grad = row.clone()
            clip([p.grad])
            optimiser.param_groups[0]["lr"] = lr * share
            optimiser.step()
        move(theta, g, stacked.state(), stacked.rates([share], step)[0])
    assert torch.allclose(theta, torch.stack([p.detach() for p in singles]), rtol=1e-5, atol=1e-6)


def test_a_past_of_zeros_holds_no_gradient_back():
    theta, clip = torch.zeros(1, 2), SpikeClip(5.0)
    stacked = StackedAdamW(theta, *(torch.tensor([value], dtype=torch.float64) for value in (0.1, 0.0, 5.0)))
    for step, value in enumerate((0.0, 1.0, 1.0), 1):
        g = torch.full((1, 2), value)
        single = g[0].clone()
        clip([single])
        move(theta, g, stacked.state(), stacked.rates([1.0], step)[0])
        assert stacked.length.item() == pytest.approx(float(clip.mean))
    assert (theta < 0).all()


def test_some_of_the_models_step_as_if_the_others_were_not_there():
    theta = torch.randn(3, 4)
    whole, g, some = StackedAdamW(theta, *rates()), torch.randn(3, 4), torch.tensor([0, 2])
    part, theta_part = whole.select(some), theta[some]
    move(theta_part, g[some], part.state(), part.rates([1.0], 1)[0])
    assert torch.equal(whole.m, torch.zeros(3, 4))  # a copy: not yet
    whole.put(some, part)
    before = theta.clone()
    other = StackedAdamW(theta, *rates())
    move(theta, g, other.state(), other.rates([1.0], 1)[0])
    assert torch.equal(theta[some], theta_part)
    assert torch.equal(whole.m[some], other.m[some])
    assert torch.equal(whole.m[1], torch.zeros(4))
    assert not torch.equal(before, theta)
