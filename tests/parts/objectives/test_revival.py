import math
from dataclasses import replace

import pytest
import torch

from xhat.core import Batch
from xhat.core.errors import ConfigError
from xhat.models.autoencoder import Autoencoder
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.bottlenecks.topk import TopK
from xhat.parts.likelihoods.gaussian import SMALLEST, Gaussian
from xhat.parts.nets.conditional import ConditionalDecoder
from xhat.parts.nets.linear import LinearDecoder, LinearEncoder
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.objectives.revival import Revival


def linear(units=8, k=2, d=6, scale=1.0, **options):
    bottleneck = TopK((units,), k, revived=units, **options)
    likelihood = Gaussian(scale, learned=True)
    return Autoencoder(LinearEncoder((d,), (units,)), bottleneck, LinearDecoder((units,), (d,)), likelihood)


def with_dead_units(dead, **options):
    """A model whose last units have long been silent, whatever they say."""
    model = linear(**options)
    model.bottleneck.silence.rows[-dead:] = model.bottleneck.silent_after
    return model


def test_without_silent_units_it_is_the_reconstruction():
    model, batch = linear(), Batch(torch.randn(9, 6))
    terms = Revival()(model, batch).terms
    assert terms["revival"] == 0
    torch.testing.assert_close(terms["distortion"], -model.decode(model.encode(batch).z).log_prob(batch.x))


def test_evaluation_never_revives():
    model, batch = with_dead_units(4), Batch(torch.randn(9, 6))
    assert Revival().train()(model, batch).terms["revival"] != 0
    assert Revival().eval()(model.eval(), batch).terms["revival"] == 0


def test_it_is_the_papers_equation():
    model, batch = with_dead_units(4), Batch(torch.randn(9, 6))
    alpha = 0.3
    with torch.no_grad():
        h = model.read(batch)
        dead = model.bottleneck.silence.dead
        e = batch.x - model.reconstruct(batch)
        e_hat = (h.clamp(min=0) * dead) @ model.decoder.map.weight.T  # linear, without the bias
        expected = alpha * 6 / 2 * (((e - e_hat) ** 2).sum() - (e**2).sum()) / (e**2).sum()
    torch.testing.assert_close(Revival(alpha)(model, batch).terms["revival"], expected)


def test_it_moves_the_silent_units_alone():
    model, batch = with_dead_units(3, units=8), Batch(torch.randn(40, 6))
    Revival()(model, batch).terms["revival"].backward()
    dead = torch.tensor([False] * 5 + [True] * 3)
    for grad in (model.encoder.map.weight.grad, model.encoder.map.bias.grad, model.decoder.map.weight.grad.T):
        moved = grad.flatten(1).any(1) if grad.ndim > 1 else grad != 0
        assert torch.equal(moved, dead)
    assert not model.decoder.map.bias.grad.abs().max() > 1e-6  # g(s) - g(0) has no bias
    assert model.likelihood.log_scale.grad is None


def test_it_does_not_change_with_the_scale_of_the_data():
    model, batch = with_dead_units(4), Batch(torch.randn(9, 6))
    value = Revival()(model, batch).terms["revival"]
    with torch.no_grad():
        for net in (model.encoder, model.decoder):
            net.map.bias.zero_()
        value = Revival()(model, batch).terms["revival"]
        scaled = Revival()(model, Batch(1000 * batch.x)).terms["revival"]
    torch.testing.assert_close(scaled, value)


def test_hidden_entries_are_no_error_to_be_revived_for():
    model, mask = with_dead_units(4), torch.rand(9, 6) < 0.6
    batch = Batch(torch.randn(9, 6), mask=mask, corrupted=torch.randn(9, 6))
    other = replace(batch, x=batch.x.masked_fill(~mask, float("nan")))
    values = []
    for rows in (batch, other):
        model.bottleneck.silence.rows[-4:] = model.bottleneck.silent_after
        values.append(Revival()(model, rows).terms["revival"])
    assert values[0] != 0
    assert torch.equal(*values)


def test_dead_units_learn_what_the_others_miss_and_come_to_life():
    x = torch.randn(400, 4) @ torch.randn(4, 6)
    model = linear(units=12, k=2)
    with torch.no_grad():
        model.encoder.map.weight[2:] *= 0.001  # beside two that speak up, ten that whisper
        model.encoder.map.bias[:2] += 5.0
    before = (model.eval().encode(x).z[:, 2:] != 0).sum()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    model.train()
    for _ in range(300):
        model.bottleneck.silence.rows[2:] = model.bottleneck.silent_after
        revival = Revival(1.0)(model, Batch(x)).terms["revival"]
        revival.backward()
        optimiser.step()
        optimiser.zero_grad()
    # Of D/2 = 3 nats, all that a copy of the residual would save.
    assert -3 < float(revival.detach()) < -1.5
    assert (model.eval().encode(x).z[:, 2:] != 0).sum() > 2 * before > 0


