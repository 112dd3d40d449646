import numpy as np
import pytest
import tiny
import torch

import xhat
from xhat.core import catalogue
from xhat.core.errors import ConfigError, UnknownKindError
from xhat.engine.settings import TrainSettings
from xhat.models.autoencoder import Autoencoder
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.bernoulli import Bernoulli
from xhat.parts.likelihoods.norm_pix import NormPix
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.objectives.reconstruction import Reconstruction
from xhat.runs.plan import fingerprint, make_plan

RNG = np.random.default_rng(0)


def images(side: int, channels: int = 1, dtype=np.uint8) -> np.ndarray:
    return RNG.integers(0, 256, (4, side, side, channels)).astype(dtype)


@pytest.mark.parametrize(
    ("rows", "net", "scale"),
    [
        (images(8), "mlp", "unit"),
        (images(28), "mlp", "unit"),
        (images(32, 3), "conv", "unit"),
        (images(64), "conv", "unit"),
        (RNG.normal(size=(9, 5)), "mlp", "global"),
        (RNG.normal(size=(9, 3000)), "mlp", "global"),
        (RNG.normal(size=(9, 40, 2)), "mlp", "global"),  # a series
    ],
)
def test_the_net_and_the_scaling_are_chosen_by_the_data(rows, net, scale):
    plan = make_plan(xhat.data.open(rows), latent=2)
    assert (plan.origin["net"], plan.scaling.how) == (net, scale)
    encoder = plan.recipe.model.encoder
    assert catalogue.kind_of(type(getattr(encoder, "inner", encoder))) == f"nets/{net}.encoder"
    assert plan.origin["init"] == ("random" if rows.ndim == 3 and rows.dtype != np.uint8 else "pca")
    assert plan.settings == plan.settings.resolved(len(plan.split.train))


def test_what_is_given_is_kept():
    plan = tiny.plan("vae", net="linear", scale="standard", latent=3, overrides={}, seed=7)
    assert (plan.origin["recipe"], plan.origin["net"], plan.scaling.how) == ("vae", "linear", "standard")
    assert plan.recipe.model.code_shape == (3,)
    assert plan.origin["settings"]["seed"] == 7


@pytest.mark.parametrize(
    ("rows", "low", "high"),
    [
        (images(8), 0, 255),
        (images(8) // 16, 0, 15),  # bytes that do not use their range
        (images(8) / 300, 0, 1),
        (images(8) * 1.0 - 128, -128, 127),
    ],
)
def test_unit_takes_the_range_that_values_can_have(rows, low, high):
    data = xhat.data.open(rows, kind="image")
    scaling = make_plan(data, latent=2, scale="unit").scaling
    expected = (data.schema.low, data.schema.high) if low < 0 or high == 15 else (low, high)
    assert (float(scaling.centre), float(scaling.spread)) == pytest.approx((expected[0], expected[1] - expected[0]))


def test_the_scaling_learns_from_training_rows_alone():
    rows = RNG.normal(size=(50, 3)).astype(np.float32)
    plan = make_plan(xhat.data.open(rows), latent=2, scale="standard")
    np.testing.assert_allclose(plan.scaling.centre, rows[plan.split.train].mean(0), atol=1e-6)
    np.testing.assert_allclose(plan.scaling.spread, rows[plan.split.train].std(0), rtol=1e-5)


def test_first_weights_follow_the_seed_without_a_trace():
    before = torch.get_rng_state()
    one, two, other = (dict(tiny.plan(seed=seed).recipe.model.state_dict()) for seed in (1, 1, 2))
    assert tiny.same(one, two)
    assert not tiny.same(one, other)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("latent", "warned"), [(63, False), (64, True), (100, True)])
def test_a_code_as_large_as_the_row_is_allowed_with_a_warning(latent, warned):
    warnings = tiny.plan(latent=latent, overrides={}).warnings
    assert bool(warnings) == warned
    if warned:
        assert warnings == (f"the code has {latent} dimensions and a row only 64: nothing is compressed",)


def test_what_cannot_work_is_refused():
    cases = [
        ({"latent": 0}, "fit: latent must be >= 1, got 0."),
        ({"latent": -3}, "fit: latent must be >= 1, got -3."),
        ({"kind": "vea"}, "recipes: there is no 'vea'. Did you mean 'vae'?"),
        ({"kind": "../ae"}, "recipes: there is no ''."),
        ({"net": "cnov"}, "nets: there is no 'cnov'. Did you mean 'conv'?"),
        ({"net": "conv.encoder"}, "nets/conv: has no 'encoder.encoder'."),
        ({"scale": "units"}, "fit: scale must be auto, none, unit, global, standard, range, got 'units'."),
        ({"batch_size": 181}, "fit: batch_size must be at most the number of training rows, 180, got 181."),
        ({"init": "pcs"}, "fit: init must be one of auto, random, pca"),
    ]
    for options, message in cases:
        with pytest.raises((ConfigError, UnknownKindError)) as error:
            xhat.fit(tiny.data(), **options)
        assert str(error.value).startswith(message)


