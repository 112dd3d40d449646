import itertools

import numpy as np
import pytest
import tiny
import torch

from xhat.core import Batch
from xhat.core.errors import ConfigError, ShapeError
from xhat.models.autoencoder import Autoencoder
from xhat.models.recipes.ae import ae
from xhat.models.recipes.made import made
from xhat.models.recipes.vae import vae
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.bernoulli import Bernoulli
from xhat.parts.likelihoods.norm_pix import NormPix
from xhat.parts.likelihoods.student_t import StudentT
from xhat.parts.nets.made import MADEDecoder, MADEEncoder
from xhat.parts.nets.mlp import MLPDecoder
from xhat.parts.priors.normal import Normal
from xhat.runs.verdict import verdict

ROWS = torch.tensor(list(itertools.product((0.0, 1.0), repeat=8)))


def pair(shape, latent, hidden=(32, 20), theta=None, per_element=1):
    encoder = MADEEncoder(shape, (latent,), hidden=hidden, activation="tanh")
    decoder = MADEDecoder((latent,), theta or shape, hidden=hidden, activation="tanh", per_element=per_element)
    for p in (*encoder.parameters(), *decoder.parameters()):
        p.data += 0.5 * torch.randn_like(p)  # masked weights are no zeros either
    return encoder, decoder


def jacobian(encoder, decoder):
    x = torch.randn(encoder.in_shape, dtype=torch.float64)
    return torch.autograd.functional.jacobian(lambda x: decoder.double()(encoder.double()(x[None]))[0], x)


@pytest.mark.parametrize(("shape", "latent", "hidden"), [((6,), 20, (32, 20)), ((2, 3, 2), 5, (7,)), ((9,), 40, ())])
def test_an_element_depends_on_those_before_it_alone(shape, latent, hidden):
    n = int(np.prod(shape))
    j = jacobian(*pair(shape, latent, hidden)).reshape(n, n)
    assert not j.triu().any()
    assert j.any(1)[1:].sum() == n - 1  # each but the first depends on something


def test_with_a_wide_code_it_depends_on_all_of_them():
    j = jacobian(*pair((6,), 20))
    assert torch.equal(j != 0, torch.ones(6, 6).tril(-1).bool())


def test_every_parameter_of_an_element_keeps_its_place():
    j = jacobian(*pair((2, 3, 1), 20, theta=(4, 3, 1), per_element=2)).reshape(2, 6, 6)
    for one in j:
        assert torch.equal(one != 0, torch.ones(6, 6).tril(-1).bool())


@pytest.mark.parametrize("shape", [(6,), (2, 3), (1, 2, 3)])
def test_the_parameters_lie_where_students_t_reads_them(shape):
    law = StudentT()
    encoder, decoder = pair(shape, 20, theta=law.params(shape), per_element=3)
    assert Autoencoder(encoder, Plain((20,)), decoder, law).ancestral

    def said(x):
        t = law(decoder.double()(encoder.double()(x[None]))).law
        return torch.stack([t.loc, t.scale, t.df])

    j = torch.autograd.functional.jacobian(said, torch.randn(shape, dtype=torch.float64)).reshape(-1, 6, 6)
    for one in j:
        assert torch.equal(one != 0, torch.ones(6, 6).tril(-1).bool())


def test_a_row_of_one_element_is_decoded_from_nothing():
    assert not jacobian(*pair((1,), 3)).any()


def model(latent=12):
    return Autoencoder(pair((8,), latent)[0], Plain((latent,)), pair((8,), latent)[1], Bernoulli()).eval()


def log_p(m, x):
    return m.decode(m.encode(x).z).log_prob(x)


@pytest.mark.parametrize("latent", [3, 12])
def test_the_probabilities_of_all_rows_add_up_to_one(latent):
    assert float(log_p(model(latent).double(), ROWS.double()).detach().exp().sum()) == pytest.approx(1, abs=1e-12)


def test_drawn_rows_are_as_frequent_as_they_are_probable():
    torch.manual_seed(0)
    m, n = model(), 20_000
    drawn = m.sample(n)
    assert drawn.shape == (n, 8)
    found = torch.bincount((drawn @ 2.0 ** torch.arange(7, -1, -1)).long(), minlength=256) / n
    expected = log_p(m, ROWS).exp().detach()
    chi2 = float((n * (found - expected) ** 2 / expected)[n * expected > 5].sum())
    assert chi2 < 256 + 5 * (2 * 256) ** 0.5
    assert float((found - 1 / 256).abs().sum()) > 5 * float((found - expected).abs().sum())


