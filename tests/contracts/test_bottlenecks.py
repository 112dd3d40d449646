"""What every bottleneck keeps."""

import pytest
import torch
from exercise import example, kinds

from xhat.core import Code, GaussianCode, catalogue

EVERY = kinds("bottlenecks")


@pytest.fixture(params=EVERY)
def bottleneck(request):
    return example(request.param)


def encodings(bottleneck, n=5):
    return torch.randn(n, *bottleneck.in_shape, requires_grad=True)


def test_it_emits_the_declared_code_of_the_declared_shape(bottleneck):
    code = bottleneck(encodings(bottleneck))
    assert isinstance(code, bottleneck.emits)
    assert code.z.shape == (5, *bottleneck.code_shape)
    assert len(code) == 5
    assert code.z.isfinite().all()


@pytest.mark.parametrize("k", [1, 3])
def test_k_draws_are_stacked_draw_after_draw(bottleneck, k):
    h = encodings(bottleneck).detach()
    code = bottleneck(h)
    assert code.rsample(k).shape == (k * 5, *bottleneck.code_shape)
    if type(code).rsample is Code.rsample:  # points; those of a small codebook may meet
        assert torch.equal(code.rsample(k), torch.cat([code.z] * k))
        return
    # The mean of a row's draws is nearest to that row's own code: rows are not mixed up.
    draws = code.rsample(400).unflatten(0, (400, 5)).mean(0).flatten(1)
    assert torch.equal(torch.cdist(draws, code.z.flatten(1)).argmin(1), torch.arange(5))


def test_the_code_itself_is_deterministic(bottleneck):
    h = encodings(bottleneck)
    bottleneck.eval()
    assert torch.equal(bottleneck(h).z, bottleneck(h).z)


def test_a_row_has_the_same_code_in_any_batch(bottleneck):
    h = encodings(bottleneck)
    bottleneck.eval()
    torch.testing.assert_close(bottleneck(h).z[1:3], bottleneck(h[1:3]).z)


def test_gradients_reach_the_encoding(bottleneck):
    h = encodings(bottleneck)
    draws = bottleneck(h).rsample()
    (draws * torch.randn_like(draws)).sum().backward()
    assert h.grad.isfinite().all()
    assert (h.grad.flatten(1) != 0).any(1).all()


@pytest.mark.parametrize("kind", [kind for kind in EVERY if issubclass(catalogue.find(kind).emits, GaussianCode)])
def test_the_draws_of_a_gaussian_average_to_its_code(kind):
    bottleneck = example(kind)
    code = bottleneck(encodings(bottleneck).detach())
    draws = code.rsample(4000).unflatten(0, (4000, 5))
    assert ((draws.mean(0) - code.mean).abs() <= 5 * code.std / 4000**0.5).all()
    torch.testing.assert_close(draws.std(0), code.std, rtol=0.1, atol=0)
