import math

import pytest
import torch
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.component import build, config
from xhat.core.errors import ConfigError, DataError, ShapeError
from xhat.models.autoencoder import Autoencoder
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.categorical import Categorical
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.recurrent import RecurrentDecoder, RecurrentEncoder
from xhat.parts.objectives.reconstruction import Reconstruction

CELLS = pytest.mark.parametrize("cell", ["lstm", "gru"])
VOCABULARIES = pytest.mark.parametrize("vocabulary", [None, 7])
ORDERS = pytest.mark.parametrize("order", ["forward", "reversed"])
FEEDINGS = pytest.mark.parametrize("feeding", ["code", "teacher"])


def _encoder(vocabulary: int | None = None, cell: str = "lstm", layers: int = 1) -> RecurrentEncoder:
    shape = (5, 2) if vocabulary is None else (5,)
    return RecurrentEncoder(shape, (2, 2), cell=cell, hidden=8, layers=layers, vocabulary=vocabulary)


def _decoder(vocabulary: int | None = None, **options: object) -> RecurrentDecoder:
    out = (5, vocabulary or 2)
    return RecurrentDecoder((2, 2), out, hidden=8, vocabulary=vocabulary, **options)  # type: ignore[arg-type]


def _model(vocabulary: int | None, feeding: str, order: str = "forward") -> Autoencoder:
    likelihood = Gaussian() if vocabulary is None else Categorical(vocabulary)
    decoder = _decoder(vocabulary, feeding=feeding, order=order)
    return Autoencoder(_encoder(vocabulary), Plain((2, 2)), decoder, likelihood)


@CELLS
@VOCABULARIES
@pytest.mark.parametrize("layers", [1, 2])
def test_encodes_rows_whatever_their_batch(cell: str, vocabulary: int | None, layers: int) -> None:
    net = _encoder(vocabulary, cell, layers)
    batch = net.example_batch(7)
    assert batch.mask is not None
    h = net(batch.x, batch.mask)
    assert h.shape == (7, 2, 2)
    one = torch.cat([net(x[None], m[None]) for x, m in zip(batch.x, batch.mask, strict=True)])
    torch.testing.assert_close(h, one)
    torch.testing.assert_close(net(batch.x), net(batch.x, torch.ones_like(batch.mask)))


@VOCABULARIES
@pytest.mark.parametrize("padding", [3.0, -1.0, math.nan])
def test_masked_steps_change_nothing(vocabulary: int | None, padding: float) -> None:
    net = _encoder(vocabulary)
    batch = net.example_batch(5)
    x, mask = batch.x, batch.mask
    assert mask is not None
    h = net(x, mask)
    other = x.clone()
    other[~mask] = padding
    torch.testing.assert_close(net(other, mask), h)
    # Nor does it matter where the padding stands.
    torch.testing.assert_close(net(other.roll(2, 1)[:, :], mask.roll(2, 1))[0], net(x.roll(2, 1))[0])
    torch.testing.assert_close(net(other[1:].roll(1, 1), mask[1:].roll(1, 1)), h[1:])
    net(other, mask).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


def test_state_is_that_of_the_shortened_sequence() -> None:
    net = _encoder()
    short = RecurrentEncoder((3, 2), (2, 2), hidden=8)
    short.load_state_dict(net.state_dict())
    x = torch.randn(4, 5, 2)
    mask = (torch.arange(5) < 3).expand(4, 5)
    torch.testing.assert_close(net(x, mask), short(x[:, :3]))


def test_a_row_without_steps_is_encoded_as_the_bias() -> None:
    net = _encoder()
    h = net(torch.full((1, 5, 2), math.nan), torch.zeros(1, 5, dtype=torch.bool))
    torch.testing.assert_close(h.flatten(), net.head.bias)


