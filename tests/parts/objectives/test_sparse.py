import pytest
import torch
from exercise_models import plain_model

from xhat.core import Batch
from xhat.core.errors import ConfigError
from xhat.models.autoencoder import Autoencoder
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.linear import LinearDecoder, LinearEncoder
from xhat.parts.objectives.sparse import Sparse


def test_it_is_the_copy_and_the_sum_of_absolute_values():
    model, x = plain_model(), torch.randn(5, 6)
    z = model.encode(x).z
    terms = Sparse(0.3)(model, Batch(x)).terms
    torch.testing.assert_close(terms["loudness"], 0.3 * z.abs().sum(1))
    torch.testing.assert_close(terms["distortion"], -model.decode(z).log_prob(x))


@pytest.mark.parametrize("weight", [0.1, 0.5])
def test_of_an_orthonormal_dictionary_the_best_code_is_soft_thresholding(weight):
    # min_z ½ ‖x - D z‖² + λ ‖z‖₁ with Dᵀ D = 1 is z = sign(a) max(|a| - λ, 0), a = Dᵀ x: known in closed form.
    basis = torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64)).Q
    x = torch.randn(1, 6, dtype=torch.float64)
    encoder, decoder = LinearEncoder((6,), (6,)), LinearDecoder((6,), (6,))
    model = Autoencoder(encoder, Plain((6,)), decoder, Gaussian()).double()
    decoder.start(basis, torch.zeros(6))
    decoder.requires_grad_(False)
    with torch.no_grad():
        encoder.map.weight.zero_()
    optimiser = torch.optim.SGD([encoder.map.bias], 0.02)  # the code of a single row is the bias alone
    for _ in range(400):
        optimiser.zero_grad()
        Sparse(weight)(model, Batch(x)).total.backward()
        optimiser.step()
    a = x @ basis
    expected = torch.sign(a) * (a.abs() - weight).clamp(min=0)
    torch.testing.assert_close(model.encode(x).z.detach(), expected, rtol=0, atol=0.02)


def test_a_negative_weight_is_refused():
    with pytest.raises(ConfigError, match="Sparse: weight must be >= 0, got -1"):
        Sparse(-1)
