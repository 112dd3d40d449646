import math

import pytest
import torch
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.component import build, config
from xhat.core.errors import ConfigError, ShapeError
from xhat.models.autoencoder import Autoencoder
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.matched import Matched
from xhat.parts.nets.set import SetDecoder, SetEncoder
from xhat.parts.objectives.reconstruction import Reconstruction


@pytest.fixture
def encoder() -> SetEncoder:
    return SetEncoder((5, 2), (2, 2), width=16, depth=2, heads=2)


@pytest.fixture
def decoder() -> SetDecoder:
    return SetDecoder((2, 2), (5, 2), width=16, depth=2, heads=2)


def test_shapes_and_rows_alone(encoder: SetEncoder, decoder: SetDecoder) -> None:
    batch = encoder.example_batch(7)
    assert batch.mask is not None
    assert batch.mask.sum(1).tolist() == [5, 4, 3, 2, 1, 5, 4]
    h = encoder(batch.x, batch.mask)
    theta = decoder(h)
    assert h.shape == (7, 2, 2)
    assert theta.shape == (7, 5, 2)
    torch.testing.assert_close(
        torch.cat([encoder(x[None], m[None]) for x, m in zip(batch.x, batch.mask, strict=True)]), h
    )
    torch.testing.assert_close(torch.cat([decoder(row[None]) for row in h]), theta)


@pytest.mark.parametrize("padding", [7.0, math.nan])
def test_order_and_padding_change_nothing(encoder: SetEncoder, padding: float) -> None:
    x, mask = torch.randn(6, 5, 2), torch.rand(6, 5) < 0.6
    mask[0], mask[1] = True, False
    h = encoder(x, mask)
    padded = torch.where(mask[:, :, None], x, padding)
    torch.testing.assert_close(encoder(padded, mask), h)
    order = torch.rand(6, 5).argsort(1)
    shuffled = padded.gather(1, order[:, :, None].expand_as(x))
    torch.testing.assert_close(encoder(shuffled, mask.gather(1, order)), h)
    torch.testing.assert_close(encoder(x[:1]), h[:1])
    encoder(padded, mask).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in encoder.parameters())


def test_the_number_of_elements_is_told(encoder: SetEncoder) -> None:
    x = torch.ones(5, 5, 2)
    h = encoder(x, torch.ones(5, 5, dtype=torch.bool).tril())
    assert torch.pdist(h.flatten(1)).min() > 1e-3
    assert encoder(x[:1], torch.zeros(1, 5, dtype=torch.bool)).isfinite().all()


def test_missing_entries_are_blank(encoder: SetEncoder) -> None:
    x, entries = torch.randn(3, 5, 2), torch.rand(3, 5, 2) < 0.7
    there = entries.any(2)
    blank = torch.where(entries, x, 0.0)
    torch.testing.assert_close(encoder(x.masked_fill(~entries, math.nan), entries), encoder(blank, there))


def test_slots_differ(decoder: SetDecoder) -> None:
    theta = decoder(torch.zeros(1, 2, 2))[0]
    assert torch.pdist(theta).min() > 1e-3


def test_learns_sets_in_any_order() -> None:
    torch.manual_seed(0)
    x, mask = torch.rand(8, 4, 1), torch.arange(4) < torch.tensor([4, 3, 2, 1] * 2)[:, None]
    encoder, decoder = (net(*shapes, width=16, depth=1, heads=2) for net, shapes in _nets())
    model, objective = Autoencoder(encoder, Plain((6,)), decoder, Matched()), Reconstruction()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    before = objective(model, Batch(x, mask)).total
    constant = mask.sum() / 8 * 0.5 * math.log(2 * math.pi)
    for _ in range(60):
        order = torch.rand(8, 4).argsort(1)
        shuffled = Batch(x.gather(1, order[:, :, None]), mask.gather(1, order))
        optimiser.zero_grad()
        loss = objective(model, shuffled).total
        loss.backward()
        optimiser.step()
    assert loss - constant < 0.02 * (before - constant)
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def _nets() -> list[tuple[type, tuple[tuple[int, ...], tuple[int, ...]]]]:
    return [(SetEncoder, ((4, 1), (6,))), (SetDecoder, ((6,), (4, 1)))]


def test_config_round_trip(encoder: SetEncoder, decoder: SetDecoder) -> None:
    for net in (encoder, decoder):
        again = build(config(net))
        assert config(again) == config(net)
        again.load_state_dict(net.state_dict())


def test_bfloat16(encoder: SetEncoder, decoder: SetDecoder) -> None:
    batch = encoder.example_batch(3)
    h = encoder.bfloat16()(batch.x.bfloat16(), batch.mask)
    assert h.dtype == decoder.bfloat16()(h).dtype == torch.bfloat16


def test_exports(encoder: SetEncoder, decoder: SetDecoder) -> None:
    dynamic = {0: torch.export.Dim.DYNAMIC}
    batch, more = encoder.example_batch(3), encoder.example_batch(6)
    program = torch.export.export(encoder, (batch.x, batch.mask), dynamic_shapes=(dynamic, dynamic))
    torch.testing.assert_close(program.module()(more.x, more.mask), encoder(more.x, more.mask))
    z = torch.randn(5, 2, 2)
    program = torch.export.export(decoder, (z[:2],), dynamic_shapes=(dynamic,))
    torch.testing.assert_close(program.module()(z), decoder(z))


def test_last_is_the_last_layer(encoder: SetEncoder, decoder: SetDecoder) -> None:
    for net, z in ((encoder, torch.rand(2, 5, 2)), (decoder, torch.rand(2, 2, 2))):
        torch.nn.init.zeros_(net.last.weight)  # type: ignore[arg-type]
        out: Tensor = net(z)
        assert out.eq(0).all()


def test_refusals(encoder: SetEncoder) -> None:
    with pytest.raises(ShapeError, match=r"sets need rows of shape \(n, D\), got \(5,\)\. Give \(n, 1\) where"):
        SetEncoder((5,), (3,))
    with pytest.raises(ConfigError, match=r"width must be a multiple of the 3 heads, got 16"):
        SetDecoder((3,), (5, 2), width=16, heads=3)
    with pytest.raises(ShapeError, match=r"rows must be of shape \(5, 2\), got \(4, 2\)"):
        encoder(torch.zeros(3, 4, 2))
    with pytest.raises(ShapeError, match=r"must be of shape \(3, 5\) or \(3, 5, 2\), got \(3, 4\)"):
        encoder(torch.zeros(3, 5, 2), torch.ones(3, 4, dtype=torch.bool))
