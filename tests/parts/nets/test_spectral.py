import json

import pytest
import torch
from torch import nn

from xhat.core import Batch, build, config
from xhat.core.errors import ConfigError
from xhat.models.autoencoder import Autoencoder
from xhat.models.recipe import Recipe
from xhat.models.recipes.rae_spectral import rae_spectral
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.conditional import ConditionalDecoder, ConditionalEncoder
from xhat.parts.nets.conv import ConvDecoder
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.nets.spectral import SpectralDecoder, SpectralEncoder
from xhat.parts.nets.wrap import WrapDecoder
from xhat.runs.pca_start import takes_pca


def largest(net):
    return [torch.linalg.matrix_norm(m.weight, 2).item() for m in net.modules() if isinstance(m, nn.Linear)]


def test_every_layers_largest_singular_value_is_one():
    inner = MLPDecoder((3,), (20,), hidden=(16, 8))
    before = largest(inner)
    decoder = SpectralDecoder(inner)
    for _ in range(30):  # in training mode each pass sharpens the estimate
        decoder(torch.randn(4, 3))
    assert all(abs(value - 1) > 0.1 for value in before)
    assert largest(decoder) == pytest.approx([1, 1, 1], abs=1e-3)


def test_it_stretches_nothing():
    encoder = SpectralEncoder(MLPEncoder((20,), (3,), hidden=(16,), activation="relu"))
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter *= 50  # however large the weights behind it
        for _ in range(50):
            encoder(torch.randn(4, 20))
        a, b = torch.randn(2, 500, 20)
        ratio = (encoder.eval()(a) - encoder(b)).norm(dim=1) / (a - b).norm(dim=1)
    assert 0.05 < float(ratio.max()) <= 1.001


def test_evaluation_is_deterministic_and_leaves_the_state_alone():
    decoder = SpectralDecoder.example().eval()
    before = {name: value.clone() for name, value in decoder.state_dict().items()}
    z = torch.randn(4, 3)
    assert torch.equal(decoder(z), decoder(z))
    assert all(torch.equal(value, before[name]) for name, value in decoder.state_dict().items())


def test_a_trained_one_is_built_again_from_its_description():
    decoder = SpectralDecoder(ConvDecoder((3,), (1, 8, 8), widths=(4, 8)))
    optimiser = torch.optim.SGD(decoder.parameters(), 0.1)
    for _ in range(3):
        optimiser.zero_grad()
        (decoder(torch.randn(4, 3)) ** 2).sum().backward()
        optimiser.step()
    twin = build(json.loads(json.dumps(config(decoder))))
    twin.load_state_dict(decoder.state_dict())
    z = torch.randn(4, 3)
    assert torch.equal(twin.eval()(z), decoder.eval()(z))


def test_a_layer_that_starts_at_zero_gets_a_direction():
    inner = MLPDecoder.example()
    nn.init.zeros_(inner.last.weight)
    assert SpectralDecoder(inner)(torch.randn(2, 3)).isfinite().all()


def test_a_net_without_such_layers_is_refused():
    with pytest.raises(ConfigError, match=r"nets/spectral: needs a net with linear or convolutional layers"):
        SpectralDecoder(WrapDecoder(torch.sin, (3,), (3,)))


def test_no_fit_begins_at_pca_through_it():
    recipe = rae_spectral((6,), latent=2)
    assert isinstance(recipe, Recipe)
    assert isinstance(recipe.model, Autoencoder)
    assert not takes_pca(recipe.model)


def test_labels_go_to_a_net_that_reads_them():
    encoder, decoder = SpectralEncoder(ConditionalEncoder.example()), SpectralDecoder(ConditionalDecoder.example())
    model = Autoencoder(encoder, Plain((3,)), decoder, Gaussian()).eval()
    assert (model.reads_labels, model.classes) == (True, 2)
    x = torch.rand(8, 6)
    one, other = (Batch(x, y=torch.full((8,), k)) for k in (0, 1))
    assert not torch.allclose(model.encode(one).z, model.encode(other).z)
    assert not torch.allclose(model.decode(torch.zeros(8, 3), one).mean, model.decode(torch.zeros(8, 3), other).mean)
    model.begin(other)
    torch.testing.assert_close(decoder.inner.shares, torch.tensor([0.1, 0.9]))
    assert torch.bincount(decoder.draw(2000)).argmax() == 1
    assert model.sample(2, torch.tensor([0, 1])).shape == (2, 6)
