import inspect

import pytest
import torch

from xhat.core import Batch, GaussianCode, catalogue
from xhat.core.errors import ConfigError, UnknownKindError
from xhat.models.recipe import Recipe
from xhat.models.recipes.ae import ae
from xhat.models.recipes.vae import vae
from xhat.parts.objectives.beta_elbo import BetaELBO

RECIPES = catalogue.names("recipes")


def test_the_four_of_the_beginning_are_there():
    assert {"ae", "dae", "vae", "aae"} <= set(RECIPES)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_a_function_of_the_shape_the_code_and_the_net_with_its_paper(name):
    recipe = catalogue.find(f"recipes/{name}")
    assert next(iter(inspect.signature(recipe).parameters)) == "shape"
    assert "latent" in inspect.signature(recipe).parameters
    assert "References" in recipe.__doc__


@pytest.mark.parametrize("net", ["mlp", "conv", "linear"])
@pytest.mark.parametrize("name", ["ae", "dae", "vae", "aae"])
def test_every_recipe_goes_with_every_net(name, net):
    made = catalogue.find(f"recipes/{name}")((1, 9, 7), latent=3, net=net)
    assert (made.model.x_shape, made.model.code_shape) == ((1, 9, 7), (3,))
    assert catalogue.kind_of(type(made.model.encoder)) == f"nets/{net}.encoder"
    assert catalogue.kind_of(type(made.model.decoder)) == f"nets/{net}.decoder"
    loss = made.objective(made.model, Batch(torch.rand(4, 1, 9, 7)))
    loss.total.backward()
    assert torch.isfinite(loss.total)
    assert all(p.grad is not None for p in made.model.parameters())


def test_what_makes_them_differ():
    made = {name: catalogue.find(f"recipes/{name}")((6,), latent=2) for name in ("ae", "dae", "vae", "aae")}
    assert issubclass(made["vae"].model.bottleneck.emits, GaussianCode)
    assert made["vae"].model.likelihood.learned
    assert [name for name, recipe in made.items() if recipe.objective.critic_parameters()] == ["aae"]
    assert [name for name, recipe in made.items() if recipe.objective.shapes_prior] == ["vae", "aae"]


def test_an_unknown_net_is_refused_by_name():
    with pytest.raises(UnknownKindError, match=r"nets: there is no 'cnov'\. Did you mean 'conv'"):
        ae((6,), net="cnov")


def test_an_objective_that_needs_another_code_is_refused_with_the_bottlenecks_that_fit():
    with pytest.raises(ConfigError) as error:
        Recipe(ae((6,), latent=2).model, BetaELBO())
    assert str(error.value).startswith("BetaELBO: reads a Posterior, but bottlenecks/plain emits a Code. Use one of")
    assert "bottlenecks/gaussian" in str(error.value)
    assert "bottlenecks/plain" not in str(error.value).partition("Use one of")[2]
    Recipe(vae((6,), latent=2).model, BetaELBO())
