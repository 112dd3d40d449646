import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from xhat.core.component import build, config
from xhat.core.errors import ConfigError, ShapeError
from xhat.parts.likelihoods.categorical import Categorical


@pytest.fixture
def theta() -> torch.Tensor:
    return torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0))


def test_params_append_the_vocabulary() -> None:
    assert Categorical(5).params((4,)) == (4, 5)
    assert Categorical(5).params((1, 2, 3)) == (1, 2, 3, 5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64])
def test_log_prob_is_the_cross_entropy(theta: torch.Tensor, dtype: torch.dtype) -> None:
    x = torch.randint(5, (3, 4), generator=torch.Generator().manual_seed(1))
    expected = -cross_entropy(theta.flatten(0, 1), x.flatten(), reduction="none").view(3, 4).sum(1)
    torch.testing.assert_close(Categorical(5)(theta).log_prob(x.to(dtype)), expected)


def test_probabilities_sum_to_one(theta: torch.Tensor) -> None:
    law = Categorical(5)(theta).law
    total = sum(law.log_prob(torch.full((3, 4), float(v))).exp() for v in range(5))
    torch.testing.assert_close(total, torch.ones(3, 4))


def test_mean_is_the_most_probable_symbol_and_samples_are_symbols(theta: torch.Tensor) -> None:
    data = Categorical(5)(theta)
    assert torch.equal(data.mean, theta.argmax(-1).float())
    many = Categorical(5)(theta[:1].repeat(4000, 1, 1)).sample()  # (4000, 4)
    assert many.shape == (4000, 4)
    shares = torch.stack([(many == v).float().mean(0) for v in range(5)], -1)
    torch.testing.assert_close(shares, theta[0].softmax(-1), atol=0.04, rtol=0)


def test_mode_is_exact_in_bfloat16_beyond_256_symbols() -> None:
    theta = torch.zeros(1, 1, 400, dtype=torch.bfloat16)
    theta[0, 0, 301] = 1
    assert Categorical(400)(theta).mean.item() == 301


@pytest.mark.parametrize("padding", [-1.0, 99.0, math.nan])
def test_a_stranger_is_impossible_unless_it_is_masked(theta: torch.Tensor, padding: float) -> None:
    theta = theta.requires_grad_()
    x = torch.tensor([[0.0, 1, 2, 3], [4, 3, padding, padding], [0, 0, 0, padding]])
    mask = torch.tensor([[True] * 4, [True, True, False, False], [True, True, True, False]])
    data = Categorical(5)(theta)
    assert data.log_prob(x)[1:].eq(-math.inf).all()
    log_prob = data.log_prob(x, mask)
    torch.testing.assert_close(log_prob, data.log_prob(x.nan_to_num().clamp(0, 4), mask))
    log_prob.sum().backward()
    assert theta.grad is not None
    assert theta.grad.isfinite().all()
    assert theta.grad[1, 2:].eq(0).all()


def test_config_round_trip() -> None:
    assert config(build(config(Categorical(7)))) == {"kind": "likelihoods/categorical", "vocabulary": 7}


def test_refusals() -> None:
    with pytest.raises(ConfigError, match=r"vocabulary must be >= 2, got 1\. Count the data's symbols"):
        Categorical(1)
    with pytest.raises(ShapeError, match=r"θ must end in 5 logits, got \(2, 4, 6\)"):
        Categorical(5)(torch.zeros(2, 4, 6))
