import pytest
import torch
from exercise_models import plain_model

from xhat.core import Batch
from xhat.core.errors import ConfigError
from xhat.models.autoencoder import Autoencoder
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.linear import LinearDecoder, LinearEncoder
from xhat.parts.objectives.rae import RAE


def test_it_is_the_equation():
    model, x = plain_model(), torch.randn(5, 6)
    z = model.encode(x).z
    terms = RAE(0.5, decay=0.01)(model, Batch(x)).terms
    torch.testing.assert_close(terms["distortion"], -model.decode(z).log_prob(x))
    torch.testing.assert_close(terms["length"], 0.5 * 0.5 * (z**2).sum(1))
    squares = sum(float((p.detach().double() ** 2).sum()) for p in model.decoder.parameters())
    assert terms["decay"].item() == pytest.approx(0.01 * squares, rel=1e-5)


def test_the_decay_moves_the_decoder_alone():
    model = plain_model()
    RAE()(model, Batch(torch.randn(5, 6))).terms["decay"].backward()
    assert all(p.grad is None for p in model.encoder.parameters())
    for p in model.decoder.parameters():
        torch.testing.assert_close(p.grad, 2e-3 * p.detach())


def test_the_linear_optimum_is_known():
    # One number, E x = 0, E x² = s: L = ½ s (1 - v w)² + ½ β s w² + λ v². Both slopes vanish where
    # (v / w)² = β s / (2 λ) and 1 - v w = sqrt(2 β λ / s): neither weight runs away, though each term alone lets one.
    s, beta, decay = 4.0, 0.3, 0.2
    x = torch.tensor([[2.0], [-2.0]], dtype=torch.float64)
    encoder, decoder = LinearEncoder((1,), (1,)), LinearDecoder((1,), (1,))
    model = Autoencoder(encoder, Plain((1,)), decoder, Gaussian()).double()
    product, ratio = 1 - (2 * beta * decay / s) ** 0.5, (beta * s / (2 * decay)) ** 0.5
    with torch.no_grad():
        encoder.map.weight.fill_((product / ratio) ** 0.5)
        decoder.map.weight.fill_((product * ratio) ** 0.5)
    best = RAE(beta, decay=decay)(model, Batch(x)).total
    best.backward()
    assert all(p.grad.abs().max() < 1e-12 for p in model.parameters())
    for layer in (encoder.map, decoder.map):
        for factor in (0.9, 1 / 0.9):
            with torch.no_grad():
                layer.weight *= factor
                assert RAE(beta, decay=decay)(model, Batch(x)).total > best + 1e-3
                layer.weight /= factor


@pytest.mark.parametrize("name", ["beta", "decay"])
def test_negative_arguments_are_refused(name):
    with pytest.raises(ConfigError, match=f"RAE: {name} must be >= 0, got -1"):
        RAE(**{name: -1})