def test_learned_it_beats_independent_elements():
    torch.manual_seed(0)
    first = torch.bernoulli(torch.full((600, 1), 0.5))
    rows = torch.cat([first] * 4 + [1 - first] * 4, 1)
    rows = torch.where(torch.rand_like(rows) < 0.05, 1 - rows, rows)
    train, held = rows[:500], rows[500:]
    recipe = made((8,), latent=16, options={"hidden": (32,)})
    optimiser = torch.optim.Adam(recipe.model.parameters(), lr=1e-2)
    for _ in range(150):
        optimiser.zero_grad()
        recipe.objective(recipe.model, Batch(train)).total.backward()
        optimiser.step()
    nll = float(recipe.objective(recipe.model, Batch(held)).total.detach())
    odds = train.mean(0)
    independent = -float((held * odds.log() + (1 - held) * (1 - odds).log()).sum(1).mean())
    entropy = np.log(2) + 8 * -(0.05 * np.log(0.05) + 0.95 * np.log(0.95))  # of the hidden coin and the eight noises
    assert nll < 0.7 * independent
    assert nll > 0.8 * entropy


def test_gaussian_rows_have_an_exact_density_too():
    recipe = ae((3,), latent=9, net="made", options={"hidden": (8,)})
    assert recipe.model.ancestral
    grid = torch.cartesian_prod(*[torch.linspace(-9, 9, 61)] * 3)
    density = log_p(recipe.model, grid).detach().exp().sum()
    assert 0.3**3 * float(density) == pytest.approx(1, abs=0.02)


def test_behind_another_bottleneck_or_another_net_rows_come_from_the_prior():
    assert not vae((6,), latent=3, net="made").model.ancestral
    assert not ae((6,), latent=3, net=("made", "mlp")).model.ancestral
    assert not Autoencoder(pair((8,), 3)[0], Plain((3,)), MLPDecoder((3,), (8,)), Bernoulli()).ancestral
    sampled = vae((6,), latent=3, net="made").model
    torch.manual_seed(2)
    means = sampled.sample(4)
    torch.manual_seed(2)
    assert torch.equal(means, sampled.decode(sampled.prior.sample(4)).mean)


def test_a_likelihood_whose_parameters_break_the_order_is_refused():
    with pytest.raises(ConfigError, match="must keep the order of a row's 16 elements, got 48"):
        Autoencoder(*_around(NormPix(), (3, 4, 4)))


def _around(likelihood, theta):
    return MADEEncoder((1, 4, 4), (5,)), Plain((5,)), MADEDecoder((5,), theta), likelihood


@pytest.mark.parametrize("arguments", [{"hidden": (0,)}, {"per_element": 4}, {"per_element": 0}])
def test_bad_arguments_of_made_are_refused(arguments):
    with pytest.raises((ConfigError, ShapeError), match="nets/made: "):
        MADEDecoder((3,), (6,), **arguments)


def test_the_recipe_takes_no_other_net():
    with pytest.raises(ConfigError, match="recipes/made: needs nets/made, got 'conv'"):
        made((1, 8, 8), net="conv")


def test_where_training_shaped_the_prior_rows_are_drawn_from_it():
    fitted = tiny.fit("wae", net="made", epochs=1)
    assert fitted.model.ancestral
    before = fitted.sample(3)
    fitted.model.prior = Normal((4,), fitted=True)
    fitted.model.prior.mean += 3
    assert not np.allclose(fitted.sample(3), before)
    # Nothing shaped the prior of an autoencoder: its rows are drawn element by element, whatever the prior.
    fitted = tiny.fit("ae", net="made", epochs=1)
    before = fitted.sample(3)
    fitted.model.prior.mean += 3
    assert np.array_equal(fitted.sample(3), before)


@pytest.mark.parametrize(("kind", "exact"), [("ae", True), ("dae", False), ("wae", False)])
def test_only_the_plain_reconstructions_distortion_is_called_a_log_density(kind, exact):
    summary = tiny.fit(kind, net="made", epochs=1).summary
    assert ("-log p(x)" in verdict(summary)) == exact
    assert verdict(summary).startswith("It predicts each element from those before it, with ")
