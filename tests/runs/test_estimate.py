import time

import pytest
import tiny
import torch

from xhat.runs.estimate import decisions, estimate


@pytest.mark.parametrize("kind", ["vae", "aae"])
def test_an_estimate_leaves_the_plan_and_all_random_state_as_they_were(kind):
    plan = tiny.plan(kind)
    before = {name: value.clone() for name, value in plan.recipe.model.state_dict().items()}
    random = torch.get_rng_state()
    assert estimate(plan) > 0
    assert tiny.same(dict(plan.recipe.model.state_dict()), before)
    assert torch.equal(torch.get_rng_state(), random)


def test_it_is_near_the_time_that_a_run_takes():
    plan = tiny.plan(epochs=30)
    expected = estimate(plan)
    start = time.perf_counter()
    tiny.training(plan).run()
    took = time.perf_counter() - start
    assert expected / 5 < took < expected * 5  # machines are shared


def test_it_grows_with_the_epochs():
    assert estimate(tiny.plan(epochs=2000)) > 10 * estimate(tiny.plan(epochs=2))


@pytest.mark.parametrize(
    ("kind", "settings", "why"),
    [
        ("aae", {}, "critics, float16 and several processes are stepped as they are"),
        ("ae", {"accumulate": 2}, "steps that save memory are taken as they are"),
        ("ae", {"batch_size": 180}, "an epoch is one step"),
    ],
)
def test_what_cannot_be_compiled_is_told_before_and_while_it_trains(kind, settings, why):
    plan = tiny.plan(kind, compile="on", **settings)
    assert decisions(plan) == f"nets compute in 32 bits; {why}: not compiled (--compile on)"
    with pytest.warns(RuntimeWarning, match=f"the steps are not compiled, and training goes on as it is: {why}"):
        tiny.training(plan)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {},
            "nets compute in 32 bits; compiling the steps, 5 a call, would take about 24 s and save 0 s: not compiled",
        ),
        ({"precision": "bf16", "compile": "on"}, ": compiled (--compile on)"),
        ({"precision": "bf16", "compile": "off"}, "nets compute in bfloat16; "),
    ],
)
def test_decisions_are_told_in_a_line(settings, said):
    assert said in decisions(tiny.plan(**settings))
