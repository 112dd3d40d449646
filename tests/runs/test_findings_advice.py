"""What a finding advises is something that the model has."""

import pytest
import tiny

from xhat.core.objective import Objective
from xhat.models.recipe import Recipe
from xhat.parts.objectives.beta_elbo import BetaELBO
from xhat.parts.objectives.denoising import Denoising
from xhat.parts.objectives.rae import RAE
from xhat.runs.findings import findings
from xhat.runs.fit import fit
from xhat.runs.plan import make_plan


def advised(kind, change, **options):
    """Fit for an epoch, and say what would be advised had the summary been another."""
    plan = make_plan(tiny.data(), kind, **options)
    model = fit(tiny.data(), kind, **options, **tiny.SHORT | {"epochs": 1})
    return {f.what: f.advice for f in findings(model.summary | change, plan, model)}


def with_objective(kind: str, objective: Objective) -> Recipe:
    return Recipe(make_plan(tiny.data(), kind, latent=4, overrides=tiny.NARROW).recipe.model, objective)


@pytest.mark.parametrize(
    ("kind", "objective", "path"),
    [
        ("vae", BetaELBO(), "--set objective.beta below 1, or objective.free_bits"),
        ("vae", Denoising(BetaELBO()), "--set objective.objective.beta below 1, or objective.objective.free_bits"),
        ("ae", RAE(), None),
    ],
)
def test_beta_is_advised_where_it_presses_code_dimensions(kind, objective, path):
    advice = advised(with_objective(kind, objective), {"code": 4, "active": 3})["inactive code dimensions"]
    assert advice.startswith("1 of 4 hardly vary between rows. A smaller --latent gives the same copy.")
    assert (path is None) == ("objective" not in advice)
    assert path is None or path in advice


@pytest.mark.parametrize(
    ("kind", "latent", "has", "lacks"),
    [
        ("fsq", 4, "Use fewer bottleneck.levels, or smaller ones.", "fsq"),
        ("lfq", 4, "Use a smaller --latent, or raise bottleneck.entropy.", "entries,"),
        ("vqvae", 4, "move dead ones with bottleneck.revive, or take the kind fsq", "levels"),
        ("rqvae", 4, "move dead ones with bottleneck.revive, or take the kind fsq", "levels"),
    ],
)
def test_dead_codes_are_met_by_what_the_bottleneck_has(kind, latent, has, lacks):
    change = {"codebook_use": 0.1, "perplexity": 3.0, "active": latent}
    advice = advised(kind, change, latent=latent, overrides=tiny.NARROW)["dead codes"]
    assert has in advice
    assert lacks not in advice


def test_dead_units_are_said_to_be_silent_for_as_many_rows_as_were_watched():
    change = {"dead_units": 0.4, "rows.train": 150, "rows.validation": 20}
    assert "units are zero for each of 170 rows." in advised("sae", change, latent=64)["dead units"]
    many = {"dead_units": 0.4, "rows.train": 50_000, "rows.validation": 5000}
    assert "units are zero for each of 20,000 rows." in advised("sae", many, latent=64)["dead units"]
