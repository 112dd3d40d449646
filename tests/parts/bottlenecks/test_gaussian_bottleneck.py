import math

import pytest
import torch

from xhat.parts.bottlenecks.gaussian import HIGHEST, LOWEST, Gaussian


@pytest.mark.parametrize("shape", [(3,), (2, 4, 4)])
def test_the_first_half_is_the_mean_and_the_second_the_log_variance(shape):
    bottleneck = Gaussian(shape)
    assert bottleneck.in_shape == (2 * shape[0], *shape[1:])
    h = torch.randn(5, *bottleneck.in_shape)
    code = bottleneck(h)
    assert torch.equal(code.mean, h[:, : shape[0]])
    assert torch.equal(code.log_var, h[:, shape[0] :])
    assert code.z is code.mean


def test_no_encoding_makes_the_variance_overflow_or_vanish():
    code = Gaussian((1,))(torch.tensor([[0.0, 1e9], [0.0, -1e9]]))
    assert code.log_var.tolist() == [[HIGHEST], [LOWEST]]
    assert code.std.tolist() == [[pytest.approx(math.exp(5))], [pytest.approx(math.exp(-10))]]


def test_an_encoding_without_rows_of_channels_is_refused():
    with pytest.raises(TypeError, match=r"Gaussian\.forward"):
        Gaussian((3,))(torch.zeros(6))
