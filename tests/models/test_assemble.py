import pytest
import torch

from xhat.core import catalogue
from xhat.core.errors import ConfigError, UnknownKindError, XhatError
from xhat.models.assemble import assemble
from xhat.models.recipes.aae import aae
from xhat.models.recipes.cae import cae
from xhat.models.recipes.vae import vae
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.bernoulli import Bernoulli
from xhat.parts.likelihoods.categorical import Categorical
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.likelihoods.laplace import Laplace
from xhat.parts.likelihoods.matched import Matched
from xhat.parts.priors.mixture import Mixture


def model(shape, **choices):
    return assemble(shape, Plain, Gaussian(), **choices)


@pytest.mark.parametrize("net", ["conv", "deconv", "resnet", "unet", "patch"])
def test_a_spatial_code_lies_on_the_nets_grid(net):
    options = {} if net == "patch" else {"widths": (4, 4)}
    built = vae((1, 9, 8), net=net, latent=3, code="spatial", options=options)
    assert built.model.code_shape == (3, 3, 2)  # two halvings, or patches of 4
    assert built.model.reconstruct(torch.rand(2, 1, 9, 8)).shape == (2, 1, 9, 8)


def test_an_adversary_reads_a_spatial_code_flat():
    recipe = aae((1, 8, 8), net="conv", latent=2, code="spatial")
    assert recipe.objective.critic.in_shape == (2 * 4 * 4,)


def test_options_go_to_the_side_that_knows_them():
    built = model((6, 2), net="recurrent", latent=3, options={"hidden": 8, "order": "reversed"})
    assert built.encoder.hidden == built.decoder.hidden == 8
    assert built.decoder.order == "reversed"


def test_nets_bring_the_likelihood_that_they_need():
    assert isinstance(model((5, 2), net="set", latent=3).likelihood, Matched)
    symbols = model((7,), net="recurrent", latent=3, vocabulary=4)
    assert isinstance(symbols.likelihood, Categorical)
    assert symbols.decoder.out_shape == (7, 4)


def test_a_likelihood_may_be_asked_for_by_name():
    assert isinstance(vae((6,), latent=2, likelihood="laplace").model.likelihood, Laplace)
    built = model((1, 9, 8), net="patch", latent=3, likelihood="norm_pix")
    assert built.decoder.out_shape == (3, 9, 8)
    assert built.reconstruct(torch.rand(2, 1, 9, 8)).shape == (2, 1, 9, 8)
    assert isinstance(model((5, 2), net="set", latent=3, likelihood="laplace").likelihood.likelihood, Laplace)


def test_what_a_net_or_the_data_needs_may_be_asked_for_too():
    sets = model((5, 2), net="set", latent=3, likelihood="matched")
    assert isinstance(sets.likelihood.likelihood, Gaussian)
    symbols = model((7,), net="recurrent", latent=3, vocabulary=4, likelihood="categorical")
    assert isinstance(symbols.likelihood, Categorical)
    graphs = model((5, 5), net="graph", latent=3, code="spatial", likelihood="bernoulli")
    assert isinstance(graphs.likelihood, Bernoulli)


@pytest.mark.parametrize(
    ("shape", "choices", "message"),
    [
        ((6,), {"likelihood": "laplac"}, r"there is no 'laplac'\. Did you mean 'laplace'"),
        ((6,), {"likelihood": "categorical"}, "likelihoods/categorical: needs vocabulary, which is the data's"),
        ((6,), {"likelihood": "norm_pix"}, r"needs images of shape \(C, H, W\), got \(6,\)"),
        ((5, 5), {"net": "graph", "likelihood": "laplace"}, "of this net must be bernoulli, got 'laplace'"),
        (
            (7,),
            {"net": "recurrent", "vocabulary": 4, "likelihood": "laplace"},
            "of rows that hold symbols must be categorical, got 'laplace'",
        ),
    ],
)
def test_a_likelihood_that_does_not_fit_is_refused(shape, choices, message):
    code = "spatial" if choices.get("net") == "graph" else "flat"
    with pytest.raises(XhatError, match=message):
        model(shape, latent=3, code=code, **choices)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"net": "mlp", "code": "spatial"}, "nets/mlp: has no spatial codes"),
        ({"net": "mlp", "code": "round"}, "must be flat or spatial, got 'round'"),
        ({"net": "mlp", "vocabulary": 4}, "reads numbers, and these rows hold symbols. Use nets/recurrent"),
        ({"net": "mlp", "options": {"hiden": (3,)}}, r"has no option 'hiden'\. Did you mean 'hidden'"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_does(choices, message):
    with pytest.raises(ConfigError, match=message):
        model((6,), **choices)


def test_an_unknown_net_is_refused_with_what_was_meant():
    with pytest.raises(UnknownKindError, match=r"there is no 'mpl'\. Did you mean 'mlp'"):
        model((6,), net="mpl")


@pytest.mark.parametrize(("kind", "learned"), [("vae", True), ("made", True), ("miwae", True), ("ae", False)])
def test_a_gaussian_that_is_asked_for_learns_its_scale_unless_the_usual_one_is_fixed(kind, learned):
    recipe = catalogue.find(f"recipes/{kind}")((6,), latent=2, likelihood="gaussian")
    assert recipe.model.likelihood.learned == learned


def test_the_recipes_own_likelihood_may_be_asked_for():
    assert cae((6,), latent=2, likelihood="gaussian").model.likelihood.scale == 0.1


def test_a_prior_is_made_for_the_code():
    built = model((1, 8, 8), net="conv", latent=2, code="spatial", prior=lambda code: Mixture(code, 3))
    assert built.prior.code_shape == built.code_shape == (2, 4, 4)
    labelled = model((6,), latent=2, classes=3, prior=lambda code: Mixture(code, 3))
    assert isinstance(labelled.prior, Mixture)
