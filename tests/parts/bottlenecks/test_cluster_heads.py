import itertools

import pytest
import torch

from xhat.core.errors import ConfigError
from xhat.parts.bottlenecks.cluster_heads import ClusterHeads


@pytest.fixture
def bottleneck():
    return ClusterHeads(4, 2, distance=3.0, weight=0.5)


def test_a_code_is_its_head_moved_by_its_style(bottleneck):
    h = torch.randn(6, 6)
    code = bottleneck.eval()(h)  # of logits that were never standardised, π is their softmax
    for row, z in zip(h, code.z, strict=True):
        pi = row[:4].softmax(0)
        torch.testing.assert_close(z, sum(pi[k] * bottleneck.heads[k] for k in range(4)) + row[4:], rtol=0, atol=1e-3)
    torch.testing.assert_close(code.probabilities, h[:, :4].softmax(1), rtol=0, atol=1e-4)
    torch.testing.assert_close(code.of_class(code.probabilities, code.style.z), code.z)


def test_the_separation_is_what_pairs_lack(bottleneck):
    places = [[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [5.0, 5.0]]
    bottleneck.heads.data = torch.tensor(places)
    lack = sum(max(0.0, 3 - torch.dist(torch.tensor(a), torch.tensor(b))) for a, b in itertools.combinations(places, 2))
    torch.testing.assert_close(bottleneck(torch.randn(2, 6)).terms["separation"], 0.5 * lack)


def test_minimised_the_heads_are_apart_and_stay_there(bottleneck):
    bottleneck.heads.data.mul_(0.05)
    optimiser = torch.optim.SGD(bottleneck.parameters(), 0.1)
    for _ in range(300):
        optimiser.zero_grad()
        bottleneck(torch.zeros(1, 6)).terms["separation"].backward()
        optimiser.step()
    assert torch.pdist(bottleneck.heads).min() > 2.9
    assert bottleneck(torch.zeros(1, 6)).terms["separation"] < 0.1


def test_heads_in_one_place_get_a_gradient_that_is_a_number(bottleneck):
    bottleneck.heads.data.zero_()
    bottleneck(torch.zeros(1, 6)).terms["separation"].backward()
    assert bottleneck.heads.grad.isfinite().all()


def test_bad_arguments_are_refused():
    who = "bottlenecks/cluster_heads"
    with pytest.raises(ConfigError, match=f"{who}: clusters must be >= 2, got 1"):
        ClusterHeads(1, 2)
    with pytest.raises(ConfigError, match=f"{who}: distance must be > 0, got 0"):
        ClusterHeads(2, 2, distance=0)
    with pytest.raises(ConfigError, match=f"{who}: weight must be >= 0, got -1"):
        ClusterHeads(2, 2, weight=-1)
