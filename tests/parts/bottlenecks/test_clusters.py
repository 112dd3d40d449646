import pytest
import torch

from xhat.core.errors import ConfigError, ShapeError
from xhat.parts.bottlenecks.clusters import Clusters
from xhat.parts.bottlenecks.plain import Plain


@pytest.fixture
def bottleneck():
    return Clusters(3, Plain((2,)))


def encodings(n):
    return torch.randn(n, 5) * torch.tensor([1.0, 5.0, 0.1, 1.0, 1.0]) + torch.tensor([100.0, 0.0, -3.0, 0.0, 0.0])


def test_logits_are_those_of_torchs_batch_norm(bottleneck):
    norm, h = torch.nn.BatchNorm1d(3, affine=False), encodings(64)
    bottleneck.log_scale.data.fill_(1.5)
    for mode in (True, True, False):
        bottleneck.train(mode), norm.train(mode)
        expected = torch.tensor(1.5).exp() * norm(h[:, :3])
        torch.testing.assert_close(bottleneck(h).logits, expected, rtol=0.02, atol=0.02)


def test_no_cluster_takes_every_row(bottleneck):
    # The first logit is 100 above the others for each row.
    counts = torch.bincount(bottleneck(encodings(600)).probabilities.argmax(1), minlength=3)
    assert counts.min() > 100


def test_the_first_look_sets_the_moments(bottleneck):
    h = encodings(500)
    bottleneck.begin(h)
    together = bottleneck(h).probabilities
    torch.testing.assert_close(bottleneck.eval()(h).probabilities, together)


def test_a_critics_pass_does_not_move_the_moments(bottleneck):
    before = bottleneck.mean.clone()
    with torch.no_grad():
        bottleneck(encodings(20))
    assert torch.equal(bottleneck.mean, before)
    bottleneck(encodings(20))
    assert not torch.equal(bottleneck.mean, before)


def test_bad_arguments_are_refused():
    with pytest.raises(ConfigError, match="bottlenecks/clusters: clusters must be >= 2, got 1"):
        Clusters(1, Plain((2,)))
    with pytest.raises(ShapeError, match=r"bottlenecks/clusters: the style must be a flat code, got \(2, 4, 4\)"):
        Clusters(2, Plain((2, 4, 4)))
