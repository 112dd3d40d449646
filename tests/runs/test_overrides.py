import pytest
import torch

from xhat.core import GaussianCode, config
from xhat.core.errors import ConfigError, XhatError
from xhat.models.recipes.vae import vae
from xhat.parts.corruptions.masking import Masking
from xhat.parts.likelihoods.laplace import Laplace
from xhat.parts.likelihoods.mixed import Mixed
from xhat.parts.objectives.beta_elbo import BetaELBO
from xhat.parts.objectives.denoising import Denoising
from xhat.runs.overrides import recipe_with


def test_a_path_changes_one_argument_and_nothing_else():
    recipe = vae((6,), latent=2)
    changed = recipe_with(
        "vae", (6,), {"objective.beta": 4, "objective.free_bits": 0.1, "likelihood.scale": 0.5}, latent=2
    )
    assert (changed.objective.beta, changed.objective.free_bits, changed.model.likelihood.scale) == (4, 0.1, 0.5)
    assert config(changed.model.encoder) == config(recipe.model.encoder)


def test_net_changes_both_sides():
    changed = recipe_with("vae", (6,), {"net.hidden": [7, 5], "net.activation": "relu"}, latent=2)
    assert changed.model.encoder.hidden == changed.model.decoder.hidden == (7, 5)
    one = recipe_with("vae", (6,), {"encoder.hidden": [9]}, latent=2)
    assert (one.model.encoder.hidden, one.model.decoder.hidden) == ((9,), (512, 256))


def test_a_recipes_own_arguments_have_a_path():
    changed = recipe_with("vqvae", (6,), {"recipe.entries": 32, "bottleneck.decay": 0.9}, latent=4)
    assert (changed.model.bottleneck.entries, changed.model.bottleneck.decay) == (32, 0.9)
    changed = recipe_with("aae", (6,), {"recipe.posterior": "gaussian"}, latent=4)
    assert issubclass(changed.model.bottleneck.emits, GaussianCode)


def test_a_value_may_be_a_whole_part():
    part = {"kind": "corruptions/masking", "share": 0.4}
    changed = recipe_with("dae", (6,), {"objective.corruption": part}, latent=2)
    assert isinstance(changed.objective.corruption, Masking)
    assert changed.objective.corruption.share == 0.4
    assert part == {"kind": "corruptions/masking", "share": 0.4}
    changed = recipe_with("vae", (6,), {"likelihood": {"kind": "likelihoods/laplace"}}, latent=2)
    assert isinstance(changed.model.likelihood, Laplace)


@pytest.mark.parametrize(("kind", "choices"), [("vae", {}), ("cvae", {"classes": 3})])
def test_the_decoder_gives_what_a_changed_likelihood_asks_for(kind, choices):
    columns = Mixed((0, 3), components=5)
    changed = recipe_with(kind, (4,), {"likelihood.components": 2}, latent=2, mixed=columns, **choices)
    assert changed.model.likelihood.components == 2
    y = torch.zeros(6, dtype=torch.int64) if choices else None
    assert changed.model.decode(torch.zeros(6, 2), y=y).mean.shape == (6, 4)
    # A part may also ask for less of it: three numbers an element become one.
    changed = recipe_with(
        "vae", (6,), {"likelihood": {"kind": "likelihoods/gaussian"}}, latent=2, likelihood="student_t"
    )
    assert changed.model.decoder.out_shape == (6,)


def test_parts_may_be_put_inside_one_another():
    inner = {"kind": "objectives/beta_elbo", "beta": 2}
    changed = recipe_with("vae", (6,), {"objective": {"kind": "objectives/denoising", "objective": inner}}, latent=2)
    assert isinstance(changed.objective, Denoising)
    assert isinstance(changed.objective.objective, BetaELBO)
    assert changed.objective.objective.beta == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"objective.bta": 4}, "--set: 'objective.bta' leads nowhere: there is no 'bta'. Did you mean 'beta'?"),
        (
            {"objectve.beta": 4},
            "--set: 'objectve.beta' leads nowhere: there is no 'objectve'. Did you mean 'objective'",
        ),
        ({"net.hiden": [3]}, "nets/mlp: has no option 'hiden'. Did you mean 'hidden'?"),
        ({"recipe.entries": 4}, "recipes/vae: has no argument 'entries' to set. It has none but latent, net and code."),
        ({"objective.beta.x": 4}, "--set: 'objective.beta.x' leads nowhere: there is no 'x'."),
        ({"beta": 4}, "--set: 'beta' leads nowhere: there is no 'beta'."),
        ({"": 4}, "--set: '' leads nowhere"),
        ({"objective.beta": -1}, "BetaELBO: beta must be >= 0, got -1."),
        ({"objective.free_bits": "much"}, "--set: these values make no part ("),
        ({"net.hidden": 5}, "--set: these values make no part ("),
        ({"encoder": 3}, "--set: these values make no part ("),
        ({"encoder": "conv"}, "--set: these values make no part ("),
        (
            {"objective": {"kind": "objectives/bta_elbo"}},
            "objectives: there is no 'bta_elbo'. Did you mean 'beta_elbo'",
        ),
        ({"bottleneck.code_shape": [3]}, "Autoencoder: neighbours must meet"),
        ({"encoder": {"kind": "objectives/beta_elbo"}}, "--set: these values make no part ("),
    ],
)
def test_a_bad_change_is_refused_in_one_line(change, message):
    with pytest.raises(XhatError) as error:
        recipe_with("vae", (6,), change, latent=2)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_an_objective_for_another_code_is_refused():
    with pytest.raises(ConfigError, match="BetaELBO: reads a Posterior, but bottlenecks/plain emits a Code"):
        recipe_with("dae", (6,), {"objective": {"kind": "objectives/beta_elbo"}}, latent=2)