def test_missing_entries_are_blank_and_their_step_remains() -> None:
    net, x = _encoder(), torch.randn(3, 5, 2)
    entries = torch.ones(3, 5, 2, dtype=torch.bool)
    entries[:, 1] = False
    entries[:, 2, 0] = False
    blank = torch.where(entries, x, 0.0)
    torch.testing.assert_close(net(x.masked_fill(~entries, math.nan), entries), net(blank))
    entries[:, 3:] = False
    torch.testing.assert_close(net(x, entries), net(blank, (torch.arange(5) < 3).expand(3, 5)))


@CELLS
@VOCABULARIES
@ORDERS
@FEEDINGS
def test_decodes_codes_with_and_without_their_rows(cell: str, vocabulary: int | None, order: str, feeding: str) -> None:
    net = _decoder(vocabulary, cell=cell, order=order, feeding=feeding, layers=2)
    z = torch.randn(6, 2, 2)
    theta = net(z)
    assert theta.shape == (6, 5, vocabulary or 2)
    torch.testing.assert_close(torch.cat([net(row[None]) for row in z]), theta)
    batch = _encoder(vocabulary).example_batch(3)
    judged = net(z, batch)
    assert judged.shape == theta.shape
    # Two draws a row stand draw after draw, and each reads its row.
    torch.testing.assert_close(judged, torch.cat([net(z[:3], batch), net(z[3:], batch)]))
    for out in (theta, judged):
        net.zero_grad()
        out.square().sum().backward(retain_graph=True)
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


@VOCABULARIES
@ORDERS
def test_free_running_is_teacher_forcing_on_what_was_written(vocabulary: int | None, order: str) -> None:
    net, z = _decoder(vocabulary, feeding="teacher", order=order), 3 * torch.randn(4, 2, 2)
    theta = net(z)
    written = theta if vocabulary is None else theta.argmax(-1).float()
    torch.testing.assert_close(net(z, Batch(written)), theta)


@VOCABULARIES
@ORDERS
def test_a_step_is_written_before_it_is_read(vocabulary: int | None, order: str) -> None:
    net = _decoder(vocabulary, feeding="teacher", order=order)
    z, x = torch.randn(1, 2, 2), _encoder(vocabulary).example_batch(1).x
    other = x.clone()
    other[:, 2] = 1 + x[:, 2] if vocabulary is None else (1 + x[:, 2]) % vocabulary
    same = (net(z, Batch(x)) == net(z, Batch(other))).all(2)[0].tolist()
    later = [False, False] if order == "forward" else [True, True]
    assert same == [not s for s in later] + [True] + later


@VOCABULARIES
@ORDERS
@FEEDINGS
def test_the_loss_counts_no_masked_step(vocabulary: int | None, order: str, feeding: str) -> None:
    model = _model(vocabulary, feeding, order)
    batch = model.encoder.example_batch(5)
    assert batch.mask is not None
    padded = batch.x.clone()
    padded[~batch.mask] = math.nan
    loss = Reconstruction()
    torch.testing.assert_close(loss(model, Batch(padded, batch.mask)).total, loss(model, batch).total)
    loss(model, Batch(padded, batch.mask)).total.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    assert model.reconstruct(batch).shape == batch.x.shape


def test_learns_symbols_by_teacher_forcing() -> None:
    torch.manual_seed(0)
    x = torch.randint(4, (8, 6)).float()
    encoder = RecurrentEncoder((6,), (8,), hidden=32, vocabulary=4)
    decoder = RecurrentDecoder((8,), (6, 4), hidden=32, vocabulary=4, feeding="teacher", order="reversed")
    model, objective = Autoencoder(encoder, Plain((8,)), decoder, Categorical(4)), Reconstruction()
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-2)
    for _ in range(80):
        optimiser.zero_grad()
        objective(model, Batch(x)).total.backward()
        optimiser.step()
    assert (model.reconstruct(x) == x).float().mean() > 0.95  # free running


@VOCABULARIES
@FEEDINGS
def test_config_round_trip(vocabulary: int | None, feeding: str) -> None:
    for net in (_encoder(vocabulary), _decoder(vocabulary, feeding=feeding, cell="gru", order="reversed")):
        again = build(config(net))
        assert config(again) == config(net)
        again.load_state_dict(net.state_dict())


