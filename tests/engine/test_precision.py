import copy

import pytest
import tiny
import torch
from torch import nn

from xhat.core.errors import ConfigError
from xhat.engine import precision
from xhat.engine.checkpoint import read_checkpoint, write_checkpoint
from xhat.engine.precision import computing, resolved
from xhat.engine.step import Step
from xhat.engine.trainee import Trainee

HALVES = ("bf16", "16")


@pytest.fixture(autouse=True)
def _able(monkeypatch):
    """Every machine can emulate float16; few processors have it."""
    monkeypatch.setattr(precision, "has_float16", lambda device: device.type == "cpu")


def made(kind="vae", **settings):
    plan = tiny.plan(kind, **settings)
    return Trainee(plan.recipe.model, plan.recipe.objective, plan.scaling), plan


def losses(kind, name):
    """The terms of one batch, with the same draws at each precision."""
    trainee, plan = made(kind)
    batch = plan.data.batch(plan.split.train)
    torch.manual_seed(0)
    with computing(trainee.nets(), name):
        return trainee(batch)


@pytest.mark.parametrize("name", HALVES)
@pytest.mark.parametrize("kind", tiny.KINDS)
def test_a_loss_is_close_to_that_of_32_bits_and_its_sums_have_32(kind, name):
    whole, half = losses(kind, "32").terms, losses(kind, name).terms
    assert all(term.dtype == torch.float32 for term in half.values())
    for term in whole:
        torch.testing.assert_close(half[term].mean(), whole[term].mean(), rtol=2e-2, atol=1e-2)
    assert any(not torch.equal(half[term], whole[term]) for term in whole)  # it was computed otherwise


@pytest.mark.parametrize("name", HALVES)
def test_products_have_16_bits_and_gradients_32(name):
    seen = {}
    trainee, plan = made("vae")
    linear = next(m for m in trainee.model.encoder.modules() if isinstance(m, nn.Linear))
    linear.register_forward_hook(lambda module, given, answer: seen.update(dtype=answer.dtype))
    with computing(trainee.nets(), name) as half:
        assert half
        trainee(plan.data.batch(torch.arange(8))).total.backward()
    assert seen["dtype"] == precision.TYPES[name]
    assert all(p.dtype == p.grad.dtype == torch.float32 for p in trainee.model.encoder.parameters())


def test_gradients_point_where_those_of_32_bits_do():
    def gradient(name):
        trainee, plan = made("ae")
        with computing(trainee.nets(), name):
            trainee(plan.data.batch(torch.arange(100))).total.backward()
        return torch.cat([p.grad.flatten() for p in trainee.parameters() if p.grad is not None])

    whole, half = gradient("32"), gradient("bf16")
    assert torch.cosine_similarity(whole, half, dim=0) > 0.999


def test_nets_are_given_back_also_after_an_error():
    trainee, plan = made("ae")
    batch = plan.data.batch(torch.arange(8))
    before = trainee(batch).terms["distortion"]
    with pytest.raises(RuntimeError, match="stop"), computing(trainee.nets(), "bf16"):
        raise RuntimeError("stop")
    with pytest.raises(RuntimeError, match="shape"), computing(trainee.nets(), "bf16"):
        trainee.model.encoder(torch.zeros(2, 3))
    assert not torch.is_autocast_enabled("cpu")
    assert all("forward" not in vars(net) for net in trainee.nets())
    assert torch.equal(trainee(batch).terms["distortion"], before)


def test_a_copy_computes_with_its_own_weights():
    trainee, _ = made("ae")
    x = torch.rand(4, 1, 8, 8)
    with computing(trainee.nets(), "bf16"):
        other = copy.deepcopy(trainee)
        with torch.no_grad():
            for parameter in trainee.parameters():
                parameter.zero_()
        assert other.model.encoder(x).abs().sum() > 0
        assert trainee.model.encoder(x).abs().sum() == 0


def test_32_leaves_nets_alone():
    trainee, _ = made("ae")
    with computing(trainee.nets(), "32") as half:
        assert not half
        assert all("forward" not in vars(net) for net in trainee.nets())


