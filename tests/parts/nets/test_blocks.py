import pytest
import torch

from xhat.core.catalogue import find
from xhat.parts.nets._blocks import last_layer, started

NETS = ["linear", "mlp", "conv", "deconv", "resnet", "unet", "temporal"]


@pytest.mark.parametrize("side", ["encoder", "decoder"])
@pytest.mark.parametrize("name", NETS)
def test_with_a_last_layer_of_zeros_a_net_says_the_same_of_everything(name, side):
    net = find(f"nets/{name}.{side}").example()
    assert sum(module is net.last for module in net.modules()) == 1
    torch.nn.init.zeros_(net.last.weight)
    torch.nn.init.zeros_(net.last.bias)
    out = net(torch.randn(2, *net.in_shape))
    torch.testing.assert_close(out, torch.zeros_like(out))


def test_the_last_layer_of_a_chain_is_its_last_with_weights():
    chain = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Conv1d(2, 3, 1), torch.nn.ReLU())
    assert last_layer(chain) is chain[1]


@pytest.mark.parametrize(
    "layer",
    [
        torch.nn.Linear(64, 256),
        torch.nn.Conv1d(64, 32, 3, padding=1),
        torch.nn.Conv2d(64, 32, 3, padding=1),
        torch.nn.Conv2d(64, 32, 3, padding=1, bias=False),
        torch.nn.ConvTranspose2d(64, 32, 4, stride=2, padding=1),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_a_start_keeps_the_mean_square_of_what_relu_lets_through(layer):
    shape = {2: (64, 64), 3: (8, 64, 32), 4: (4, 64, 16, 16)}[layer.weight.ndim]
    out = started(layer)(torch.randn(shape).relu())
    inside = out[..., 2:-2, 2:-2] if out.ndim == 4 else out  # at borders a part of the sum is padding
    assert inside.square().mean().item() == pytest.approx(1, rel=0.25)
