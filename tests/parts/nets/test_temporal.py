import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from xhat.core.batch import Batch
from xhat.core.errors import ConfigError, ShapeError
from xhat.models.autoencoder import Autoencoder
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.temporal import TemporalDecoder, TemporalEncoder


@given(steps=st.integers(1, 50), features=st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_a_series_of_any_length_comes_back_in_its_length(steps, features):
    shape = (steps, features)
    h = TemporalEncoder(shape, (2, 2), width=4, windows=3)(torch.randn(2, *shape))
    assert h.shape == (2, 2, 2)
    assert TemporalDecoder((2, 2), shape, width=4, windows=3)(h).shape == (2, *shape)


@pytest.mark.parametrize(("steps", "blocks"), [(1, 1), (2, 1), (6, 2), (140, 7), (10_000, 8)])
def test_by_default_the_middle_sees_the_whole_series(steps, blocks):
    assert len(TemporalEncoder((steps, 1), (2,), width=2).stack.blocks) == blocks


@pytest.mark.parametrize("activation", ["silu", "sigmoid"])
@pytest.mark.parametrize("garbage", [7.0, float("nan"), float("inf")])
def test_what_stands_in_steps_that_do_not_count_changes_nothing(activation, garbage):
    encoder = TemporalEncoder((9, 2), (3,), width=4, windows=3, activation=activation)
    x, mask = torch.randn(4, 9, 2), torch.rand(4, 9) < 0.6
    torch.testing.assert_close(encoder(x.masked_fill(~mask[:, :, None], garbage), mask), encoder(x, mask))


def test_entries_that_do_not_count_change_nothing():
    encoder, x, mask = TemporalEncoder.example(), torch.randn(4, 7, 2), torch.rand(4, 7, 2) < 0.5
    torch.testing.assert_close(encoder(x.masked_fill(~mask, float("nan")), mask), encoder(x, mask))


def test_a_mask_that_lets_all_count_is_no_mask():
    encoder, x = TemporalEncoder.example(), torch.randn(4, 7, 2)
    torch.testing.assert_close(encoder(x, torch.ones(4, 7, dtype=torch.bool)), encoder(x))
    torch.testing.assert_close(encoder(x, torch.ones(4, 7, 2, dtype=torch.bool)), encoder(x))


def test_what_counts_is_read():
    encoder, x, mask = TemporalEncoder.example(), torch.randn(1, 7, 2), torch.ones(1, 7, dtype=torch.bool)
    whole = encoder(x, mask)
    mask[0, 3] = False
    assert not torch.allclose(encoder(x, mask), whole)


def test_a_row_without_a_valid_step_has_a_code():
    encoder, mask = TemporalEncoder.example(), torch.zeros(2, 7, dtype=torch.bool)
    x = torch.full((2, 7, 2), float("nan"))
    torch.testing.assert_close(encoder(x, mask), encoder.last.bias.expand(2, -1))
    encoder(x, mask).sum().backward()
    assert all(p.grad.isfinite().all() for p in encoder.parameters())


def test_a_code_tells_when_a_thing_happened():
    encoder = TemporalEncoder((64, 1), (8,), width=8)
    early, late = torch.zeros(2, 64, 1)
    early[10], late[50] = 1.0, 1.0
    codes = encoder(torch.stack([early, late]))
    assert not torch.allclose(codes[0], codes[1], atol=1e-3)


def test_the_windows_of_a_code_follow_one_another():
    decoder = TemporalDecoder((1,), (64, 1), width=8, windows=8)
    near = decoder.places().softmax(0)  # (K, T)
    torch.testing.assert_close(near.sum(0), torch.ones(64))
    assert near.argmax(0).tolist() == sorted(near.argmax(0).tolist())
    assert near.argmax(0).unique().tolist() == list(range(8))


def test_an_autoencoder_hands_on_the_mask_of_steps():
    model = Autoencoder(TemporalEncoder.example(), Plain((3,)), TemporalDecoder.example(), Gaussian())
    x, mask = torch.randn(2, 7, 2), torch.arange(7).expand(2, 7) < 4
    spoiled = torch.where(mask[:, :, None], x, 100.0)
    torch.testing.assert_close(model.reconstruct(Batch(spoiled, mask=mask)), model.reconstruct(Batch(x, mask=mask)))


def test_it_learns_to_copy():
    # Waves of any phase and amplitude: two numbers a row, whatever their length.
    angles = torch.linspace(0, 6.28, 24)[:, None]
    encoder, decoder = (
        TemporalEncoder((24, 1), (2,), width=8, windows=8),
        TemporalDecoder((2,), (24, 1), width=8, windows=8),
    )
    optimiser = torch.optim.AdamW([*encoder.parameters(), *decoder.parameters()], lr=1e-2)
    for _ in range(40):
        a, b = torch.randn(2, 32, 1, 1)
        x = a * angles.sin() + b * angles.cos()
        loss = ((decoder(encoder(x)) - x) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.2 * (x**2).mean()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: TemporalEncoder((30,), (3,)),
            ShapeError,
            r"nets/temporal: needs series of shape \(T, D\), got rows of shape \(30,\)\. Use nets/mlp",
        ),
        (lambda: TemporalDecoder((3,), (1, 8, 8)), ShapeError, r"needs series of shape \(T, D\)"),
        (lambda: TemporalEncoder((9, 1), (3,), width=0), ConfigError, r"width must be >= 1, got 0"),
        (lambda: TemporalEncoder((9, 1), (3,), depth=0), ConfigError, r"depth must be >= 1, got 0"),
        (lambda: TemporalDecoder((3,), (9, 1), windows=0), ConfigError, r"windows must be >= 1, got 0"),
        (lambda: TemporalDecoder((3,), (9, 1), activation="reul"), ConfigError, r"nets/temporal: unknown activation"),
        (
            lambda: TemporalEncoder.example()(torch.rand(1, 8, 2)),
            ShapeError,
            r"nets/temporal: rows must be of shape \(7, 2\), got \(8, 2\)",
        ),
        (
            lambda: TemporalEncoder.example()(torch.rand(1, 7, 2), torch.ones(1, 6, dtype=torch.bool)),
            ShapeError,
            r"nets/temporal: a mask of these rows must be of shape \(1, 7\) or \(1, 7, 2\), got \(1, 6\)",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_a_line_that_teaches(make, error, message):
    with pytest.raises(error, match=message):
        make()
