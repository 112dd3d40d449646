import pytest
import torch

from xhat.core.errors import ConfigError
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder


def widths(net):
    return [layer.weight.shape[::-1] for layer in net.layers if hasattr(layer, "weight")]


def test_the_decoder_runs_through_the_encoders_widths_backwards():
    assert widths(MLPEncoder((2, 3), (4,), hidden=(8, 5))) == [(6, 8), (8, 5), (5, 4)]
    assert widths(MLPDecoder((4,), (2, 3), hidden=(8, 5))) == [(4, 5), (5, 8), (8, 6)]


def test_without_hidden_layers_it_is_linear():
    net = MLPEncoder((3,), (2,), hidden=())
    a, b = torch.randn(2, 5, 3)
    torch.testing.assert_close(net(a + b) + net(torch.zeros(5, 3)), net(a) + net(b))


@pytest.mark.parametrize(("activation", "slope"), [("relu", 0.0), ("tanh", -1.0)])
def test_the_named_activation_stands_between_the_layers(activation, slope):
    net = MLPEncoder((1,), (1,), hidden=(1,), activation=activation)
    for layer in (net.layers[0], net.layers[2]):
        layer.weight.data.fill_(1)
        layer.bias.data.fill_(0)
    assert net(torch.tensor([[-100.0]])).item() == slope


def test_signals_keep_their_size_through_many_layers():
    net = MLPEncoder((64,), (64,), hidden=(256,) * 6, activation="relu")
    assert 0.3 < net(torch.randn(200, 64)).std().item() < 3


def test_a_width_of_zero_and_an_unknown_activation_are_refused():
    with pytest.raises(ConfigError, match="nets/mlp: hidden widths must be >= 1"):
        MLPEncoder((3,), (2,), hidden=(8, 0))
    with pytest.raises(ConfigError, match=r"unknown activation, got 'sillu'\. Did you mean 'silu'\?"):
        MLPDecoder((3,), (2,), activation="sillu")
