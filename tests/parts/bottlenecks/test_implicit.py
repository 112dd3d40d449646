import pytest
import torch

from xhat.core.errors import ConfigError, ShapeError
from xhat.parts.bottlenecks.implicit import Implicit


def test_draws_are_the_net_at_the_encoding_and_at_noise():
    bottleneck, h = Implicit((2,), width=5, noise=3), torch.randn(4, 5)
    torch.manual_seed(3)
    drawn = bottleneck(h).rsample(2)
    torch.manual_seed(3)
    eta = torch.randn(8, 3)
    torch.testing.assert_close(drawn, bottleneck.net(torch.cat([torch.cat([h, h]), eta], 1)))
    torch.testing.assert_close(bottleneck(h).z, bottleneck.net(torch.cat([h, torch.zeros(4, 3)], 1)))


def test_one_row_can_have_two_modes():
    # z = (silu(100 η) - silu(100 η - 10)) / 5 - 1: about -1 for η < 0, about 1 for η > 0.1.
    bottleneck = Implicit((1,), width=2, noise=1)
    inner, outer = bottleneck.net[1], bottleneck.net[3]
    inner.weight.data = torch.tensor([[0.0, 0.0, 100.0], [0.0, 0.0, 100.0]])
    inner.bias.data = torch.tensor([0.0, -10.0])
    outer.weight.data, outer.bias.data = torch.tensor([[0.2, -0.2]]), torch.tensor([-1.0])
    z = bottleneck(torch.randn(1, 2)).rsample(2000)
    assert (z.abs() - 1).abs().lt(0.1).float().mean() > 0.9
    assert 0.4 < (z > 0).float().mean() < 0.6


def test_bad_arguments_are_refused():
    with pytest.raises(ShapeError, match=r"bottlenecks/implicit: codes must be flat, got \(2, 4, 4\)"):
        Implicit((2, 4, 4))
    with pytest.raises(ConfigError, match="bottlenecks/implicit: width must be >= 1, got 0"):
        Implicit((2,), width=0)
    with pytest.raises(ConfigError, match="bottlenecks/implicit: noise must be >= 1, got 0"):
        Implicit((2,), noise=0)
