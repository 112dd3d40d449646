"""How strong the noise of images is, where nobody says."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import unfold

from xhat.parts.nets._noise_level import noise_level

BLOCK = 16
SHARE = 0.02
CLIPPED = 0.01
# Blocks of one image at most: of a picture of 24 megapixels all would take gigabytes and tell no more.
MOST = 20_000
# What that quantile is of pure noise of strength 1: medians of so few numbers scatter.
OF_NOISE = 0.827


def estimate_sigma(y: Float[Tensor, "B C H W"]) -> float:
    r"""Estimate the standard deviation of white Gaussian noise, the same for all images.

    .. math:: \hat\sigma = Q_{2\%}\left(\hat\sigma_b\right) / 0.827

    where :math:`\hat\sigma_b` is the median estimate of `noise_level` on blocks of 16 x 16 pixels, one every eight
    pixels, or of large pictures 20,000 evenly laid ones. Most pictures are smooth somewhere, and there all fine detail
    is noise; the median over the whole picture takes texture for noise. Blocks without any detail are left out, and
    those of which more than a hundredth lies at an end of [0, 1].

    On 25 pictures of Train400 it reads 0.9 of 255 high on average at strengths of 2.55, 5 and 15 (root mean squared
    errors 1.5, 1.4 and 1.2), part of which is the pictures' own noise: it reads 1.3 where none was added. Of the same
    ones after a blur by Levin's first kernel it reads 0.2 high at 2.55 and 5.

    Parameters
    ----------
    y : Tensor of shape (B, C, H, W)
        Images; those smaller than two blocks are taken as one.
    """
    if min(y.shape[-2:]) < 2 * BLOCK:
        return float(noise_level(y).double().square().mean().sqrt())
    stride = _stride(y.shape[1], *y.shape[-2:])
    blocks = unfold(y.flatten(0, 1)[:, None], BLOCK, stride=stride).transpose(1, 2).flatten(0, 1)  # (N, BLOCK²)
    clipped = ((blocks <= 0) | (blocks >= 1)).to(y.dtype).mean(1) > CLIPPED
    # Where the range ends, noise does: a dark channel would say that there is little of it.
    blocks = blocks if bool(clipped.all()) else blocks[~clipped]
    each = noise_level(blocks.view(-1, 1, BLOCK, BLOCK))
    each = each[each > 0]
    return float(each.quantile(SHARE)) / OF_NOISE if len(each) else 0.0


def _stride(channels: int, height: int, width: int) -> int:
    """Give how far apart blocks lie: half a block, or more where there would be too many."""
    stride = BLOCK // 2
    while channels * ((height - BLOCK) // stride + 1) * ((width - BLOCK) // stride + 1) > MOST:
        stride += 1
    return stride
