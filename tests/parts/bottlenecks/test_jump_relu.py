import math

import pytest
import torch

from xhat.core.errors import ConfigError
from xhat.parts.bottlenecks.jump_relu import JumpReLU


def at(*thresholds, target=1.0, **options):
    bottleneck = JumpReLU((len(thresholds),), target, **options)
    with torch.no_grad():
        bottleneck.log_threshold.copy_(torch.tensor(thresholds).log())
    return bottleneck


def active(z):
    return float((z != 0).sum(1).float().mean())


def test_what_exceeds_the_threshold_passes_as_it_is():
    h = torch.tensor([[0.9, 0.9, -5.0], [1.1, 2.1, 0.4]])
    assert at(1.0, 2.0, 0.3).eval()(h).z.tolist() == [[0, 0, 0], pytest.approx([1.1, 2.1, 0.4])]


def test_a_gradient_passes_to_what_fires_and_none_of_the_penalty_reaches_the_encoding():
    bottleneck, h = at(1.0, 2.0), torch.randn(50, 2).mul(2).requires_grad_()
    weight = torch.randn(50, 2)
    code = bottleneck(h)
    (code.z * weight).sum().backward()
    assert torch.equal(h.grad, weight * (h > bottleneck.threshold))
    with torch.no_grad():
        bottleneck.worth.fill_(1.0)
    h.grad = None
    bottleneck(h).terms["sparsity"].backward()
    assert h.grad is None or not h.grad.any()


def test_the_pseudo_derivatives_are_the_papers():
    # Rajamanoharan et al., eqs. 11 and 12, with a bandwidth of ε θ, times θ for the logarithm.
    bottleneck = at(1.0, 2.0, bandwidth=0.5)
    theta, h, weight = torch.tensor([1.0, 2.0]), 3 * torch.rand(200, 2), torch.randn(200, 2)
    width = 0.5 * theta
    kernel = (((h - theta) / width).abs() < 0.5).float()
    code = bottleneck(h)
    (code.z * weight).sum().backward()
    expected = theta * (weight * -(theta / width) * kernel).sum(0)
    torch.testing.assert_close(bottleneck.log_threshold.grad, expected)
    bottleneck.log_threshold.grad = None
    bottleneck.worth.fill_(1.0)
    bottleneck.shift.zero_()
    bottleneck(h).terms["sparsity"].backward()
    price = float(bottleneck.target * bottleneck.worth)
    torch.testing.assert_close(bottleneck.log_threshold.grad, price * theta * (-kernel / width).mean(0))


def test_they_are_the_derivatives_of_means_over_rows():
    # h is exponential: E[H(h - θ)] = exp(-θ) and E[z] = (1 + θ) exp(-θ), of which the step's part is -θ exp(-θ).
    theta = 1.5
    bottleneck = at(theta, target=0.5, bandwidth=0.2)
    bottleneck.worth.fill_(1.0)
    h = -torch.rand(400_000, 1, dtype=torch.float64).log().float()
    code = bottleneck(h)
    code.terms["sparsity"].backward(retain_graph=True)
    assert float(bottleneck.log_threshold.grad) == pytest.approx(-theta * math.exp(-theta), rel=0.02)
    bottleneck.log_threshold.grad = None
    code.z.mean().backward()
    assert float(bottleneck.log_threshold.grad) == pytest.approx(-(theta**2) * math.exp(-theta), rel=0.02)


def test_the_first_look_meets_the_target_unit_by_unit():
    bottleneck = JumpReLU((50,), 5.0)
    h = torch.randn(1000, 50) * torch.linspace(0.1, 10, 50)
    bottleneck.begin(h)
    fires = (bottleneck(h).z != 0).float()
    assert active(fires) == pytest.approx(5, rel=0.02)
    torch.testing.assert_close(fires.mean(0), torch.full((50,), 0.1), rtol=0.05, atol=0)


def test_the_price_leaves_the_thresholds_where_they_are_on_the_whole():
    bottleneck = at(*[1.0] * 20, target=4.0)
    true = torch.linspace(0.5, 3, 20)  # nats that a unit saves by firing
    for _ in range(300):
        bottleneck.log_threshold.grad = None
        h = 2 * torch.rand(100, 20, requires_grad=True)
        code = bottleneck(h)
        bottleneck.shift.zero_()
        (-(code.z * true).sum(1).mean() + code.terms["sparsity"]).backward()
    pull = bottleneck.log_threshold.grad
    assert float(bottleneck.price) == pytest.approx(4.0 * float(true.mean()), rel=0.05)
    assert abs(float(pull.mean())) < 0.1 * float(pull.abs().mean())
    assert pull[0] < 0 < pull[-1]  # what is worth little fires less often, what is worth much more often


def test_a_unit_that_is_worth_more_gets_a_lower_threshold():
    bottleneck = at(*[1.0] * 10, target=3.0)
    true = torch.linspace(0.2, 3, 10)
    optimiser = torch.optim.Adam(bottleneck.parameters(), lr=1e-2)
    decay = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.01, 250)
    for _ in range(250):
        code = bottleneck(torch.randn(256, 10).requires_grad_())
        (-(code.z * true).sum(1).mean() + code.terms["sparsity"]).backward()
        optimiser.step()
        decay.step()
        optimiser.zero_grad()
    assert bottleneck.threshold[0] > 1.3 * bottleneck.threshold[-1]
    assert active(bottleneck.eval()(torch.randn(20_000, 10)).z) == pytest.approx(3, rel=0.05)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_the_target_is_met_whatever_the_scale_of_the_loss_and_of_the_encodings(scale):
    bottleneck = JumpReLU((64,), 8.0)
    bottleneck.begin(scale * torch.randn(500, 64))
    optimiser = torch.optim.Adam(bottleneck.parameters(), lr=2e-3)
    for step in range(400):
        h = scale * (1 + min(step, 200) / 100) * torch.randn(64, 64)  # which grows: fixed thresholds would miss it
        code = bottleneck(h.requires_grad_())
        (((code.z - h) ** 2).sum(1).mean() * 100 + code.terms["sparsity"]).backward()
        optimiser.step()
        optimiser.zero_grad()
    assert active(bottleneck.eval()(3 * scale * torch.randn(4000, 64)).z) == pytest.approx(8, rel=0.05)


def test_epochs_compare_in_evaluation_whatever_the_price():
    bottleneck, h = at(1.0, 2.0), torch.randn(50, 2)
    bottleneck.worth.fill_(3.0)
    assert bottleneck(h).terms["sparsity"] != 0
    assert bottleneck.eval()(h).terms["sparsity"] == 0


def test_evaluation_and_passes_without_gradient_change_nothing():
    bottleneck = JumpReLU.example()
    before = {name: value.clone() for name, value in bottleneck.state_dict().items()}
    bottleneck.eval()(torch.randn(9, 8))
    with torch.no_grad():
        bottleneck.train()(torch.randn(9, 8))
    assert all(torch.equal(value, before[name]) for name, value in bottleneck.state_dict().items())
    bottleneck(torch.randn(9, 8))
    assert not torch.equal(bottleneck.shift, before["shift"])


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"target": 0}, "target must be above 0 and below the code's 8 units"),
        ({"target": 8}, "target must be above 0 and below the code's 8 units"),
        ({"target": 2, "bandwidth": 0}, r"bandwidth must be in \(0, 2\]"),
    ],
)
def test_bad_arguments_are_refused(arguments, rule):
    with pytest.raises(ConfigError, match=f"JumpReLU: {rule}"):
        JumpReLU((8,), **arguments)
