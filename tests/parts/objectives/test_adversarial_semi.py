import pytest
import torch
from torch.nn.functional import log_softmax, softplus

from xhat.core import Batch
from xhat.core.errors import ConfigError, ShapeError
from xhat.models.autoencoder import Autoencoder
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.classified import Classified
from xhat.parts.bottlenecks.cluster_heads import ClusterHeads
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.objectives.adversarial_reduce import AdversarialReduce
from xhat.parts.objectives.adversarial_semi import AdversarialSemi
from xhat.parts.priors.classified import Classified as ClassifiedPrior
from xhat.parts.priors.mixture import Mixture
from xhat.parts.priors.normal import Normal

K, S = 3, 2


def model_of(bottleneck, prior=None):
    encoder = MLPEncoder((6,), bottleneck.in_shape, hidden=(16,))
    return Autoencoder(encoder, bottleneck, MLPDecoder(bottleneck.code_shape, (6,), hidden=(8,)), Gaussian(), prior)


@pytest.fixture
def model():
    return model_of(Classified(K, Plain((S,))), ClassifiedPrior(K, Normal((S,))))


def critics(*sizes):
    return [MLPEncoder((n,), (1,), hidden=(16,)) for n in sizes or (K, S)]


def test_the_terms_are_the_equations(model):
    objective = AdversarialSemi(*critics(), class_weight=2.0, style_weight=3.0, labels=5.0)
    batch = Batch(torch.randn(8, 6), y=torch.tensor([0, 1, 2, -1, -1, 2, 0, -1]))
    terms = objective(model, batch).terms
    h = model.encoder(batch.x)
    pi, s = h[:, :K].softmax(1), h[:, K:]
    fooled = [softplus(-critic(part)).squeeze(1) for critic, part in zip(critics_of(objective), (pi, s), strict=True)]
    torch.testing.assert_close(terms["fooling_class"], 2 * fooled[0])
    torch.testing.assert_close(terms["fooling_style"], 3 * fooled[1])
    x_hat = model.decoder(torch.cat([pi, s], 1))
    torch.testing.assert_close(terms["distortion"], -Gaussian()(x_hat).log_prob(batch.x))
    surprise = -log_softmax(h[:, :K], 1)
    expected = torch.stack([5 * row[y] if y >= 0 else row[0] * 0 for row, y in zip(surprise, batch.y, strict=True)])
    torch.testing.assert_close(terms["classification"], expected)


def critics_of(objective):
    return objective.class_critic, objective.style_critic


def test_with_labels_of_weight_zero_they_are_not_looked_at(model):
    objective = AdversarialSemi(*critics(), labels=0.0, labelled_share=0.0)
    x = torch.randn(5, 6)
    other = [objective(model, Batch(x, y=y)).terms for y in (None, torch.arange(5) + 7)]  # classes beyond K
    for name, term in other[0].items():
        assert torch.equal(term, other[1][name])


def test_a_label_below_zero_is_none_and_one_that_is_no_class_is_refused(model):
    objective, x = AdversarialSemi(*critics()), torch.randn(3, 6)
    none = objective(model, Batch(x, y=torch.tensor([-1, 1, -1]))).terms["classification"]
    assert torch.equal(objective(model, Batch(x, y=torch.tensor([-7, 1, -2]))).terms["classification"], none)
    with pytest.raises(ConfigError, match="AdversarialSemi: labels must be below 3, the number of classes, got 3"):
        objective(model, Batch(x, y=torch.tensor([0, 3, -1])))
    with pytest.raises(ConfigError, match=r"AdversarialSemi: labels must be classes, got torch\.float32 of shape"):
        objective(model, Batch(x, y=torch.zeros(3)))


def test_the_critics_are_shown_draws_of_the_models_prior(model):
    with torch.no_grad():
        model.prior.log_shares.copy_(torch.tensor([0.5, 0.5, 1e-30]).log())
    model.prior.style = Mixture((S,), 2)
    model.prior.style.means.data.fill_(100.0)
    objective, shown = AdversarialSemi(*critics()), []
    for critic in critics_of(objective):
        critic.register_forward_pre_hook(lambda _, z: shown.append(z[0]))
    objective.critic_loss(model, Batch(torch.randn(200, 6)))
    y, _, s, _ = shown  # of either critic draws come before codes
    assert set(y.unique().tolist()) == {0, 1}
    assert y[:, 2].sum() == 0 < y[:, :2].sum(0).min()
    assert s.min() > 50


