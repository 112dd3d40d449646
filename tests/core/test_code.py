import pytest
import torch

from xhat.core import Code
from xhat.core.errors import ConfigError
from xhat.parts.priors.normal import Normal


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4, 4)])
def test_draws_of_a_point_are_the_point(shape):
    z = torch.randn(shape)
    assert torch.equal(Code(z).rsample(), z)
    assert torch.equal(Code(z).rsample(3).unflatten(0, (3, 2)), z.expand(3, *shape))


def test_a_point_has_no_kl():
    with pytest.raises(ConfigError, match=r"Code: a deterministic code has no KL divergence\. Use a bottleneck that"):
        Code(torch.zeros(2, 3)).kl(Normal((3,)))