@VOCABULARIES
def test_bfloat16(vocabulary: int | None) -> None:
    encoder, decoder = _encoder(vocabulary).bfloat16(), _decoder(vocabulary, feeding="teacher").bfloat16()
    batch = encoder.example_batch(3)
    x = batch.x.bfloat16()
    h = encoder(x, batch.mask)
    assert h.dtype == decoder(h).dtype == decoder(h, batch).dtype == torch.bfloat16


@pytest.mark.filterwarnings("ignore:The tensor attributes self.steps._flat_weights")  # torch's own list of weights
@VOCABULARIES
def test_exports(vocabulary: int | None) -> None:
    dynamic = {0: torch.export.Dim.DYNAMIC}
    encoder = _encoder(vocabulary)
    batch, more = encoder.example_batch(3), encoder.example_batch(6)
    program = torch.export.export(encoder, (batch.x, batch.mask), dynamic_shapes=(dynamic, dynamic))
    torch.testing.assert_close(program.module()(more.x, more.mask), encoder(more.x, more.mask))
    decoder, z = _decoder(vocabulary, feeding="teacher"), torch.randn(6, 2, 2)
    program = torch.export.export(decoder, (z[:3],), dynamic_shapes=(dynamic,))
    torch.testing.assert_close(program.module()(z), decoder(z))


def test_last_is_the_last_layer() -> None:
    for net, z in ((_encoder(), torch.rand(2, 5, 2)), (_decoder(feeding="teacher"), torch.rand(2, 2, 2))):
        torch.nn.init.zeros_(net.last.weight)  # type: ignore[arg-type]
        out: Tensor = net(z)
        assert out.eq(0).all()


def test_refusals() -> None:
    with pytest.raises(ShapeError, match=r"real-valued steps need rows of shape \(T, D\), got \(5,\)\. Add an axis"):
        RecurrentEncoder((5,), (3,))
    with pytest.raises(ShapeError, match=r"symbols need rows of shape \(T,\), got \(5, 2\)"):
        RecurrentEncoder((5, 2), (3,), vocabulary=7)
    with pytest.raises(ConfigError, match="vocabulary must be >= 2, got 1"):
        RecurrentEncoder((5,), (3,), vocabulary=1)
    with pytest.raises(ShapeError, match=r"the decoder writes logits \(T, 7\), got \(5, 6\)"):
        RecurrentDecoder((3,), (5, 6), vocabulary=7)
    with pytest.raises(ShapeError, match=r"the decoder writes \(T, D\), got \(5,\)"):
        RecurrentDecoder((3,), (5,))
    with pytest.raises(ConfigError, match="cell must be one of lstm, gru, got 'rnn'"):
        _encoder(cell="rnn")
    with pytest.raises(ConfigError, match=r"hidden and layers must be >= 1, got \(8, 0\)"):
        _encoder(layers=0)
    with pytest.raises(ConfigError, match="order must be one of forward, reversed, got 'up'"):
        _decoder(order="up")
    with pytest.raises(ConfigError, match="feeding must be one of code, teacher, got 'none'"):
        _decoder(feeding="none")
    with pytest.raises(ShapeError, match=r"rows must be of shape \(5, 2\), got \(4, 2\)\. Pad or cut them"):
        _encoder()(torch.zeros(3, 4, 2))
    with pytest.raises(ShapeError, match=r"must be of shape \(3, 5\) or \(3, 5, 2\), got \(3, 4\)"):
        _encoder()(torch.zeros(3, 5, 2), torch.ones(3, 4, dtype=torch.bool))


@pytest.mark.parametrize("symbol", [7.0, -1.0])
def test_a_symbol_outside_the_vocabulary_is_named(symbol: float) -> None:
    x = torch.tensor([[0.0, 1, symbol, 2, 3]])
    with pytest.raises(DataError, match=rf"from 0 to 6, for vocabulary=7, got {symbol:g}\. Count the data"):
        _encoder(7)(x)
    _encoder(7)(x, x != symbol)
