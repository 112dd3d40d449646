"""The smallest models that objectives are tried on."""

from xhat.models.autoencoder import Autoencoder
from xhat.parts.bottlenecks.gaussian import Gaussian
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian as GaussianLikelihood
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder


def plain_model() -> Autoencoder:
    """Six numbers through three, as they are."""
    return _model(Plain((3,)))


def variational_model() -> Autoencoder:
    """Six numbers through a Gaussian of three."""
    return _model(Gaussian((3,)))


def _model(bottleneck):
    encoder = MLPEncoder((6,), bottleneck.in_shape, hidden=(8,))
    return Autoencoder(encoder, bottleneck, MLPDecoder((3,), (6,), hidden=(8,)), GaussianLikelihood())
