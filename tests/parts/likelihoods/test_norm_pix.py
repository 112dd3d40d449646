import math

import pytest
import torch
from torch import Tensor

from xhat.core.errors import ConfigError, ShapeError
from xhat.parts.likelihoods.norm_pix import NormPix

SHAPES = [(1, 8, 8), (3, 8, 4), (2, 5, 7), (1, 3, 9), (2, 1, 1)]


def patches(shape: tuple[int, ...], side: int) -> list[tuple[slice, slice, slice]]:
    """Where each patch lies in an image."""
    _, height, width = shape
    corners = [(i, j) for i in range(0, height, side) for j in range(0, width, side)]
    return [(slice(None), slice(i, i + side), slice(j, j + side)) for i, j in corners]


def statistics(patch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """n, m and log s by their definition."""
    m, s = patch.mean(), (patch.var(unbiased=False) + 1e-6).sqrt()
    return (patch - m) / s, m, s.log()


def own(x: Tensor, side: int) -> Tensor:
    """θ that holds the statistics of images x themselves."""
    theta = torch.zeros(len(x), x.shape[1] + 2, *x.shape[2:])
    for row, image in zip(theta, x, strict=True):
        for at in patches(image.shape, side):
            row[:-2][at], row[-2:-1][at], row[-1:][at] = statistics(image[at])
    return theta


def slowly(x: Tensor, theta: Tensor, side: int, tau: float, mask: Tensor) -> Tensor:
    """The definition, patch by patch, of one image."""
    total = torch.zeros(())
    for at in patches(x.shape, side):
        if not mask[at].any():
            continue
        n, m, log_s = statistics(x[at][mask[at]])
        total = total - 0.5 * ((n - theta[:-2][at][mask[at]]) ** 2 + math.log(2 * math.pi)).sum()
        total = total - 0.5 * ((m - theta[-2:-1][at].mean()) / tau) ** 2 - math.log(tau * math.sqrt(2 * math.pi))
        total = total - 0.5 * (log_s - theta[-1:][at].mean()) ** 2 - 0.5 * math.log(2 * math.pi)
    return total


def whole(x: Tensor, side: int) -> Tensor:
    """A mask of whole patches, drawn at random."""
    mask = torch.zeros(x.shape, dtype=torch.bool)
    for row in mask:
        for at in patches(row.shape, side):
            row[at] = torch.rand(()) < 0.5
    return mask


@pytest.mark.parametrize("shape", SHAPES)
def test_the_mean_is_x_where_theta_holds_its_own_statistics(shape):
    x = torch.rand(4, *shape)
    likelihood = NormPix(4)
    assert likelihood.params(shape) == (shape[0] + 2, *shape[1:])
    torch.testing.assert_close(likelihood(own(x, 4)).mean, x)


@pytest.mark.parametrize("shape", SHAPES)
def test_log_density_is_that_of_the_docstring(shape):
    x, theta = torch.rand(4, *shape), torch.randn(4, shape[0] + 2, *shape[1:])
    data = NormPix(4, tau=0.3)(theta)
    everything = torch.ones_like(x, dtype=torch.bool)
    for mask in (everything, whole(x, 4), torch.rand(x.shape) < 0.5, ~everything):
        expected = [slowly(*row[:2], 4, 0.3, row[2]) for row in zip(x, theta, mask, strict=True)]
        torch.testing.assert_close(data.log_prob(x, mask), torch.stack(expected))
    assert torch.equal(data.log_prob(x), data.log_prob(x, everything))


def test_nothing_is_likelier_than_its_own_statistics():
    x = torch.rand(3, 2, 5, 7)
    theta = own(x, 3).requires_grad_()
    logs = NormPix(3)(theta).log_prob(x)
    logs.sum().backward()
    torch.testing.assert_close(theta.grad, torch.zeros_like(theta), atol=1e-3, rtol=0)
    for _ in range(20):
        assert (NormPix(3)(theta + 0.1 * torch.randn_like(theta)).log_prob(x) < logs).all()


def test_masks_of_whole_patches_share_the_log_density_out():
    x, theta = torch.rand(4, 2, 9, 6), torch.randn(4, 4, 9, 6)
    data, mask = NormPix(4)(theta), whole(x, 4)
    torch.testing.assert_close(data.log_prob(x, mask) + data.log_prob(x, ~mask), data.log_prob(x))
    # Element by element too, as a law is asked.
    torch.testing.assert_close(torch.where(mask, data.law.log_prob(x), 0.0).flatten(1).sum(1), data.log_prob(x, mask))


def test_contrast_and_brightness_are_no_matter_of_the_pixels():
    x, theta = 10 * torch.rand(4, 1, 8, 8), torch.randn(4, 3, 8, 8)
    shift = own(7 * x + 3, 4)[:, 1:] - own(x, 4)[:, 1:]
    moved = torch.cat([theta[:, :1], theta[:, 1:] + shift], 1)  # m and log s are as far off as before
    logs = NormPix(4)(moved).log_prob(7 * x + 3)
    torch.testing.assert_close(logs, NormPix(4)(theta).log_prob(x), rtol=1e-4, atol=1e-3)


def test_a_flat_patch_has_finite_gradients():
    theta = torch.randn(2, 3, 8, 8, requires_grad=True)
    x = torch.full((2, 1, 8, 8), 0.5, requires_grad=True)
    NormPix()(theta).log_prob(x).sum().backward()
    assert theta.grad.isfinite().all()
    assert x.grad.isfinite().all()


def test_samples_lie_around_theta():
    x = torch.rand(1, 1, 4, 4)
    data = NormPix(tau=0.2)(own(x, 4).expand(4000, -1, -1, -1))
    means = data.sample().mean((1, 2, 3))  # m, and what sixteen draws of n leave
    assert float(means.mean()) == pytest.approx(float(x.mean()), abs=0.05)
    assert 0.2 < float(means.std()) < 0.5


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: NormPix(0), ConfigError, "patch must be >= 1, got 0"),
        (lambda: NormPix(tau=0.0), ConfigError, "tau must be > 0, got 0"),
        (lambda: NormPix().params((6,)), ShapeError, r"needs images of shape \(C, H, W\), got \(6,\)"),
        (lambda: NormPix()(torch.zeros(1, 2, 4, 4)), ShapeError, r"θ must be \(B, C \+ 2, H, W\), got \(1, 2, 4, 4\)"),
    ],
)
def test_what_it_cannot_be_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