def test_linear_nets_begin_at_the_mean_with_parallel_words():
    x = 5 + torch.randn(50, 6) * torch.tensor([3.0, 2, 1, 1, 1, 0.1])
    model = linear(units=40, k=4)
    Revival().begin(model.eval(), Batch(x))
    words = model.decoder.map.weight.detach().T  # (40, 6)
    inward = model.encoder.map.weight.detach()
    torch.testing.assert_close(model.decoder.map.bias.detach(), x.mean(0))
    torch.testing.assert_close(inward.norm(dim=1), torch.ones(40))
    torch.testing.assert_close(torch.cosine_similarity(words, inward, dim=1), torch.ones(40))
    torch.testing.assert_close(model.read(Batch(x.mean(0, keepdim=True))), torch.zeros(1, 40), rtol=0, atol=1e-5)
    # The length is the best one: the copies' error is orthogonal to the copies.
    copies = (model.reconstruct(x) - x.mean(0)).detach()
    residual = x - x.mean(0) - copies
    assert abs(float((copies * residual).sum())) < 1e-3 * float((copies**2).sum())
    assert float((residual**2).mean()) < 0.7 * float(((x - x.mean(0)) ** 2).mean())
    assert float(model.likelihood.log_scale.detach().exp() ** 2) == pytest.approx(float((residual**2).mean()), rel=1e-3)


def test_a_perceptron_without_hidden_layers_is_a_linear_map_and_any_other_is_left_alone():
    x = 5 + torch.randn(50, 6)
    for hidden, begun in (((), True), ((7,), False)):
        encoder, decoder = MLPEncoder((6,), (9,), hidden=hidden), MLPDecoder((9,), (6,), hidden=hidden)
        model = Autoencoder(encoder, TopK((9,), 2), decoder, Gaussian())
        before = decoder.last.bias.clone()
        Revival().begin(model.eval(), Batch(x))
        assert torch.equal(decoder.last.bias, before) is not begun


def test_a_mean_is_of_the_entries_that_are_there():
    x, mask = 5 + torch.randn(50, 6), torch.rand(50, 6) < 0.7
    model = linear()
    Revival().begin(model.eval(), Batch(x.masked_fill(~mask, 0.0), mask=mask))
    torch.testing.assert_close(model.decoder.map.bias.detach(), (x * mask).sum(0) / mask.sum(0))


def test_the_first_scale_is_of_the_residual_of_the_entries_that_are_there():
    x, mask = torch.randn(400, 6), torch.rand(400, 6) < 0.2
    model = linear()
    batch = Batch(x.masked_fill(~mask, 0.0), mask=mask)
    Revival().begin(model.eval(), batch)
    residual = (batch.x - model.reconstruct(batch).detach())[mask]
    assert float(model.likelihood.log_scale.detach().exp() ** 2) == pytest.approx(float((residual**2).mean()), rel=1e-3)


def test_rows_that_are_copied_exactly_leave_a_scale_that_can_still_move():
    row = torch.randn(6)
    model = linear(units=2, k=2)
    batch = Batch(row.repeat(20, 1))
    Revival().begin(model.eval(), batch)
    assert float(model.likelihood.log_scale.detach()) == pytest.approx(math.log(SMALLEST))
    Revival()(model, batch).terms["distortion"].sum().backward()
    assert model.likelihood.log_scale.grad != 0


def test_a_row_of_no_weight_is_not_there():
    x, weight = torch.randn(9, 6), torch.rand(9) + 0.5
    weight[4] = 0
    kept = weight > 0
    batches = (Batch(x, weight=weight), Batch(x[kept], weight=weight[kept]))
    models, values = (linear(), linear()), []
    for model, batch in zip(models, batches, strict=True):
        torch.manual_seed(1)
        Revival().begin(model.eval(), batch)
    for one, other in zip(models[0].parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(one, other)
    model = with_dead_units(4)
    for batch in (*batches, Batch(x)):
        model.bottleneck.silence.rows[-4:] = model.bottleneck.silent_after
        values.append(Revival()(model, batch).terms["revival"])
    torch.testing.assert_close(values[0], values[1])
    assert not torch.isclose(values[0], values[2])
    Revival().begin(model, Batch(x, weight=torch.zeros(9)))
    model.bottleneck.silence.rows[-4:] = model.bottleneck.silent_after
    assert Revival()(model, Batch(x, weight=torch.zeros(9))).terms["revival"] == 0


def test_a_decoder_that_reads_labels_is_asked_with_them():
    bottleneck = TopK((8,), 2, revived=8)
    decoder = ConditionalDecoder(MLPDecoder((10,), (6,), hidden=()), 2)
    model = Autoencoder(LinearEncoder((6,), (8,)), bottleneck, decoder, Gaussian())
    bottleneck.silence.rows[-4:] = bottleneck.silent_after
    batch = Batch(torch.randn(9, 6), y=torch.arange(9) % 2)
    with torch.no_grad():
        revival = Revival(1.0)(model, batch).terms["revival"]
        bottleneck.silence.rows[-4:] = bottleneck.silent_after
        silent = model.encode(batch).silent
        e_hat = silent @ decoder.inner.last.weight[:, :8].T  # what the labels add is in both
        e = batch.x - model.reconstruct(batch)
    expected = 6 / 2 * (((e - e_hat) ** 2).sum() - (e**2).sum()) / (e**2).sum()
    torch.testing.assert_close(revival, expected)


def test_a_dense_code_is_refused():
    model = Autoencoder(LinearEncoder((6,), (3,)), Plain((3,)), LinearDecoder((3,), (6,)), Gaussian())
    with pytest.raises(ConfigError, match="Revival: reads a SparseCode, but bottlenecks/plain emits a Code"):
        Recipe(model, Revival())


def test_a_negative_weight_is_refused():
    with pytest.raises(ConfigError, match="Revival: alpha must be >= 0, got -1"):
        Revival(-1)
