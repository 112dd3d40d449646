"""Many trainings in one program against the same trainings one by one."""

import copy
from dataclasses import replace

import pytest
import tiny
import torch
from torch import nn

from xhat.core.loss import Loss
from xhat.engine import program
from xhat.engine.alike import grouped
from xhat.engine.settings import TrainSettings
from xhat.engine.task import Task
from xhat.engine.together import Together
from xhat.engine.trainee import Trainee
from xhat.engine.training import Training
from xhat.parts.objectives.reconstruction import Reconstruction
from xhat.runs.plan import make_plan


def task(kind="ae", seed=0, *, double=True, rows=None, init="random", overrides=tiny.NARROW, **settings):
    """Plan one training; in double precision, where rounding cannot grow to anything."""
    chosen = TrainSettings(**{**tiny.SHORT, "epochs": 3, "seed": seed, **settings})
    plan = make_plan(tiny.data(), kind, latent=4, init=init, overrides=overrides, settings=chosen)
    trainee = Trainee(plan.recipe.model, plan.recipe.objective, plan.scaling)
    train = plan.split.train if rows is None else plan.split.train[:rows]
    return Task(trainee.double() if double else trainee, plan.data, train, plan.split.validation, plan.settings)


def by_itself(task):
    trainee = copy.deepcopy(task.trainee)
    training = Training(trainee, task.data, task.train, task.validation, task.settings)
    training.run()
    return training


def compare(tasks, *, weights=1e-9, traced=False, monkeypatch=None):
    """Train both ways; the weights, the curves and the ends must agree."""
    if traced:
        monkeypatch.setattr(program, "TRACED", 0)
    singles = [by_itself(task) for task in tasks]
    (group,) = grouped(tasks)
    outcomes = Together([tasks[i] for i in group.members], group.places).run()
    for task, outcome, single in zip(tasks, outcomes, singles, strict=True):
        assert outcome.status == single.status
        assert outcome.history.best.epoch == single.history.best.epoch
        for ours, theirs in zip(outcome.history.epochs, single.history.epochs, strict=True):
            assert ours.train == pytest.approx(theirs.train, rel=1e-6)
            assert ours.validation == pytest.approx(theirs.validation, rel=1e-6)
            assert (ours.lr, ours.candidate) == (pytest.approx(theirs.lr), theirs.candidate)
        state = single.trainee.state_dict()
        for name, value in task.trainee.state_dict().items():
            assert torch.allclose(value, state[name], rtol=0, atol=weights), name
        assert not task.trainee.training
    return outcomes


@pytest.mark.parametrize(("kind", "init"), [("ae", "pca"), ("dae", "random"), ("vae", "random"), ("fsq", "random")])
def test_seeds_together_are_the_seeds_one_by_one(kind, init):
    compare([task(kind, seed, init=init) for seed in (0, 1, 5)])


@pytest.mark.parametrize(("kind", "init"), [("ae", "pca"), ("vae", "random")])
def test_in_single_precision_they_agree_to_1e_5_also_traced(kind, init, monkeypatch):
    tasks = [task(kind, seed, double=False, init=init) for seed in (0, 1)]
    compare(tasks, weights=1e-5, traced=True, monkeypatch=monkeypatch)


def test_rates_decays_and_coefficients_are_each_models_own():
    betas = (1.0, 4, "linear(0, 2, epochs=2)")
    lrs, decays = (1e-3, 4e-3, 2e-3), (0.0, 1e-2, 0.3)
    compare(
        [
            task("vae", overrides={**tiny.NARROW, "objective.beta": beta}, lr=lr, weight_decay=decay)
            for beta, lr, decay in zip(betas, lrs, decays, strict=True)
        ]
    )


def test_folds_of_unequal_sizes_have_last_batches_of_their_own():
    # Six batches each, the last of 20 or of 10.
    outcomes = compare([task("vae", seed, rows=rows) for seed, rows in ((0, 180), (1, 170), (2, 170))])
    assert len(outcomes) == 3


