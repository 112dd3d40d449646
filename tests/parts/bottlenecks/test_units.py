import torch

from xhat.core import UnitCode
from xhat.parts.bottlenecks.rectified import Rectified
from xhat.parts.bottlenecks.sigmoid import Sigmoid


def test_sigmoid_units_lie_between_0_and_1():
    h = torch.tensor([[-1e4, 0.0, 1.0]])
    code = Sigmoid((3,))(h)
    assert isinstance(code, UnitCode)
    torch.testing.assert_close(code.z, torch.tensor([[0.0, 0.5, 1 / (1 + torch.e**-1)]]))


def test_rectified_units_are_exactly_silent_or_as_they_were():
    h = torch.tensor([[-2.0, 0.0, 3.0]])
    assert torch.equal(Rectified((3,))(h).z, torch.tensor([[0.0, 0.0, 3.0]]))