def test_a_likelihood_is_refused_data_that_it_cannot_have_drawn():
    bernoulli = {"likelihood": {"kind": "likelihoods/bernoulli"}}
    for scale, came in (("none", "0 to 16"), ("global", "-")):
        with pytest.raises(ConfigError) as error:
            tiny.plan(scale=scale, overrides=bernoulli)
        assert str(error.value).startswith(f"Bernoulli: reads data in [0, 1], got {came}")
        assert str(error.value).endswith(f"under --scale {scale}. Use --scale unit.")
    assert isinstance(tiny.plan(scale="unit", overrides=bernoulli).recipe.model.likelihood, Bernoulli)


def test_a_likelihood_is_chosen_by_name_and_set_by_its_path():
    changes = {"net.width": 8, "net.depth": 1, "net.heads": 2, "likelihood.patch": 2}
    model = make_plan(tiny.data(), "dae", net="patch", likelihood="norm_pix", overrides=changes).recipe.model
    assert isinstance(model.likelihood, NormPix)
    assert (model.likelihood.patch, model.decoder.out_shape) == (2, (3, 8, 8))


@pytest.mark.parametrize(
    ("schedule", "came"),
    [
        ("linear(0, 1, epochs=3)", "3"),
        ("cosine(0, 1, 2.5)", "2.5"),
        ("cyclical(0, 1, epochs=12, cycles=6)", "12"),
    ],
)
def test_a_schedule_that_the_run_would_not_finish_is_refused(schedule, came):
    with pytest.raises(ConfigError) as error:
        tiny.plan("vae", overrides=tiny.NARROW | {"objective.beta": schedule}, epochs=2)
    assert str(error.value) == (
        f"BetaELBO: a schedule must end within the run, which has 2 epochs, got {came} epochs."
        " Shorten it, or train for more --epochs."
    )
    planned = tiny.plan("vae", overrides=tiny.NARROW | {"objective.beta": schedule}, epochs=12)
    assert planned.recipe.objective.beta.value(99) == 1


def test_a_wrapped_objectives_schedule_is_checked_too():
    inner = {"kind": "objectives/beta_elbo", "beta": "linear(0, 1, epochs=3)"}
    change = {"objective": {"kind": "objectives/denoising", "objective": inner}}
    with pytest.raises(ConfigError, match="a schedule must end within the run, which has 2 epochs, got 3 epochs"):
        tiny.plan("vae", overrides=tiny.NARROW | change, epochs=2)


def test_a_recipe_of_ones_own_is_taken_as_it_is():
    parts = MLPEncoder((1, 8, 8), (3,)), Plain((3,)), MLPDecoder((3,), (1, 8, 8)), Bernoulli()
    model = Autoencoder(*parts)
    plan = tiny.plan(Recipe(model, Reconstruction()))
    assert plan.recipe.model is model
    assert (plan.origin["recipe"], plan.origin["net"]) == ("own", "own")
    with pytest.raises(ConfigError, match=r"the model reads rows of \(1, 8, 8\), got \(3,\)"):
        make_plan(xhat.data.open(RNG.normal(size=(9, 3))), Recipe(model, Reconstruction()))
    with pytest.raises(ConfigError, match="overrides are for recipes by name"):
        make_plan(tiny.data(), Recipe(model, Reconstruction()), overrides={"objective.beta": 3})
    for choice, value, came in (
        ("likelihood", "laplace", "'laplace'"),
        ("latent", 8, "8"),
        ("net", "conv", "'conv'"),
        ("code", "spatial", "'spatial'"),
    ):
        with pytest.raises(ConfigError, match=f"{choice} is for recipes by name, got {came}"):
            make_plan(tiny.data(), Recipe(model, Reconstruction()), **{choice: value})


def test_the_fingerprint_tells_data_apart():
    rows = RNG.normal(size=(500, 3))
    same, other = rows.copy(), rows.copy()
    other[0, 0] += 1
    prints = [fingerprint(xhat.data.open(x)) for x in (rows, same, other, rows[:-1], rows[::-1])]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 4


def test_the_split_is_the_one_that_a_seed_draws():
    plan = make_plan(tiny.data(), settings=TrainSettings(seed=3))
    assert torch.equal(plan.split.train, tiny.data().split(seed=3).train)
    assert len(plan.split.train) + len(plan.split.validation) == 200
