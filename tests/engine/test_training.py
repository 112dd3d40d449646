import math
import random
from dataclasses import replace

import numpy as np
import pytest
import tiny
import torch

from xhat.core.errors import DataError, TrainingError
from xhat.core.loss import Loss
from xhat.core.objective import Objective
from xhat.engine.hook import Hook
from xhat.engine.training import evaluate
from xhat.models.recipe import Recipe
from xhat.parts.objectives.mmd import MMD


class Poisoned(Objective):
    """The squared error, and no number from a step on; or at the first validation after it."""

    shapes_prior = False

    def __init__(self, step: int, part: str = "training", value: float = math.nan) -> None:
        super().__init__()
        self.step, self.part, self.value, self.seen = step, part, value, 0

    def forward(self, model, batch):
        self.seen += self.training
        squares = (model.reconstruct(batch) - batch.x).square().flatten(1).sum(1)
        poisoned = self.seen >= self.step and self.training == (self.part == "training")
        return Loss(distortion=squares, extra=squares.detach() * (self.value if poisoned else 0.0))


class Keep(Hook):
    """Remember the weights after each epoch."""

    def __init__(self) -> None:
        self.weights = []

    def on_epoch(self, training, epoch):
        self.weights.append({name: value.clone() for name, value in training.trainee.state_dict().items()})


