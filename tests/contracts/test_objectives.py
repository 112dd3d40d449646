"""What every objective keeps."""

import warnings
from dataclasses import replace

import pytest
import torch
from exercise import batch_of, example, kinds, model_for, rows, same_noise_for_every_row, terms

from xhat.core import Batch
from xhat.parts.objectives.binarising import Binarising

EVERY = kinds("objectives")
__all__ = ["same_noise_for_every_row"]


@pytest.fixture(params=EVERY)
def objective(request):
    return example(request.param)


@pytest.fixture
def model(objective):
    return model_for(objective)


def grads(module):
    return [p for p in module.parameters() if p.grad is not None and p.grad.abs().max() > 0]


def test_terms_are_finite_and_per_row_or_of_the_batch(objective, model):
    for training in (True, False):
        loss = objective.train(training)(model, batch_of(5))
        for name, term in loss.terms.items():
            assert term.shape in ((5,), ()), name
            assert term.isfinite().all(), name


def test_the_total_is_the_sum_of_the_means(objective, model):
    loss = objective(model, batch_of(5))
    torch.testing.assert_close(loss.total, sum(term.mean() for term in loss.terms.values()))
    assert set(objective.monitor) <= set(loss.terms)


def test_the_loss_moves_encoder_and_decoder_and_never_the_critic(objective, model):
    objective(model, batch_of(8)).total.backward()
    for part in (model.encoder, model.decoder):
        assert len(grads(part)) == len(list(part.parameters()))
        assert all(p.grad.isfinite().all() for p in part.parameters())
    assert all(p.grad is None or not p.grad.any() for p in objective.critic_parameters())


def test_the_critics_loss_moves_the_critic_and_nothing_else(objective, model):
    critic = objective.critic_parameters()
    if not critic:
        with pytest.raises(ValueError, match="has no critic"):
            objective.critic_loss(model, batch_of(5))
        return
    loss = objective.critic_loss(model, batch_of(8))
    loss.total.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() and p.grad.any() for p in critic)
    others = {*model.parameters(), *objective.parameters()} - {*critic}
    assert all(p.grad is None or not p.grad.any() for p in others)
    assert all(term.shape in ((8,), ()) for term in loss.terms.values())


@pytest.mark.usefixtures("same_noise_for_every_row")
def test_a_rows_terms_do_not_change_with_its_batch(objective, model):
    batch = different_rows(5)
    together, alone = objective(model, batch), objective(model, rows(batch, slice(1, 3)))
    assert terms(together, 1).keys() == terms(alone, 1).keys()
    for name, term in terms(together, 1).items():
        torch.testing.assert_close(term[1:3], alone.terms[name], rtol=1e-4, atol=1e-5)


def different_rows(n):
    # With the same noise for every row, drawn rows would be the same, too.
    return replace(batch_of(n), x=2 * torch.arange(6.0 * n).view(n, 6).cos())


def test_terms_do_not_grow_with_the_batch(objective, model):
    with torch.no_grad(), warnings.catch_warnings():
        small, large = (averages(objective, model, n, 1600 // n) for n in (10, 40))
    for name, (mean, error) in small.items():
        other, other_error = large[name]
        # A quarter is room for terms that are no means, such as a floor; a factor of the batch would be a four.
        assert abs(mean - other) <= 0.25 * max(abs(mean), abs(other)) + 4 * (error + other_error), name


def averages(objective, model, n, times):
    torch.manual_seed(2)
    found = [objective(model, batch_of(n)).means() for _ in range(times)]
    return {name: moments(torch.stack([means[name] for means in found])) for name in found[0]}


def moments(values):
    return float(values.mean()), float(values.std() / len(values) ** 0.5)


def test_hidden_entries_change_nothing(objective, model):
    skip_where_the_view_is_drawn(objective)
    mask = torch.rand(5, 6) < 0.6
    x, seen = torch.randn(5, 6), torch.randn(5, 6)
    # The encoder sees the same; only what the reconstruction is compared with differs where it is hidden.
    batch = Batch(x, mask=mask, y=torch.arange(5) % 2, corrupted=seen)
    for hidden in (float("nan"), 100.0):
        other = replace(batch, x=x.masked_fill(~mask, hidden))
        for name, term in repeatable(objective, model, batch).items():
            assert torch.equal(term, repeatable(objective, model, other)[name]), name


def test_entries_that_count_are_compared(objective, model):
    skip_where_the_view_is_drawn(objective)
    batch = replace(batch_of(5), corrupted=torch.randn(5, 6))
    other = replace(batch, x=batch.x + 1)
    before, after = repeatable(objective, model, batch), repeatable(objective, model, other)
    assert any(not torch.equal(before[name], after[name]) for name in before)


def skip_where_the_view_is_drawn(objective):
    if isinstance(objective, Binarising):
        pytest.skip("what it draws is what the encoder sees; its own tests hold it to this")


def repeatable(objective, model, batch):
    torch.manual_seed(4)
    return objective(model, batch).terms


def test_what_the_bottleneck_asks_for_is_added(objective, model, monkeypatch):
    asked, forward = torch.full((5,), 7.0), model.bottleneck.forward

    def asking(h):
        code = forward(h)
        code.terms = {**code.terms, "asked": asked}
        return code

    monkeypatch.setattr(model.bottleneck, "forward", asking)
    assert torch.equal(objective(model, batch_of(5)).terms["asked"], asked)


def test_it_goes_with_every_bottleneck_whose_code_it_reads(objective, model):
    own = {*objective(model, batch_of(5)).terms} - {*model.encode(batch_of(5)).terms}
    for kind in kinds("bottlenecks"):
        bottleneck = example(kind)
        if issubclass(bottleneck.emits, objective.reads):
            asked = {*bottleneck(torch.randn(4, *bottleneck.in_shape)).terms}
            assert not own & asked, f"{kind} names a term of its own so: {own & asked}"


@pytest.mark.usefixtures("same_noise_for_every_row")
def test_a_row_of_weight_zero_is_as_one_that_is_not_there(objective, model):
    batch = replace(different_rows(5), weight=torch.tensor([1.0, 2.0, 1.0, 0.5, 0.0]))
    left = rows(batch, slice(4))
    with_it, without = (objective(model, b).weighted(b.weight).means() for b in (batch, left))
    assert with_it.keys() == without.keys()
    # What belongs to the batch may say of itself that it does not count rows so.
    says = "weights of rows do not enter it" in " ".join(type(objective).__doc__.split())
    for name in terms(objective(model, left), 1) if says else with_it:
        torch.testing.assert_close(with_it[name], without[name], rtol=1e-4, atol=1e-5)


def test_a_weight_of_zero_takes_a_row_out_of_every_row_term(objective, model):
    batch = batch_of(4)
    torch.manual_seed(5)
    loss = objective(model, batch)
    weighted = loss.weighted(torch.tensor([1.0, 2.0, 0.0, 1.0])).means()
    for name, term in terms(loss, 1).items():
        torch.testing.assert_close(weighted[name], (term[0] + 2 * term[1] + term[3]) / 4)
    for name, term in terms(loss, 0).items():
        assert torch.equal(weighted[name], term)