def test_each_stops_by_itself_and_keeps_its_best():
    # Three stop after epochs 1, 2 and 4, and the program shrinks around the last.
    chosen = ((0, 0.05), (0, 0.1), (1, 0.2), (2, 0.5))
    outcomes = compare([task("vae", seed, epochs=6, lr=lr, patience=1) for seed, lr in chosen], weights=1e-6)
    assert {outcome.status for outcome in outcomes} == {"finished", "stopped early"}


def test_one_that_diverges_takes_no_other_with_it():
    tasks = [task("ae", seed) for seed in (0, 1)]
    with torch.no_grad():
        next(iter(tasks[1].trainee.parameters())).fill_(torch.inf)
    single = by_itself(tasks[0])
    diverged = tasks[1].trainee.state_dict()
    sound, broken = Together(tasks, grouped([task("ae", s) for s in (0, 1)])[0].places).run()
    assert (sound.status, broken.status) == ("finished", "diverged")
    assert broken.why == "the term 'distortion' of epoch 0 is not finite"
    assert sound.history.epochs[-1].score == pytest.approx(single.history.epochs[-1].score)
    assert tasks[1].trainee.state_dict().keys() == diverged.keys()


def test_a_program_that_branches_on_a_coefficient_is_one_for_each_value():
    tasks = [
        task("vae", seed, overrides={**tiny.NARROW, "objective.free_bits": bits})
        for bits in (0.0, 0.1)
        for seed in (0, 1)
    ]
    assert [group.members for group in grouped(tasks)] == [(0, 1), (2, 3)]
    assert grouped(tasks[1:3])[0].why_alone == "its program depends on objective.free_bits"


def test_other_widths_batches_and_adversaries_train_by_themselves():
    wide = {"net.hidden": [17]}
    tasks = [task("ae"), task("ae", 1, overrides=wide), task("ae", 2, batch_size=16), task("ae", 3), task("aae")]
    groups = grouped(tasks)
    assert [group.members for group in groups] == [(0, 3), (1,), (2,), (4,)]
    assert [group.why_alone for group in groups] == [
        "",
        "its model.encoder.layers.0.weight is of shape (17, 64), not (16, 64)",
        "its batch size is 16, not 32",
        "it has a critic, a game of two optimisers",
    ]


class Counting(Reconstruction):
    """Weighs its loss by how often it was called: what one call for all cannot do."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, model, batch):
        self.calls += 1
        loss = super().forward(model, batch)
        return Loss(**{name: term * self.calls for name, term in loss.terms.items()})


def test_an_objective_with_a_memory_of_its_own_is_not_taken_in():
    tasks = [task("ae", seed) for seed in (0, 1)]
    for one in tasks:
        one.trainee.objective = Counting()
    assert [group.why_alone for group in grouped(tasks)] == ["a step changes the model's attributes"] * 2


def test_buffers_that_steps_change_are_each_models_own():
    # Of unequal sizes: the last batches are stepped apart, and means of batches tell training from evaluation.
    tasks = [task("ae", seed, rows=rows) for seed, rows in ((0, 180), (1, 170))]
    for one in tasks:
        encoder = one.trainee.model.encoder
        encoder.layers = nn.Sequential(nn.BatchNorm1d(64), encoder.layers).double()
    compare(tasks)
    assert not torch.equal(*(one.trainee.model.encoder.layers[0].running_mean for one in tasks))


def test_a_compiler_that_fails_is_told_once_and_missed_by_nobody(monkeypatch):
    def broken(*_):
        raise RuntimeError("no compiler found\nand more")

    monkeypatch.setattr(program, "lowered", broken)
    monkeypatch.setattr(program, "COMPILED", 0.0)
    monkeypatch.setattr(program, "TIMED", 2)
    with pytest.warns(RuntimeWarning, match="goes on without compiling, which failed: no compiler found$"):
        compare([task("vae", seed) for seed in (0, 1)])


def test_settings_that_agree_need_not_be_one_object():
    tasks = [task("ae", seed) for seed in (0, 1)]
    tasks[1] = replace(tasks[1], settings=replace(tasks[1].settings, lr=1e-4))
    (group,) = grouped(tasks)
    assert group.members == (0, 1)
