import pytest
import torch
from torch.nn.functional import softplus

from xhat.core import Batch
from xhat.core.errors import ConfigError, ShapeError
from xhat.models.autoencoder import Autoencoder
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.objectives.adversarial_labels import AdversarialLabels
from xhat.parts.priors.petals import Petals

K = 4


@pytest.fixture
def objective():
    return AdversarialLabels(MLPEncoder((2 + K + 1,), (1,), hidden=(64,)), K, weight=2.0)


def model_with(prior):
    encoder, decoder = MLPEncoder((6,), (2,), hidden=(32,)), MLPDecoder((2,), (6,), hidden=(8,))
    return Autoencoder(encoder, Plain((2,)), decoder, Gaussian(), prior)


def test_the_critic_sees_codes_beside_their_class_and_unlabelled_ones_beside_one_of_their_own(objective):
    model = model_with(Petals(K))
    x, y = torch.randn(6, 6), torch.tensor([0, 3, -1, 2, -1, 1])
    beside = torch.zeros(6, K + 1)
    for row, column in enumerate((0, 3, K, 2, K, 1)):
        beside[row, column] = 1
    said = objective.critic(torch.cat([model.encode(x).z, beside], 1)).squeeze(1)
    torch.testing.assert_close(objective(model, Batch(x, y=y)).terms["fooling"], 2 * softplus(-said))
    torch.testing.assert_close(objective.critic_loss(model, Batch(x, y=y)).terms["fake"], softplus(said))
    none = objective(model, Batch(x)).terms["fooling"]
    torch.testing.assert_close(none, objective(model, Batch(x, y=torch.full((6,), -1))).terms["fooling"])


def test_a_label_that_is_no_class_is_refused(objective):
    model, x = model_with(Petals(K)), torch.randn(3, 6)
    for loss in (objective, objective.critic_loss):
        for y in (K, K + 1):
            with pytest.raises(ConfigError, match=f"AdversarialLabels: labels must be below 4, .*, got {y}"):
                loss(model, Batch(x, y=torch.tensor([0, y, -1])))
        with pytest.raises(ConfigError, match=r"AdversarialLabels: labels must be classes, got torch\.float32 of"):
            loss(model, Batch(x, y=torch.zeros(3)))


def test_real_codes_are_of_the_rows_class_and_of_the_whole_without_one(objective):
    prior = Petals(K, radius=5.0)
    y = torch.arange(400) % (K + 1)  # K stands for none
    z = objective._draws(prior, y)
    nearest = torch.cdist(z, 5 * prior._axes()[:, 0]).argmin(1)
    assert torch.equal(nearest[y < K], y[y < K])
    assert len(set(nearest[y == K].tolist())) == K


def test_classes_go_to_their_petals(objective):
    prior = Petals(K, radius=3.0)
    model = model_with(prior)
    y = torch.arange(256) % K
    x = 2 * torch.eye(6)[y] + 0.3 * torch.randn(256, 6)
    shown = torch.where(torch.arange(256) < 128, y, -1)
    main = torch.optim.Adam(model.parameters(), 5e-3)
    game = torch.optim.Adam(objective.critic_parameters(), 5e-3, betas=(0.5, 0.99))
    for _ in range(400):
        for optimiser, loss in ((main, objective), (game, objective.critic_loss)):
            optimiser.zero_grad()
            loss(model, Batch(x, y=shown)).total.backward()
            optimiser.step()
    nearest = torch.cdist(model.encode(x).z, 3 * prior._axes()[:, 0]).argmin(1)
    assert (nearest == y).float().mean() > 0.9


def test_bad_arguments_are_refused(objective):
    with pytest.raises(
        ConfigError, match=r"needs a prior that can be drawn from by class, got Normal\. Use priors/petals"
    ):
        objective.critic_loss(model_with(None), Batch(torch.randn(3, 6)))
    with pytest.raises(ShapeError, match=r"AdversarialLabels: the critic must read a flat code and K \+ 1 classes"):
        AdversarialLabels(MLPEncoder((5,), (1,)), 4)
    with pytest.raises(ShapeError, match="AdversarialLabels: the critic must give one logit"):
        AdversarialLabels(MLPEncoder((7,), (2,)), 4)
    with pytest.raises(ConfigError, match="AdversarialLabels: classes must be >= 1, got 0"):
        AdversarialLabels(MLPEncoder((7,), (1,)), 0)
    with pytest.raises(ConfigError, match="AdversarialLabels: weight must be >= 0, got -1"):
        AdversarialLabels(MLPEncoder((7,), (1,)), 4, -1)
