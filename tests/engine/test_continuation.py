"""Interrupted and resumed equals uninterrupted, bit for bit."""

from dataclasses import replace
from functools import cache

import pytest
import tiny
import torch

from xhat.engine.checkpoint import read_checkpoint, write_checkpoint
from xhat.models.recipe import Recipe
from xhat.parts.objectives.reconstruction import Reconstruction

OVERRIDES = {
    "ae": tiny.NARROW,
    "dae": tiny.NARROW,
    "vae": {**tiny.NARROW, "objective.beta": "linear(0, 1, epochs=2)"},  # a coefficient that follows the run
    "aae": tiny.NARROW,
}


LABELLED = "of 30 labelled rows"


class Shared(Reconstruction):
    """A fifth of each batch has a label."""

    labelled_share = 0.2


def made(kind, *hooks):
    if kind == LABELLED:
        return some_labelled(*hooks)
    return tiny.training(tiny.plan(kind, overrides=OVERRIDES[kind]), *hooks)


def some_labelled(*hooks):
    """Six steps an epoch as well: 26 of the 150 rows without a label in each batch, beside 6 of the 30 with one."""
    plan = tiny.plan("ae", overrides=tiny.NARROW)
    train, y = plan.split.train, torch.full((200,), -1)
    y[train[:30]] = 3
    data = replace(plan.data, y=y)
    return tiny.training(replace(plan, data=data, recipe=Recipe(plan.recipe.model, Shared())), *hooks)


@cache
def uninterrupted(kind):
    run = made(kind)
    assert run.run() == "finished"
    return run.state()


@pytest.mark.parametrize("kind", [*tiny.KINDS, LABELLED])
@pytest.mark.parametrize(
    ("step", "status"),
    [
        (1, "interrupted"),
        (tiny.STEPS - 1, "interrupted"),  # before the last batch, which is smaller
        (tiny.STEPS, "interrupted"),  # at an epoch's end
        (tiny.STEPS + 3, "interrupted"),
        (2 * tiny.STEPS, "finished"),  # at the very last step there is nothing left to do
    ],
)
def test_a_continued_run_equals_one_that_went_through(tmp_path, kind, step, status):
    begun = made(kind, tiny.CtrlC(step))
    assert begun.run() == status
    assert begun.step.done == step
    assert len(begun.history.epochs) == 1 + step // tiny.STEPS
    write_checkpoint(tmp_path / "last", begun.state())

    torch.manual_seed(123)  # whatever the new process has drawn
    continued = made(kind)
    continued.restore(read_checkpoint(tmp_path / "last"))
    assert continued.run() == "finished"
    assert tiny.same(continued.state(), uninterrupted(kind))


def test_it_may_be_interrupted_again_and_again(tmp_path):
    state = None
    for step in (2, 5, 6, 11):
        run = made("vae", tiny.CtrlC(step))
        if state is not None:
            run.restore(state)
        assert run.run() == "interrupted"
        write_checkpoint(tmp_path / "last", run.state())
        state = read_checkpoint(tmp_path / "last")
    run = made("vae")
    run.restore(state)
    run.run()
    assert tiny.same(run.state(), uninterrupted("vae"))


def test_an_interrupted_run_keeps_the_weights_of_its_last_step():
    begun = made("ae", tiny.CtrlC(tiny.STEPS + 1))
    begun.run()
    assert not tiny.same(dict(begun.trainee.state_dict()), begun.best)


def test_its_time_is_that_of_all_processes():
    begun = made("ae", tiny.CtrlC(3))
    begun.run()
    state = begun.state()
    assert state["seconds"] > 0
    state["seconds"] = 100.0
    continued = made("ae")
    continued.restore(state)
    continued.run()
    assert 100 < continued.history.epochs[1].seconds < 150
    assert continued.history.epochs[2].seconds < 50


def test_a_second_ctrl_c_stops_at_once():
    run = made("ae", tiny.CtrlC(3, times=2))
    with pytest.raises(KeyboardInterrupt):
        run.run()
    assert run.step.done == 3
    assert run.status == "running"


def test_a_finished_state_only_gives_its_best_weights():
    run = made("ae")
    run.restore(uninterrupted("ae"))
    assert run.run() == "finished"
    assert run.step.done == 2 * tiny.STEPS
    assert tiny.same(dict(run.trainee.state_dict()), uninterrupted("ae")["best"])