def test_a_prior_that_the_games_do_not_draw_to_is_refused():
    games = AdversarialSemi(*critics())
    with pytest.raises(ConfigError, match=r"AdversarialSemi: needs a prior over a class and a style, got Normal\. Use"):
        Recipe(model_of(Classified(K, Plain((S,)))), games)
    other = model_of(Classified(K, Plain((S,))), ClassifiedPrior(K - 1, Normal((S + 1,))))
    with pytest.raises(ConfigError, match=r"AdversarialSemi: the prior must be over the class critic's 3, got 2"):
        Recipe(other, games)
    reduced = AdversarialReduce(games)
    Recipe(model_of(ClusterHeads(K, S)), reduced)
    with pytest.raises(ConfigError, match=r"AdversarialReduce: needs a prior over the sum .*, got Classified"):
        Recipe(model_of(ClusterHeads(K, K + S), ClassifiedPrior(K, Normal((S,)))), reduced)


def test_the_critics_learn_to_tell_points_within_the_simplex_from_its_corners(model):
    objective = AdversarialSemi(*critics())
    batch = Batch(torch.randn(64, 6))
    learn(objective.critic_parameters(), 200, 0.02, lambda: objective.critic_loss(model, batch))
    means = objective.critic_loss(model, batch).means()
    assert means["real_class"] + means["fake_class"] < 0.5


def learn(parameters, steps, lr, loss):
    optimiser = torch.optim.Adam(parameters, lr)
    for _ in range(steps):
        optimiser.zero_grad()
        loss().total.backward()
        optimiser.step()


def test_a_few_labels_and_the_game_name_well_parted_groups(model):
    centres = 3 * torch.eye(6)[:K]
    truth = torch.arange(300) % K
    x = centres[truth] + 0.4 * torch.randn(300, 6)
    y = torch.full((300,), -1)
    y[: 2 * K] = truth[: 2 * K]
    objective, batch = AdversarialSemi(*critics(), labels=50.0), Batch(x, y=y)
    main = torch.optim.Adam(model.parameters(), 0.01)
    game = torch.optim.Adam(objective.critic_parameters(), 0.01, betas=(0.5, 0.99))
    for _ in range(300):
        for optimiser, loss in ((main, objective), (game, objective.critic_loss)):
            optimiser.zero_grad()
            loss(model, batch).total.backward()
            optimiser.step()
    pi = model.encode(x).probabilities
    assert (pi.argmax(1) == truth).float().mean() > 0.95
    assert pi.max(1).values.mean() > 0.9  # certain answers, as the game asks for


def test_heads_come_with_their_separation_and_their_prior_is_fitted_afterwards():
    model = model_of(ClusterHeads(K, S))
    model.bottleneck.heads.data.mul_(0.1)
    objective = AdversarialReduce(AdversarialSemi(*critics(), labels=0.0, labelled_share=0.0))
    terms = objective(model, Batch(torch.randn(5, 6))).terms
    assert terms["separation"].shape == ()
    assert terms["separation"] > 0
    assert (objective.shapes_prior, objective.shapes_code) == (False, True)
    # What is decoded is the sum of head and style, as the code says.
    code = model.encode(torch.randn(5, 6))
    torch.testing.assert_close(code.of_class(code.probabilities, code.style.z), code.z)


def test_bad_arguments_are_refused():
    with pytest.raises(ShapeError, match=r"AdversarialSemi: style_critic must give one logit, of shape \(1,\)"):
        AdversarialSemi(critics()[0], MLPEncoder((S,), (2,)))
    with pytest.raises(ConfigError, match=r"AdversarialSemi: labels must be >= 0, got -1. Use 0 for clusters"):
        AdversarialSemi(*critics(), labels=-1)
    with pytest.raises(ConfigError, match=r"AdversarialSemi: labelled_share must lie in \[0, 1\), got 1"):
        AdversarialSemi(*critics(), labelled_share=1)
