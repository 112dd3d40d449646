from dataclasses import replace

import pytest
import torch
from gaps import given_observed, linear_gaussian, rows_with_gaps

from xhat.core import Batch
from xhat.core.errors import ConfigError
from xhat.parts.corruptions.masking import Masking
from xhat.parts.objectives.denoising import Denoising
from xhat.parts.objectives.iwae import IWAE
from xhat.parts.objectives.miwae import MIWAE


@torch.no_grad()
def bounds(model, batch, k, times):
    return -torch.stack([MIWAE(k)(model, batch).terms["bound"] for _ in range(times)]).mean(0)


def test_the_bound_rises_with_k_to_the_evidence_of_what_was_observed():
    model, mean, covariance = linear_gaussian()
    batch = rows_with_gaps(mean, covariance, 12)
    evidence = torch.stack(
        [given_observed(mean, covariance, x, m)[0] for x, m in zip(batch.x, batch.mask, strict=True)]
    )
    found = [bounds(model, batch, k, 400 // k + 20).mean() for k in (1, 5, 50)]
    assert found[0] < found[1] < found[2] < evidence.mean() + 0.02
    best = bounds(model, batch, 5000, 3)
    torch.testing.assert_close(best, evidence, atol=0.15, rtol=0)
    assert best[1] == pytest.approx(0, abs=0.05)  # a row of nothing but gaps


def test_what_lies_in_a_gap_is_neither_seen_nor_judged():
    model, mean, covariance = linear_gaussian()
    batch = rows_with_gaps(mean, covariance, 6)
    found = []
    for value in (torch.nan, 0.0, 1e6):
        torch.manual_seed(3)
        x = batch.x.masked_fill(~batch.mask, value)
        loss = MIWAE(4)(model, replace(batch, x=x)).total
        found.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.encoder.parameters()))]))
    assert found[0].isfinite().all()
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def test_what_is_judged_alone_does_not_say_what_is_seen():
    batch = Batch(torch.randn(40, 6), mask=torch.rand(40, 6) < 0.8)
    denoising = Denoising(MIWAE(3), Masking(0.5), on="hidden")
    torch.manual_seed(2)
    masked = denoising.changed(batch)  # an entry that the corruption left is not judged
    seen = denoising.objective.changed(masked).input
    assert torch.equal(seen, torch.where(masked.visible, batch.x, 0))
    assert (seen != 0).any()


def test_without_gaps_it_is_the_iwae():
    model, mean, covariance = linear_gaussian()
    batch = Batch(rows_with_gaps(mean, covariance, 6).x.nan_to_num(0.3))
    losses = []
    for objective in (MIWAE(3, gradient="plain"), IWAE(3, gradient="plain")):
        torch.manual_seed(3)
        losses.append(objective(model, batch).total)
    assert torch.equal(*losses)


def test_what_it_refuses():
    with pytest.raises(ConfigError, match="k must be a whole number >= 1, got 0"):
        MIWAE(0)
