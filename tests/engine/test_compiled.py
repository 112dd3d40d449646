"""Steps as one program, traced whole; only one test waits for the compiler itself."""

import shutil
import warnings

import pytest
import tiny
import torch

from xhat.core.errors import ConfigError
from xhat.engine import compiled
from xhat.engine.checkpoint import read_checkpoint, write_checkpoint
from xhat.engine.compiling import Estimate
from xhat.engine.hook import Hook
from xhat.engine.lowered import lowered
from xhat.engine.settings import TrainSettings
from xhat.engine.step import Step
from xhat.models.recipe import Recipe
from xhat.parts.objectives.reconstruction import Reconstruction

# Three steps an epoch, of which two are one call and the last one is left over.
THREE = {"batch_size": 60}
MANY, STEPS = 2, 3


@pytest.fixture(autouse=True)
def _traced(monkeypatch, request):
    if "inductor" not in request.keywords:
        monkeypatch.setattr(compiled, "lowered", lambda graph, arguments: graph)


class Count(Hook):
    """How many steps had been taken at each call of a hook."""

    def __init__(self):
        self.done = []

    def on_step(self, training):
        self.done.append(training.step.done)


def run(kind, choice, *hooks, **settings):
    training = tiny.training(tiny.plan(kind, compile=choice, **THREE | settings), *hooks)
    training.run()
    return training


def assert_close(one, other, *, rel=1e-4, **tolerance):
    for (name, p), q in zip(one.trainee.named_parameters(), other.trainee.parameters(), strict=True):
        torch.testing.assert_close(p, q, msg=name, **tolerance)
    for mine, theirs in zip(one.history.epochs, other.history.epochs, strict=True):
        assert mine.train == pytest.approx(theirs.train, rel=rel)
        assert mine.validation == pytest.approx(theirs.validation, rel=rel)


# Every gradient of "ae" but the first is too long and cut; "vae" draws.
@pytest.mark.parametrize(("kind", "settings"), [("ae", {"clip": 1e-3, "lr": 1e-2}), ("vae", {})])
def test_results_are_those_of_steps_one_by_one(kind, settings):
    count = Count()
    program, one_by_one = run(kind, "on", count, **settings), run(kind, "off", **settings)
    assert program.pace.many == MANY
    assert count.done == [MANY, STEPS, STEPS + MANY, 2 * STEPS]
    assert_close(program, one_by_one, rtol=1e-4, atol=2e-5)
    torch.testing.assert_close(program.step.clip.mean, one_by_one.step.clip.mean, rtol=1e-4, atol=0)
    # Files want every tensor apart: what was one vector is so no more.
    tensors = [*program.trainee.parameters()]
    for state in program.step.optimiser.state.values():
        tensors += [state["exp_avg"], state["exp_avg_sq"]]
    assert len({t.untyped_storage().data_ptr() for t in tensors}) == len(tensors)


def test_the_smaller_batch_that_is_left_of_an_epoch_is_a_program_too(monkeypatch):
    one_by_one = run("vae", "off", batch_size=50)  # three of 50 and one of 30
    monkeypatch.setattr(Step, "take", lambda *_: pytest.fail("a step was taken by itself"))
    program = run("vae", "on", batch_size=50)
    assert (program.pace.many, program.pace.tail) == (3, True)
    assert_close(program, one_by_one, rtol=1e-4, atol=2e-5)


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_compiled_by_the_compiler_they_are_the_same(monkeypatch):
    monkeypatch.setattr(compiled, "lowered", lowered)
    plan = {"batch_size": 90, "epochs": 3}
    program, one_by_one = run("vae", "on", **plan), run("vae", "off", **plan)
    assert program.pace.many == 1
    assert_close(program, one_by_one, rtol=1e-4, atol=2e-5)


def test_half_the_bits_are_computed_with_as_well():
    program, one_by_one = (run("vae", choice, precision="bf16") for choice in ("on", "off"))
    assert program.pace.many == MANY
    assert_close(program, one_by_one, rel=1e-2, rtol=5e-2, atol=1e-2)


