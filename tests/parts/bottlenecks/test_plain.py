import torch

from xhat.core import Code
from xhat.parts.bottlenecks.plain import Plain


def test_the_encoding_is_the_code():
    h = torch.randn(5, 2, 4, 4)
    code = Plain((2, 4, 4))(h)
    assert type(code) is Code
    assert code.z is h
