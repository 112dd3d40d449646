import torch
from torch import nn

from xhat.core.masked_linear import MaskedLinear

MASK = torch.tensor([[True, False, True], [False, False, False]])


def test_only_entries_under_the_mask_are_there():
    layer = MaskedLinear(MASK)
    x = torch.randn(4, 3)
    expected = nn.functional.linear(x, torch.where(MASK, layer.weight, 0.0))
    torch.testing.assert_close(layer(x), expected)
    layer(x).square().sum().backward()
    assert torch.equal(layer.weight.grad != 0, MASK)


def test_the_mask_is_not_saved():
    assert set(MaskedLinear(MASK).state_dict()) == {"weight", "bias"}
