"""Parts on a device that has no doubles, as Apple's: what is measured in double is measured on the host."""

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from xhat.parts.bottlenecks.ordered import Ordered
from xhat.parts.likelihoods.matched import Matched
from xhat.parts.priors.empirical import Empirical
from xhat.parts.priors.mixture import Mixture
from xhat.parts.priors.normal import Normal
from xhat.parts.priors.petals import Petals


class NoDoubles(TorchFunctionMode):
    """Refuse `double` of any tensor that was not brought to the host right before."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is Tensor.cpu:
            host = args[0].clone()  # the CPU gives a CPU's tensor back itself
            host.on_host = True
            return host
        if func is Tensor.double and not getattr(args[0], "on_host", False):
            raise TypeError("this device has no float64")
        return func(*args, **(kwargs or {}))


def test_the_device_of_this_test_refuses():
    with NoDoubles(), pytest.raises(TypeError, match="no float64"):
        torch.ones(2).double()
    with NoDoubles():
        assert torch.ones(2).cpu().double().dtype == torch.float64


@pytest.mark.parametrize(
    "prior", [Normal((2,)), Empirical((2,)), Petals(3), Mixture((2,), 2)], ids=lambda prior: type(prior).__name__
)
def test_priors_are_fitted(prior):
    z = torch.randn(400, 2) * torch.tensor([2.0, 0.5]) + 5
    with NoDoubles():
        prior.fit(z)
        assert prior.log_prob(z).isfinite().all()
        drawn = prior.sample(4000)
    assert drawn.dtype == torch.float32
    torch.testing.assert_close(drawn.mean(0), z.mean(0), rtol=0, atol=0.3)


def test_an_ordered_code_is_cut():
    with NoDoubles():
        z = Ordered((4,))(torch.ones(1000, 4)).z
    assert (z[:, 0] == 1).all()
    assert 0.2 < float((z[:, 3] == 1).float().mean()) < 0.3


def test_an_ordered_code_stores_nothing():
    assert Ordered((4,)).state_dict() == {}


def test_elements_are_matched():
    likelihood = Matched.example()
    with NoDoubles():
        assert likelihood(torch.randn(2, 3, 2)).log_prob(torch.rand(2, 3, 2)).isfinite().all()
