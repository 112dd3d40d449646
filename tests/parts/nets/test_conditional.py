import pytest
import torch

from xhat.core import Batch
from xhat.core.errors import ConfigError, ShapeError
from xhat.models.autoencoder import Autoencoder
from xhat.parts.bottlenecks.gaussian import Gaussian
from xhat.parts.likelihoods.gaussian import Gaussian as GaussianLikelihood
from xhat.parts.nets.conditional import ConditionalDecoder, ConditionalEncoder, widened
from xhat.parts.nets.conv import ConvEncoder
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.nets.recurrent import RecurrentDecoder, RecurrentEncoder

Y = torch.tensor([2, 0, 1, 2])
E = torch.tensor([[0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]]).float()


class Seen(MLPEncoder):
    """Keep what is read."""

    def forward(self, x):
        self.x = x
        return super().forward(x)


@pytest.fixture
def model():
    encoder = ConditionalEncoder(MLPEncoder((9,), (4,), hidden=(8,)), 3)
    decoder = ConditionalDecoder(MLPDecoder((5,), (6,), hidden=(8,)), 3)
    return Autoencoder(encoder, Gaussian((2,)), decoder, GaussianLikelihood())


@pytest.mark.parametrize(
    ("shape", "wide", "read"),
    [
        ((6,), (9,), E),
        ((2, 5, 7), (5, 5, 7), E[:, :, None, None].expand(4, 3, 5, 7)),
        ((5, 2), (5, 5), E[:, None, :].expand(4, 5, 3)),
    ],
)
def test_the_label_stands_behind_the_rows_own_axis(shape, wide, read):
    assert widened(shape, 3) == wide
    encoder = ConditionalEncoder(Seen(wide, (2,), hidden=()), 3)
    assert encoder.in_shape == shape
    x = torch.rand(4, *shape)
    encoder(x, Y)
    axis = 2 if len(shape) == 2 else 1
    assert torch.equal(encoder.inner.x, torch.cat([x, read], axis))


def test_a_net_of_vectors_reads_the_label_once():
    encoder = ConditionalEncoder(Seen((15,), (2,), hidden=()), 3, in_shape=(3, 4))
    x = torch.rand(4, 3, 4)
    encoder(x, Y)
    assert torch.equal(encoder.inner.x, torch.cat([x.flatten(1), E], 1))
    with pytest.raises(ShapeError, match="flattened beside 3 classes do not meet"):
        ConditionalEncoder(MLPEncoder((15,), (2,)), 3, in_shape=(3, 5))


def test_masks_are_widened_where_they_are_of_entries():
    encoder = ConditionalEncoder(RecurrentEncoder((5, 4), (2,), hidden=4), 2)
    x, steps = torch.rand(3, 5, 2), torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 0]]).bool()
    y = torch.tensor([0, 1, 1])
    entries = steps.unsqueeze(2).expand(3, 5, 2)
    whole = torch.cat([entries, torch.ones(3, 5, 2, dtype=torch.bool)], 2)
    wide = torch.cat([x, torch.eye(2)[y].unsqueeze(1).expand(3, 5, 2)], 2)
    assert torch.equal(encoder(x, steps, y), encoder.inner(wide, steps))
    assert torch.equal(encoder(x, entries, y), encoder.inner(wide, whole))


def test_both_sides_follow_the_label(model):
    x = torch.rand(4, 6)
    z = model.encode(Batch(x, y=Y)).z
    assert not torch.allclose(z, model.encode(Batch(x, y=(Y + 1) % 3)).z)
    assert not torch.allclose(model.decode(z, y=Y).mean, model.decode(z, y=(Y + 1) % 3).mean)
    assert torch.equal(model.reconstruct(Batch(x, y=Y)), model.decode(z, Batch(x, y=Y)).mean)


def test_k_draws_a_row_keep_its_label(model):
    batch = Batch(torch.rand(4, 6), y=Y)
    z = model.encode(batch).rsample(3)
    each = torch.cat([model.decode(part, batch).mean for part in z.split(4)])
    torch.testing.assert_close(model.decode(z, batch).mean, each)


def test_teacher_forcing_goes_on_inside():
    inner = RecurrentDecoder((4,), (5, 2), hidden=4, feeding="teacher")
    decoder, batch, z = ConditionalDecoder(inner, 2), Batch(torch.rand(3, 5, 2)), torch.rand(3, 2)
    y = torch.tensor([0, 1, 1])
    assert decoder.reads_batch
    assert torch.equal(decoder(z, batch, y), inner(torch.cat([z, torch.eye(2)[y]], 1), batch))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "labels are missing where they are needed, got none"),
        (torch.tensor([0, -1, 2, 1]), "labels are missing where they are needed, got rows without one"),
        (torch.rand(4), "labels are missing where they are needed, got labels that are no classes"),
        (torch.tensor([0, 1, 2, 3]), "labels must be below 3, the number of classes, got 3"),
    ],
)
def test_labels_that_are_not_there_are_asked_for(model, y, message):
    with pytest.raises(ConfigError, match=message):
        model.encode(Batch(torch.rand(4, 6), y=y))
    with pytest.raises(ConfigError, match=message):
        model.decode(torch.rand(4, 2), y=y)


def test_new_rows_are_of_the_class_that_is_asked_for(model):
    y = torch.tensor([1, 1, 0])
    torch.manual_seed(3)
    drawn = model.sample(3, y)
    torch.manual_seed(3)
    assert torch.equal(drawn, model.decode(model.prior.sample(3), y=y).mean)
    for wrong, message in ((torch.tensor([3]), "must be from 0 to 2"), (torch.tensor([-1]), "from 0 to 2")):
        with pytest.raises(ConfigError, match=message):
            model.sample(1, wrong)
    with pytest.raises(ShapeError, match="a label for each of the 2 rows"):
        model.sample(2, torch.tensor([1]))


def test_without_a_label_classes_are_drawn_as_often_as_they_came(model):
    model.begin(Batch(torch.rand(8, 6), y=torch.tensor([0, 0, 0, 0, 0, 0, 2, 2])))
    counts = torch.bincount(model.decoder.draw(4000), minlength=3) / 4000
    # Of 6, 0 and 2 rows and one more each: a class that the first rows lack is drawn as well.
    torch.testing.assert_close(counts, torch.tensor([7 / 11, 1 / 11, 3 / 11]), atol=0.03, rtol=0)
    assert model.sample(5).shape == (5, 6)


def test_bad_arguments():
    with pytest.raises(ConfigError, match="classes must be >= 2, got 1"):
        ConditionalEncoder(MLPEncoder((6,), (2,)), 1)
    with pytest.raises(ConfigError, match=r"must read more than a label, got \(3, 8, 8\).*widened"):
        ConditionalEncoder(ConvEncoder((3, 8, 8), (2,), widths=(4,)), 3)
