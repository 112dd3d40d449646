import copy

import pytest
import tiny
import torch

from xhat.core.loss import Loss
from xhat.core.objective import Objective
from xhat.engine.cycle import one_cycle
from xhat.engine.step import Step
from xhat.engine.trainee import Trainee


def made(kind="aae", **settings):
    plan = tiny.plan(kind, **settings)
    trainee = Trainee(plan.recipe.model, plan.recipe.objective, plan.scaling).train()
    return trainee, Step(trainee, plan.settings, total=10), plan.data.batch(plan.split.train[:32])


def weights(module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def moved(before, module) -> set[str]:
    return {name for name, value in module.state_dict().items() if not torch.equal(value, before[name])}


def test_a_critic_has_an_optimiser_of_its_own():
    trainee, step, _ = made()
    main, critic = ({id(p) for group in o.param_groups for p in group["params"]} for o in step_optimisers(step))
    assert critic == {id(p) for p in trainee.objective.critic.parameters()}
    assert main == {id(p) for p in trainee.model.parameters()}


def step_optimisers(step):
    return step.optimiser, step.critic_optimiser


@pytest.mark.parametrize(("stopped", "moves"), [("optimiser", "objective.critic."), ("critic_optimiser", "model.")])
def test_each_optimiser_moves_only_its_own(monkeypatch, stopped, moves):
    trainee, step, batch = made()
    before = weights(trainee)
    monkeypatch.setattr(getattr(step, stopped), "step", lambda: None)
    step(batch)
    assert moved(before, trainee)
    assert all(name.startswith(moves) for name in moved(before, trainee))


def test_no_gradient_is_left_for_the_next_step():
    trainee, step, batch = made()
    step(batch)
    assert all(p.grad is None for p in trainee.parameters())


def test_without_a_critic_there_is_no_second_optimiser():
    _, step, batch = made("vae")
    assert step.critic_optimiser is None
    assert set(step(batch)) == {"distortion", "rate"}
    assert step.done == 1


def test_the_terms_are_those_before_the_step_and_the_critics_bear_its_name():
    trainee, step, batch = made()
    with torch.no_grad():
        first = trainee(batch).means()["distortion"]
    means = step(batch)
    assert set(means) == {"distortion", "fooling", "critic_real", "critic_fake"}
    torch.testing.assert_close(means["distortion"], first)
    assert all(not mean.requires_grad and mean.ndim == 0 for mean in means.values())


def test_the_rate_follows_the_cycle_for_both():
    _, step, batch = made(lr=1e-3)
    for done in range(3):
        step(batch)
        for optimiser in step_optimisers(step):
            for group in optimiser.param_groups:
                assert group["lr"] == pytest.approx(1e-3 * one_cycle((done + 1) / 11))


def test_frozen_parameters_stay():
    plan = tiny.plan()
    plan.recipe.model.encoder.requires_grad_(False)
    trainee = Trainee(plan.recipe.model, plan.recipe.objective, plan.scaling)
    before = weights(trainee)
    Step(trainee, plan.settings, 10)(plan.data.batch(torch.arange(32)))
    assert moved(before, trainee)
    assert all(name.startswith("model.decoder") for name in moved(before, trainee))


def test_an_objectives_own_parameters_are_trained_with_the_model():
    class Weighted(Objective):
        def __init__(self):
            super().__init__()
            self.log_weight = torch.nn.Parameter(torch.zeros(()))

        def forward(self, model, batch):
            squares = (model.reconstruct(batch) - batch.x).square().flatten(1).sum(1)
            return Loss(distortion=squares * self.log_weight.exp() - self.log_weight)

    plan = tiny.plan()
    trainee = Trainee(plan.recipe.model, Weighted(), plan.scaling)
    Step(trainee, plan.settings, 10)(plan.data.batch(torch.arange(32)))
    assert trainee.objective.log_weight.item() != 0


@pytest.mark.parametrize("kind", tiny.KINDS)
def test_a_state_carries_everything_that_the_next_step_depends_on(kind):
    trainee, step, batch = made(kind)
    step(batch)
    state, held, random = copy.deepcopy(step.state()), weights(trainee), torch.get_rng_state()
    step(batch)

    twin, other, _ = made(kind)
    twin.load_state_dict(held)
    other.restore(state)
    torch.set_rng_state(random)
    other(batch)
    assert tiny.same(other.state(), step.state())
    assert tiny.same(weights(twin), weights(trainee))
