import pytest
import torch

from xhat.core.errors import ConfigError
from xhat.parts.bottlenecks.batch_topk import BatchTopK


def active(z):
    return float((z != 0).flatten(1).sum(1).float().mean())


def test_training_keeps_the_largest_of_the_batch():
    h = torch.tensor([[5.0, 4.0, 3.0, -1.0], [2.0, 1.0, 0.5, -9.0]])
    # Two a row on average: three of one row, one of the other.
    assert BatchTopK((4,), 2)(h).z.tolist() == [[5, 4, 3, 0], [2, 0, 0, 0]]


def test_a_batch_with_fewer_positive_entries_keeps_them_all():
    h = torch.tensor([[5.0, -4.0, -3.0], [-2.0, 1.0, -1.0]])
    assert BatchTopK((3,), 2)(h).z.tolist() == [[5, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize("k", [1, 8, 30])
def test_the_number_of_a_batch_is_exact(k):
    assert active(BatchTopK((64,), k)(torch.randn(50, 64) * (1 + torch.rand(50, 1)) + 3).z) == k


def test_the_first_look_sets_the_threshold_of_evaluation():
    bottleneck, h = BatchTopK((6,), 2), torch.randn(500, 6)
    bottleneck.begin(h)
    assert torch.equal(bottleneck.eval()(h).z, bottleneck.train()(h).z)


def test_the_threshold_is_a_running_mean_which_new_rows_obey():
    bottleneck = BatchTopK((100,), 5)
    thresholds = []
    for _ in range(600):
        h = torch.randn(32, 100)
        bottleneck(h)
        thresholds.append(h.flatten().sort(descending=True).values[5 * 32 - 1])
    late = torch.stack(thresholds)[-300:].mean()
    assert float(bottleneck.threshold) == pytest.approx(float(late), rel=0.02)
    # The quantile of a standard normal at 95 %.
    assert float(bottleneck.threshold) == pytest.approx(1.645, rel=0.02)
    assert active(bottleneck.eval()(torch.randn(5000, 100)).z) == pytest.approx(5, rel=0.05)


def test_evaluation_and_passes_without_gradient_leave_the_threshold():
    bottleneck, h = BatchTopK((6,), 2), torch.randn(50, 6)
    bottleneck.begin(h)
    before = bottleneck.threshold.clone()
    bottleneck.eval()(h + 1)
    with torch.no_grad():
        bottleneck.train()(h + 1)
    assert torch.equal(bottleneck.threshold, before)
    bottleneck(h + 1)
    assert bottleneck.threshold > before


def test_more_active_units_than_there_are_are_refused():
    with pytest.raises(ConfigError, match="BatchTopK: k must be between 1 and the code's 4 units, got 5"):
        BatchTopK((4,), 5)