@pytest.mark.parametrize("step", [1, tiny.STEPS + 3])
def test_a_continued_run_equals_one_that_went_through(tmp_path, step):
    def run(*hooks):
        return tiny.training(tiny.plan("vae", precision="bf16"), *hooks)

    whole = run()
    whole.run()
    begun = run(tiny.CtrlC(step))
    assert begun.run() == "interrupted"
    write_checkpoint(tmp_path / "last", begun.state())
    continued = run()
    continued.restore(read_checkpoint(tmp_path / "last"))
    assert continued.run() == "finished"
    assert tiny.same(continued.state(), whole.state())
    assert all(value.dtype != torch.bfloat16 for value in read_checkpoint(tmp_path / "last")["trainee"].values())


def test_a_forward_of_the_instances_own_is_asked_and_stays():
    net = nn.Linear(4, 4)
    net.forward = lambda x: torch.mm(x, 2 * torch.eye(4))
    with computing([net], "bf16"):
        assert torch.equal(net(torch.full((1, 4), 1.001)), torch.full((1, 4), 2.0))
    assert torch.allclose(net(torch.full((1, 4), 1.001)), torch.full((1, 4), 2.002))


def test_a_fitted_model_has_32_bits_and_computes_with_them():
    fitted = tiny.fit("ae", precision="bf16")
    assert all(p.dtype == torch.float32 for p in fitted.model.parameters())
    codes = fitted.encode(tiny.data())
    assert (codes != torch.from_numpy(codes).bfloat16().float().numpy()).any()


@pytest.mark.parametrize(
    ("net", "able", "name"),
    [
        (nn.Conv2d(16, 32, 3), True, "bf16"),
        (nn.Conv2d(16, 32, 3), False, "32"),
        (nn.Conv2d(3, 32, 3), True, "32"),
        (nn.Linear(16, 32), True, "32"),
        (nn.Linear(784, 512), True, "bf16"),
        (nn.Linear(784, 64), True, "32"),
    ],
)
def test_auto_takes_half_the_bits_where_the_device_has_them_and_a_net_is_wide(monkeypatch, net, able, name):
    monkeypatch.setattr(precision, "has_bf16", lambda device: able)
    assert resolved([nn.Linear(2, 2), net], "auto") == name


def test_a_device_that_cannot_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(precision, "has_float16", lambda device: False)
    rule = r"precision: 16 needs a device with instructions for float16, got cpu\. Use bf16 or 32\."
    with pytest.raises(ConfigError, match=rule):
        tiny.fit("ae", precision="16")


# Loss scaling


def stepped(name, steps=6):
    trainee, plan = made("ae", precision=name)
    trainee.train()
    step = Step(trainee, plan.settings, steps)
    with computing(trainee.nets(), name):
        for i in range(steps):
            step(plan.data.batch(plan.split.train[32 * i % 160 :][:32]))
    return trainee, step


def test_float16_scales_its_loss_and_moves_as_32_bits_do():
    whole, _ = stepped("32")
    half, step = stepped("16")
    assert step.scaler.is_enabled()
    for p, q in zip(whole.parameters(), half.parameters(), strict=True):
        torch.testing.assert_close(q, p, rtol=5e-2, atol=2e-2)


def test_a_gradient_that_overflows_moves_nothing_and_halves_the_scale():
    trainee, plan = made("ae", precision="16")
    step = Step(trainee.train(), plan.settings, 10)
    batch = plan.data.batch(torch.arange(32))
    with computing(trainee.nets(), "16"):
        step.scaler.scale(torch.zeros(()))
        step.scaler.update(256.0)
        step(batch)
        before, mean = copy.deepcopy(trainee.state_dict()), step.clip.mean
        step.scaler.update(1e38)  # no half can hold a gradient times this
        step(batch)
        assert tiny.same(dict(trainee.state_dict()), dict(before))
        assert step.clip.mean == mean
        assert step.scaler.get_scale() == pytest.approx(0.5e38)
        step.scaler.update(256.0)
        step(batch)
        assert not tiny.same(dict(trainee.state_dict()), dict(before))


def test_the_scale_is_part_of_the_state():
    _, step = stepped("16")
    step.scaler.update(1024.0)
    _, other = stepped("16", steps=1)
    other.restore(copy.deepcopy(step.state()))
    assert other.scaler.get_scale() == 1024.0
    _, whole = stepped("32", steps=1)
    assert not whole.scaler.is_enabled()
