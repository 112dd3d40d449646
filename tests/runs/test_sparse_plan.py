import pytest
from tiny import data

from xhat.runs.plan import make_plan


@pytest.mark.parametrize("kind", ["sae", "sae_batch", "sae_jump"])
def test_a_dictionary_is_linear_and_overcomplete_unless_asked_otherwise_and_does_not_begin_at_pca(kind):
    plan = make_plan(data(), kind)
    assert plan.recipe.model.code_shape == (512,)
    assert type(plan.recipe.model.encoder).__name__ == "LinearEncoder"
    assert plan.origin["init"] == "random"
    assert plan.warnings == ()
    other = make_plan(data(), kind, net="mlp", latent=8)
    assert other.recipe.model.code_shape == (8,)
    assert type(other.recipe.model.encoder).__name__ == "MLPEncoder"
    assert other.origin["init"] == "random"


def test_an_ordered_code_begins_at_pca_whose_axes_are_ordered():
    plan = make_plan(data(), "ordered", latent=5)
    assert plan.origin["init"] == "pca"
    assert make_plan(data(), "ordered").recipe.model.code_shape == (16,)
