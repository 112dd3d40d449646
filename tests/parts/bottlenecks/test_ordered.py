import pytest
import torch

from xhat.core import Batch
from xhat.core.errors import ConfigError
from xhat.models.autoencoder import Autoencoder
from xhat.parts.bottlenecks.ordered import Ordered
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.linear import LinearDecoder, LinearEncoder
from xhat.parts.objectives.reconstruction import Reconstruction


def lengths(z):
    return (z != 0).flatten(2).any(2).sum(1) if z.ndim > 2 else (z != 0).sum(1)


@pytest.mark.parametrize("rate", [1.0, 0.7, 0.3])
def test_prefixes_are_drawn_with_their_probabilities(rate):
    bottleneck = Ordered((5,), rate)
    powers = [rate**b for b in range(1, 6)]
    counts = torch.bincount(lengths(bottleneck(torch.ones(100_000, 5)).z), minlength=6)
    assert counts[0] == 0
    for b, power in enumerate(powers, 1):
        p = power / sum(powers)
        assert abs(float(counts[b]) / 1e5 - p) < 5 * (p * (1 - p) / 1e5) ** 0.5


def test_a_row_keeps_a_prefix_and_evaluation_all():
    bottleneck, h = Ordered((6,)), torch.randn(50, 6)
    z = bottleneck(h).z
    for row, kept, length in zip(h, z, lengths(z), strict=True):
        assert torch.equal(kept[:length], row[:length])
        assert not kept[length:].any()
    assert torch.equal(bottleneck.eval()(h).z, h)


def test_channels_of_a_spatial_code_are_cut_together():
    h = 1 + torch.rand(40, 4, 3, 2)
    z = Ordered((4, 3, 2))(h).z
    assert set(lengths(z).tolist()) == {1, 2, 3, 4}
    assert torch.equal((z != 0).flatten(2).all(2), (z != 0).flatten(2).any(2))


def test_codes_are_truncated_by_one_number_or_by_one_a_row():
    z = torch.ones(3, 4)
    assert Ordered.truncated(z, 2).tolist() == [[1, 1, 0, 0]] * 3
    assert Ordered.truncated(z, torch.tensor([1, 4, 2])).tolist() == [[1, 0, 0, 0], [1, 1, 1, 1], [1, 1, 0, 0]]
    assert Ordered.truncated(torch.ones(2, 3, 5, 5), 1).sum((0, 2, 3)).tolist() == [50, 0, 0]


def test_a_linear_autoencoder_finds_the_principal_axes_themselves():
    d, k = 8, 5
    spread = torch.tensor([4.0, 3.0, 2.2, 1.5, 1.0, 0.5, 0.4, 0.3])
    rotation = torch.linalg.qr(torch.randn(d, d)).Q
    x = torch.randn(500, d) * spread @ rotation.T
    x = x - x.mean(0)
    model = Autoencoder(LinearEncoder((d,), (k,)), Ordered((k,)), LinearDecoder((k,), (d,)), Gaussian())
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-2)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 800)
    for _ in range(800):
        Reconstruction()(model, Batch(x)).total.backward()
        optimiser.step()
        decay.step()
        optimiser.zero_grad()
    axes = torch.linalg.svd(x, full_matrices=False).Vh[:k]  # (k, d)
    columns = torch.nn.functional.normalize(model.decoder.map.weight.detach(), dim=0)  # (d, k)
    cosines = axes @ columns  # (k, k)
    assert (cosines.diagonal().abs() > 0.99).all()
    model.eval()
    with torch.no_grad():
        z = model.encode(x).z
        for b in range(1, k + 1):
            error = ((x - model.decode(Ordered.truncated(z, b)).mean) ** 2).sum()
            pca = ((x - x @ axes[:b].T @ axes[:b]) ** 2).sum()
            assert float(error) == pytest.approx(float(pca), rel=0.02)


@pytest.mark.parametrize("rate", [0, 1.5])
def test_a_rate_outside_its_range_is_refused(rate):
    with pytest.raises(ConfigError, match=r"Ordered: rate must be in \(0, 1\]"):
        Ordered((3,), rate)
