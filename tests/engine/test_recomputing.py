"""Steps in less memory: activations computed twice, and gradients added up from parts of a batch."""

import copy

import pytest
import tiny
import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks

from xhat.core.batch import Batch
from xhat.core.errors import ConfigError
from xhat.engine.recomputing import recomputing, stages
from xhat.engine.settings import TrainSettings
from xhat.parts.nets.mlp import MLPEncoder
from xhat.parts.nets.unet import UNetDecoder, UNetEncoder

UNET = {"widths": (4, 8), "blocks": 2}


def nets():
    torch.manual_seed(0)
    return UNetEncoder((1, 16, 16), (6,), **UNET), UNetDecoder((6,), (1, 16, 16), **UNET)


def gradient(parts, *, wanted):
    """Give the gradient of a copy's error, and the bytes that were kept for it."""
    kept, x = [], torch.randn(5, 1, 16, 16, generator=torch.Generator().manual_seed(1))

    def keep(tensor):
        kept.append(tensor.nbytes)
        return tensor

    f, g = parts
    with recomputing(list(parts), wanted):
        with saved_tensors_hooks(keep, lambda tensor: tensor):
            loss = (g(f(x)) - x).square().mean()
        forward = sum(kept)
        found = torch.autograd.grad(loss, [*f.parameters(), *g.parameters()])
    return found, forward


def test_gradients_are_the_same_and_less_is_kept_for_them():
    parts = nets()
    (plain, much), (again, little) = gradient(parts, wanted=False), gradient(parts, wanted=True)
    for one, other in zip(plain, again, strict=True):
        assert torch.equal(one, other)
    assert little < 0.75 * much
    assert all("forward" not in vars(m) for net in parts for m in net.modules())


def test_stages_are_blocks_and_no_single_layers():
    encoder, _ = nets()
    found = stages(encoder)
    assert [type(stage).__name__ for stage in found] == ["_Residual"] * 4 + ["Sequential"]
    (only,) = stages(MLPEncoder((6,), (3,), hidden=(8, 8)))
    assert isinstance(only, nn.Sequential)


@pytest.mark.parametrize("kind", ["ae", "vae", "vqvae", "aae"])
def test_a_run_that_computes_twice_ends_in_the_same_weights(kind):
    usual, thrifty = (
        tiny.training(tiny.plan(kind, batch_size=60, gradient_checkpointing=wanted)) for wanted in (False, True)
    )
    usual.run()
    thrifty.run()
    for (name, one), other in zip(usual.trainee.named_parameters(), thrifty.trainee.parameters(), strict=True):
        assert torch.equal(one, other), name


@pytest.mark.parametrize("weighted", [False, True])
def test_a_step_in_parts_is_the_step_of_the_whole_batch(weighted):
    whole, parts = (tiny.training(tiny.plan("ae", batch_size=60, accumulate=k)) for k in (1, 4))
    rows = torch.arange(58)  # of parts that are not equally large
    batch = whole.trainee.ready(whole.data.batch(rows))
    if weighted:
        batch = Batch(batch.x, weight=torch.linspace(0, 2, 58))
    for _ in range(3):
        means = [training.step.take(batch) for training in (whole, parts)]
        assert means[0].keys() == means[1].keys()
        for name in means[0]:
            torch.testing.assert_close(means[0][name], means[1][name], rtol=1e-5, atol=0)
    for one, other in zip(whole.trainee.parameters(), parts.trainee.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_what_is_of_a_batch_as_a_whole_is_not_added_up():
    training = tiny.training(tiny.plan("wae", batch_size=60, accumulate=2))
    with pytest.raises(ConfigError, match=r"accumulate: the term '\w+' is of a batch as a whole"):
        training.run()


def test_it_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ConfigError, match="is of a batch as a whole"):
        tiny.fit("wae", accumulate=2, out=tmp_path / "run")
    assert not (tmp_path / "run" / "model.safetensors").exists()
    assert not (tmp_path / "run" / "summary.json").exists()


def test_a_copy_of_a_net_computes_by_itself():
    net = nn.Sequential(nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)), nn.Sequential(nn.Linear(3, 2)))
    with recomputing([net], True):
        twin = copy.deepcopy(net)
        twin(torch.randn(8, 3)).sum().backward()
    assert torch.equal(net[0][1].running_mean, torch.zeros(3))
    assert not torch.equal(twin[0][1].running_mean, torch.zeros(3))


def test_a_whole_run_in_parts_has_a_critic_of_parts_as_well():
    training = tiny.training(tiny.plan("aae", batch_size=60, accumulate=3))
    assert training.run() == "finished"
    assert all("critic_" in "".join(epoch.train) for epoch in training.history.epochs[1:])


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"accumulate": 0}, "accumulate must be >= 1"),
        ({"accumulate": 2.5}, "accumulate must be a whole number"),
        ({"gradient_checkpointing": "yes"}, "gradient_checkpointing must be true or false"),
    ],
)
def test_bad_choices_are_refused(settings, rule):
    with pytest.raises(ConfigError, match=rule):
        TrainSettings(**settings)


def test_more_parts_than_rows_are_refused():
    with pytest.raises(ConfigError, match="accumulate must be at most the 8 rows of a batch"):
        TrainSettings(batch_size=8, accumulate=9).resolved(100)
