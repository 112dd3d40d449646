import math

import pytest
import torch

from xhat.core.errors import ConfigError
from xhat.parts.nets.graph import GraphDecoder
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.nets.patch import PatchEncoder
from xhat.parts.nets.pca_path import PCAPathDecoder, PCAPathEncoder, _soft


def test_at_the_start_only_the_path_speaks():
    encoder, x = PCAPathEncoder(MLPEncoder((2, 3), (4,), hidden=(5,))), torch.rand(7, 2, 3)
    axes, offset = torch.rand(4, 6), torch.rand(4)
    encoder.start(axes, offset)
    torch.testing.assert_close(encoder(x), x.flatten(1) @ axes.T + offset)
    decoder, z = PCAPathDecoder(MLPDecoder((4,), (2, 3), hidden=(5,))), torch.rand(7, 4)
    decoder.start(axes.T, torch.zeros(6))
    torch.testing.assert_close(decoder(z).flatten(1), z @ axes)


def test_one_step_wakes_the_net_beside_it():
    encoder = PCAPathEncoder(MLPEncoder((6,), (3,), hidden=(5,)))
    encoder(torch.rand(4, 6)).square().sum().backward()
    last, first = encoder.inner.layers[-1], encoder.inner.layers[0]
    assert last.weight.grad.abs().sum() > 0
    assert first.weight.grad.abs().sum() == 0  # it moves once the last layer has left zero


def test_a_net_without_a_last_layer_is_refused():
    with pytest.raises(ConfigError, match="needs a net with a last layer to set to zero, got GraphDecoder"):
        PCAPathDecoder(GraphDecoder((2, 5), (5, 5)))


def test_what_the_inner_net_reads_reaches_it():
    inner = PatchEncoder((1, 8, 8), (3,), width=8, depth=1, heads=2)
    encoder = PCAPathEncoder(inner)
    with torch.no_grad():
        inner.last.weight.normal_()
    x, visible = torch.rand(2, 1, 8, 8), torch.ones(2, 1, 8, 8, dtype=torch.bool)
    visible[..., :4] = False
    assert encoder.reads_visible
    u = 3 * torch.asinh(x / 3)
    torch.testing.assert_close(encoder(x, visible), encoder.path(x) + inner(u, visible))
    assert not torch.allclose(encoder(x, visible), encoder(x, None))


def test_the_net_reads_and_speaks_in_its_own_units():
    encoder = PCAPathEncoder(MLPEncoder((6,), (3,), hidden=()))
    centre, spread, gain = torch.rand(6), torch.rand(6) + 0.5, torch.rand(3)
    encoder.measure(centre, spread, gain)
    with torch.no_grad():
        encoder.inner.last.weight.normal_()
    x = torch.rand(4, 6)
    u = 3 * torch.asinh((x - centre) / (3 * spread))
    torch.testing.assert_close(encoder(x) - encoder.path(x), gain * (u @ encoder.inner.last.weight.T))
    decoder = PCAPathDecoder(MLPDecoder((3,), (2, 3), hidden=()))
    decoder.measure(spread[:3], torch.arange(6.0))
    with torch.no_grad():
        decoder.inner.last.weight.normal_()
    z = torch.rand(4, 3)
    said = (decoder(z) - decoder.path(z)).flatten(1)
    u = 3 * torch.asinh(z / (3 * spread[:3]))
    torch.testing.assert_close(said, torch.arange(6.0) * (u @ decoder.inner.last.weight.T))
    decoder.silence()
    torch.testing.assert_close(decoder(z), decoder.path(z))


FAR = torch.tensor([[[0.1]], [[1e4]], [[1e6]]], dtype=torch.float64)


def test_far_outside_the_net_grows_as_the_logarithm():
    encoder = PCAPathEncoder(MLPEncoder((1,), (1,), hidden=())).double()
    with torch.no_grad():
        encoder.inner.last.weight.fill_(1.0)
    near, far, farther = ((encoder(x) - encoder.path(x)).item() for x in FAR)
    assert near == pytest.approx(0.1, rel=1e-3)
    assert farther - far == pytest.approx(3 * math.log(100), rel=1e-4)


def test_far_rows_and_gaps_are_softened_alike_with_and_without_a_gradient():
    u = torch.cat([torch.linspace(-20, 20, 401), 10.0 ** torch.arange(-30, 18), torch.tensor([-1e12, 0.0, torch.nan])])
    plain, learned = _soft(u), _soft(u.clone().requires_grad_())
    torch.testing.assert_close(plain, learned.detach(), rtol=1e-6, atol=0, equal_nan=True)
