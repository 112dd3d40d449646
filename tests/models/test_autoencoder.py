import pytest
import torch

from xhat.core import Batch, Encoder, GaussianCode, build, config
from xhat.core.errors import ConfigError, ShapeError
from xhat.models.autoencoder import Autoencoder
from xhat.parts.bottlenecks.gaussian import Gaussian
from xhat.parts.likelihoods.bernoulli import Bernoulli
from xhat.parts.nets.conv import ConvDecoder, ConvEncoder
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.priors.normal import Normal


@pytest.fixture
def model():
    return Autoencoder.example().eval()


def made_of(encoder=((6,), (4,)), code=(2,), decoder=((2,), (6,)), prior=None):
    parts = MLPEncoder(*encoder, hidden=()), Gaussian(code), MLPDecoder(*decoder, hidden=()), Bernoulli()
    return Autoencoder(*parts, prior and Normal(prior))


def test_neighbours_that_meet_make_a_model():
    model = made_of(prior=(2,))
    assert (model.x_shape, model.code_shape) == ((6,), (2,))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoder": ((6,), (2,))}, "the encoder gives (2,) and the bottleneck reads (4,)"),
        ({"decoder": ((3,), (6,))}, "the bottleneck gives (2,) and the decoder reads (3,)"),
        ({"decoder": ((2,), (7,))}, "the decoder gives (7,) and the likelihood reads (6,)"),
        ({"prior": (5,)}, "the bottleneck gives (2,) and the prior is over (5,)"),
    ],
)
def test_neighbours_that_do_not_meet_are_refused_with_both_shapes(change, message):
    with pytest.raises(ShapeError) as error:
        made_of(**change)
    advice = "Build one of them with the other's shape."
    assert str(error.value) == f"Autoencoder: neighbours must meet, but {message}. {advice}"


def test_the_prior_is_the_standard_normal_unless_given():
    assert isinstance(made_of().prior, Normal)
    assert made_of().prior.code_shape == (2,)


def test_a_reconstruction_is_the_mean_at_the_codes_own_place(model):
    x = torch.rand(5, 6)
    code = model.encode(x)
    assert isinstance(code, GaussianCode)
    torch.testing.assert_close(model.reconstruct(x), model.decoder(code.mean))


def test_reconstructions_are_deterministic_and_keep_rows_in_their_order(model):
    x = torch.rand(5, 6)
    together = model.reconstruct(x)
    assert together.shape == x.shape
    assert torch.equal(together, model.reconstruct(x))
    torch.testing.assert_close(together, torch.cat([model.reconstruct(row[None]) for row in x]))


def test_samples_are_new_rows_without_gradients(model):
    rows = model.sample(7)
    assert rows.shape == (7, 6)
    assert not rows.requires_grad
    assert not torch.equal(rows, model.sample(7))
    with pytest.raises(ConfigError, match=r"Autoencoder\.sample: n must be >= 1, got 0"):
        model.sample(0)


def test_samples_come_from_the_fitted_prior():
    model = made_of()
    far = torch.tensor([30.0, -20.0])
    model.prior.fit(far + 0.01 * torch.randn(100, 2))
    torch.testing.assert_close(model.sample(3), model.decode(far.expand(3, 2)).mean, rtol=0, atol=0.1)


def test_the_encoder_sees_what_the_batch_shows_it(model):
    x, spoiled = torch.rand(2, 5, 6)
    assert torch.equal(model.encode(Batch(x)).z, model.encode(x).z)
    assert torch.equal(model.encode(Batch(x, corrupted=spoiled)).z, model.encode(spoiled).z)


def test_an_encoder_that_reads_the_mask_is_given_it():
    class Masked(Encoder):
        in_shape, out_shape, reads_mask = (6,), (4,), True

        def forward(self, x, mask):
            return torch.where(mask, x, 0.0)[:, :4]

    model = Autoencoder(Masked(), Gaussian((2,)), MLPDecoder((2,), (6,)), Bernoulli())
    mask = torch.tensor([[True, False] * 3])
    assert model.encode(Batch(torch.ones(1, 6), mask=mask)).z.tolist() == [[1.0, 0.0]]


def test_a_decoder_that_reads_the_batch_is_given_it():
    class Stepwise(MLPDecoder):
        reads_batch = True

        def forward(self, z, batch):
            return super().forward(z) * 0 + (0.0 if batch is None else batch.x)

    model = Autoencoder(MLPEncoder((6,), (4,)), Gaussian((2,)), Stepwise((2,), (6,)), Bernoulli())
    batch = Batch(torch.full((3, 6), 50.0))
    assert torch.equal(model.decode(torch.zeros(3, 2), batch).mean, torch.ones(3, 6))
    assert torch.equal(model.decode(torch.zeros(3, 2)).mean, torch.full((3, 6), 0.5))


def test_images_pass_through_a_spatial_code():
    code = Gaussian((2, 3, 2))
    shape, widths = (3, 11, 7), (4, 8)
    encoder, decoder = ConvEncoder(shape, code.in_shape, widths=widths), ConvDecoder((2, 3, 2), shape, widths=widths)
    model = Autoencoder(encoder, code, decoder, Bernoulli())
    assert model.reconstruct(torch.rand(2, *shape)).shape == (2, *shape)
    assert model.sample(2).shape == (2, *shape)


def test_a_double_model_stays_double():
    model = Autoencoder.example().double()
    assert model.reconstruct(torch.rand(2, 6, dtype=torch.float64)).dtype == torch.float64
    assert model.sample(2).dtype == torch.float64


def test_its_parts_and_weights_rebuild_it(model):
    described = {name: build(part) for name, part in config(model).items() if name != "kind"}
    twin = Autoencoder(**described).eval()
    twin.load_state_dict(model.state_dict())
    x = torch.rand(5, 6)
    assert torch.equal(twin.reconstruct(x), model.reconstruct(x))