def test_a_continued_run_equals_one_that_went_through(tmp_path):
    whole = run("vae", "on")
    begun = run("vae", "on", tiny.CtrlC(STEPS + MANY))
    assert (begun.status, begun.step.done) == ("interrupted", STEPS + MANY)
    write_checkpoint(tmp_path / "last", begun.state())
    # Whatever it would decide now: what was decided is kept.
    continued = tiny.training(tiny.plan("vae", compile="auto", **THREE))
    assert continued.pace.many == 0
    continued.restore(read_checkpoint(tmp_path / "last"))
    continued.run()
    assert continued.pace.many == MANY
    assert tiny.same(continued.state(), whole.state())


class Counting(Reconstruction):
    """An objective that changes as it is asked."""

    def __init__(self):
        super().__init__()
        self.asked = 0

    def forward(self, model, batch):
        self.asked += 1
        return super().forward(model, batch)


class Running(Reconstruction):
    """An objective that keeps a running mean."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))

    def forward(self, model, batch):
        self.mean.lerp_(batch.x.mean(), 0.1)
        return super().forward(model, batch)


class Asking(Reconstruction):
    """An objective that asks a tensor for its value."""

    def forward(self, model, batch):
        return super().forward(model, batch) if float(batch.x.sum()) > -1 else None


@pytest.mark.parametrize(
    ("objective", "settings", "why"),
    [
        (Counting, {}, "a part counts or keeps running means"),
        (Running, {}, "a part counts or keeps running means"),
        (Asking, {}, ""),
        (None, {"kind": "vae", "overrides": {**tiny.NARROW, "objective.beta": "linear(0, 1, epochs=2)"}}, ""),
    ],
)
def test_what_cannot_be_one_program_goes_on_as_it_is_and_says_so_once(objective, settings, why):
    def made(choice):
        options = dict(settings)
        kind = options.pop("kind", "ae")
        recipe = kind if objective is None else Recipe(tiny.plan().recipe.model, objective())
        return tiny.training(tiny.plan(recipe, compile=choice, **THREE | options))

    program, plain = made("on"), made("off")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        program.run()
    plain.run()
    texts = [str(w.message) for w in said if w.category is RuntimeWarning]
    assert len(texts) == 1
    assert texts[0].startswith(f"the steps are not compiled, and training goes on as it is: {why}")
    assert "\n" not in texts[0]
    assert tiny.same(program.state() | {"many": 0}, plain.state())


def test_a_compiler_that_fails_is_done_without(monkeypatch):
    def broken(graph, arguments):
        raise RuntimeError("no such instruction\nand much more")

    monkeypatch.setattr(compiled, "lowered", broken)
    with pytest.warns(RuntimeWarning, match="training goes on as it is: ") as said:
        program = run("ae", "on")
    assert len(said) == 1
    assert program.pace.many == 0
    assert tiny.same(program.state(), run("ae", "off").state())


# The decision


def test_a_long_run_earns_a_compilation_back_and_a_usual_one_does_not():
    tiny_net = {"weights": 1_200, "batch_size": 64, "steps_per_epoch": 32}
    assert not Estimate.of(**tiny_net, epochs=80).pays
    assert Estimate.of(**tiny_net, epochs=20_000).pays
    wide = {"weights": 800_000, "batch_size": 100, "steps_per_epoch": 600}
    assert not Estimate.of(**wide, epochs=20).pays
    assert Estimate.of(**wide, epochs=300).pays


@pytest.mark.parametrize(
    ("weights", "steps", "many"),
    [
        (1_200, 32, 6),  # 31 whole batches: 5 calls of six and one step, where 8 would leave seven
        (1_200, 28 + 1, 7),
        (1_200, 2, 1),
        (10_000_000, 32, 1),  # long steps gain nothing from sharing a call
    ],
)
def test_steps_of_a_call_leave_few_over(weights, steps, many):
    assert Estimate.of(weights, 64, steps, 10).many == many


def test_auto_leaves_a_short_run_alone():
    assert tiny.training(tiny.plan()).pace.many == 0


def test_a_choice_that_is_none_is_refused_in_one_line():
    with pytest.raises(ConfigError, match=r"fit: compile must be one of auto, on, off, got 'yes'\. Auto suits most\."):
        TrainSettings(compile="yes")