class Spoil(Hook):
    """Ruin the weights at an epoch's end, so that those after it are worse."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_epoch(self, training, epoch):
        if epoch.epoch == self.epoch:
            with torch.no_grad():
                for parameter in training.trainee.model.parameters():
                    parameter.add_(3.0)


def poisoned(step: int, *hooks, **options):
    settings = {name: options.pop(name) for name in ("batch_size", "epochs") if name in options}
    recipe = Recipe(tiny.plan().recipe.model, Poisoned(step, **options))
    return tiny.training(tiny.plan(recipe, **settings), *hooks)


# What a run does


@pytest.mark.parametrize("kind", tiny.KINDS)
def test_a_run_learns_and_ends_finished_in_evaluation_mode(kind):
    run = tiny.training(tiny.plan(kind, epochs=3))
    assert run.status == "running"
    assert run.run() == run.status == "finished"
    assert [epoch.epoch for epoch in run.history.epochs] == [0, 1, 2, 3]
    assert run.history.best.score < run.history.epochs[0].score
    assert not run.trainee.training
    assert run.step.done == 3 * tiny.STEPS


def test_means_of_training_are_over_rows_not_over_batches():
    # So small a rate moves no weight: what stands before training then says what an epoch must say. Its last batch
    # has 20 rows and the others 32.
    plan = tiny.plan(lr=1e-30, epochs=1)
    run = tiny.training(plan)
    run.run()
    for part, rows in (("train", plan.split.train), ("validation", plan.split.validation)):
        x = plan.data.x[rows].double().flatten(1) / 16  # (B, 64)
        with torch.no_grad():
            copies = plan.recipe.model.reconstruct(x.float().unflatten(1, (1, 8, 8))).double().flatten(1)
        scale = plan.recipe.model.likelihood.scale
        nats = 0.5 * ((x - copies) / scale).square().sum(1) + 64 * math.log(scale) + 32 * math.log(2 * math.pi)  # (B,)
        assert getattr(run.history.epochs[1], part) == {"distortion": pytest.approx(float(nats.mean()), rel=1e-5)}


class Weighed:
    """The rows of some data, each with a weight."""

    def __init__(self, data, weight):
        self.data, self.weight, self.y = data, weight, data.y

    def __len__(self):
        return len(self.data)

    def batch(self, rows):
        return replace(self.data.batch(rows), weight=self.weight[rows])


def test_means_are_over_the_weights_of_rows_though_a_batch_has_none():
    plan = tiny.plan(lr=1e-30, epochs=1)
    weight = torch.rand(len(plan.data))
    weight[plan.split.validation[::2]] = 0
    run = tiny.training(plan)
    weight[run.order.epoch(1)[:32]] = 0  # the first batch as a whole
    run.data = Weighed(plan.data, weight)
    run.run()
    for part, rows in (("train", plan.split.train), ("validation", plan.split.validation)):
        with torch.no_grad():
            nats = run.trainee.eval()(plan.data.batch(rows)).terms["distortion"].double()
        expected = float((weight[rows] * nats).sum() / weight[rows].sum())
        assert getattr(run.history.epochs[1], part) == {"distortion": pytest.approx(expected, rel=1e-5)}


def test_rows_that_all_count_nothing_cannot_be_judged_by():
    run = tiny.training(tiny.plan())
    run.data = Weighed(run.data, torch.zeros(len(run.data)))
    with pytest.raises(DataError, match="evaluate: rows must not all have a weight of 0"):
        run.run()


def test_every_term_is_kept_for_training_and_validation():
    run = tiny.training(tiny.plan("aae"))
    run.run()
    end = run.history.epochs[-1]
    assert set(end.train) == {"distortion", "fooling", "critic_real", "critic_fake"}
    assert set(end.validation) == {"distortion", "fooling"}
    assert end.score == end.validation["distortion"]  # what the objective monitors
    vae = tiny.training(tiny.plan("vae"))
    vae.run()
    assert vae.history.epochs[-1].score == pytest.approx(sum(vae.history.epochs[-1].validation.values()))


def test_the_rate_and_the_time_of_an_epoch_are_kept():
    run = tiny.training(tiny.plan(lr=1e-3))
    run.run()
    rates = [epoch.lr for epoch in run.history.epochs]
    assert rates[0] == 0
    assert rates[1] > rates[2] > 0
    assert rates[2] < 0.03 * 1e-3  # the cycle ends where the steps' noise has gone
    assert all(epoch.seconds > 0 for epoch in run.history.epochs)


def test_the_objective_is_told_how_far_the_run_is():
    class Watch(Hook):
        seen = ()

        def on_step(self, training):
            self.seen += (training.trainee.objective.epoch,)

    watch = Watch()
    tiny.training(tiny.plan(), watch).run()
    assert watch.seen == pytest.approx([step / tiny.STEPS for step in range(2 * tiny.STEPS)])


def test_hooks_are_called_in_order():
    class Tell(Hook):
        def __init__(self):
            self.events = []

        def on_start(self, training):
            self.events.append("start")

        def on_step(self, training):
            self.events.append(training.step.done)

        def on_epoch(self, training, epoch):
            self.events.append(f"epoch {epoch.epoch}")

        def on_stop(self, training):
            self.events.append(training.status)

    tell = Tell()
    tiny.training(tiny.plan(epochs=1), tell).run()
    assert tell.events == ["start", "epoch 0", 1, 2, 3, 4, 5, 6, "epoch 1", "finished"]


def test_every_hook_is_told_of_the_end_though_one_fails():
    class Fail(Hook):
        def on_stop(self, training):
            raise OSError("full")

    class Stop(Hook):
        stopped = False

        def on_stop(self, training):
            self.stopped = True

    before, after = Stop(), Stop()
    run = tiny.training(tiny.plan(), before, Fail(), after)
    with pytest.raises(OSError, match="full"):
        run.run()
    assert before.stopped
    assert after.stopped
    assert not run.trainee.training


@pytest.mark.parametrize("kind", [*tiny.KINDS, "mmd"])
def test_a_last_batch_of_one_row_is_harmless(kind):
    recipe = Recipe(tiny.plan().recipe.model, MMD()) if kind == "mmd" else kind
    run = tiny.training(tiny.plan(recipe, batch_size=179, epochs=2))
    assert run.steps_per_epoch == 2
    assert run.run() == "finished"
    assert all(map(math.isfinite, run.history.epochs[-1].train.values()))


# Its best weights


def test_the_best_weights_are_put_back():
    keep = Keep()
    run = tiny.training(tiny.plan(epochs=4), keep, Spoil(2))
    run.run()
    assert run.history.best.epoch == 2
    assert tiny.same(dict(run.trainee.state_dict()), keep.weights[2])
    assert not tiny.same(keep.weights[4], keep.weights[2])


def test_what_stands_before_training_is_a_candidate():
    keep = Keep()
    run = tiny.training(tiny.plan(epochs=2), keep, Spoil(0))
    run.run()
    assert run.history.best.epoch == 0
    assert run.history.epochs[0].train == {}
    assert tiny.same(dict(run.trainee.state_dict()), keep.weights[0])


@pytest.mark.parametrize(("patience", "last"), [(1, 2), (3, 4)])
def test_it_stops_early_when_patience_ends(patience, last):
    run = tiny.training(tiny.plan(epochs=8, patience=patience), Spoil(1))
    assert run.run() == "stopped early"
    assert [epoch.epoch for epoch in run.history.epochs] == list(range(last + 1))
    assert run.history.best.epoch == 1


# Randomness


def test_no_global_random_state_is_touched_and_none_is_read():
    def states():
        return torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002

    before = states()
    first = tiny.fit("vae")
    first.sample(3)
    assert states() == before
    torch.manual_seed(99)
    np.random.seed(99)  # noqa: NPY002
    random.seed(99)
    second = tiny.fit("vae")
    assert tiny.same(dict(first.model.state_dict()), dict(second.model.state_dict()))
    assert tiny.same(first.history.to_list(), second.history.to_list())


@pytest.mark.parametrize("kind", tiny.KINDS)
def test_a_seed_gives_the_same_weights_bit_for_bit_and_another_gives_others(kind):
    one, two, other = (dict(tiny.fit(kind, epochs=1, seed=seed).model.state_dict()) for seed in (5, 5, 6))
    assert tiny.same(one, two)
    assert not tiny.same(one, other)


def test_evaluation_is_deterministic_and_leaves_everything_as_it_was():
    run = tiny.training(tiny.plan("vae"))
    rows, before = run.validation_rows, torch.get_rng_state()
    run.trainee.train()
    one = evaluate(run.trainee, run.data, rows, 0)
    assert one == evaluate(run.trainee, run.data, rows, 0)
    assert one != evaluate(run.trainee, run.data, rows, 1)  # it draws
    assert torch.equal(torch.get_rng_state(), before)
    assert run.trainee.training
    run.trainee.eval()
    evaluate(run.trainee, run.data, rows, 0)
    assert not run.trainee.training


def test_a_run_is_the_same_whatever_evaluation_draws():
    once, often = tiny.training(tiny.plan("vae")), tiny.training(tiny.plan("vae"), Evaluate())
    once.run()
    often.run()
    assert tiny.same(dict(once.trainee.state_dict()), dict(often.trainee.state_dict()))


class Evaluate(Hook):
    def on_step(self, training):
        evaluate(training.trainee, training.data, training.validation_rows, training.step.done)


# A loss that is no number


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_no_number_stops_the_run_with_the_last_good_weights(value):
    keep = Keep()
    run = poisoned(tiny.STEPS + 2, keep, value=value, epochs=5)
    with pytest.raises(TrainingError) as error:
        run.run()
    assert str(error.value) == (
        f"epoch 2: the training term 'extra' must stay finite, got {value}. "
        "Try --lr 0.0002, or --scale standard if the data's columns differ in size."
    )
    assert run.status == "diverged"
    assert run.history.best.epoch == 1
    assert tiny.same(dict(run.trainee.state_dict()), keep.weights[1])
    assert not run.trainee.training


def test_a_validation_that_is_no_number_stops_it_as_well():
    run = poisoned(tiny.STEPS, part="validation")
    with pytest.raises(TrainingError, match="epoch 1: the validation term 'extra' must stay finite, got nan"):
        run.run()
    assert run.history.best.epoch == 0


def test_before_the_first_step_there_is_nothing_to_keep():
    run = poisoned(0, part="validation")
    with pytest.raises(TrainingError, match="epoch 0"):
        run.run()
    assert run.best == {}


def test_in_a_long_epoch_it_is_seen_before_the_end():
    run = poisoned(5, batch_size=1)
    with pytest.raises(TrainingError, match="epoch 1"):
        run.run()
    assert run.step.done == 100


def test_a_rate_that_is_much_too_high_ends_so():
    run = tiny.training(tiny.plan(lr=1e30))
    with pytest.raises(TrainingError, match=r"term 'distortion' must stay finite, got (nan|inf)\. Try --lr 1e\+29"):
        run.run()
    assert all(torch.isfinite(p).all() for p in run.trainee.parameters())
