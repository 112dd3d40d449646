"""Carrying out many plans: those whose programs agree at once, the others one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from xhat.core.component import config
from xhat.core.errors import TrainingError
from xhat.core.files import write_json
from xhat.engine.alike import Group, grouped
from xhat.engine.device import pick_device
from xhat.engine.task import Task
from xhat.engine.together import Together
from xhat.engine.trainee import Trainee
from xhat.models.fitted import Fitted
from xhat.runs.environment import environment
from xhat.runs.fit import _finish, execute
from xhat.runs.folder import RunFolder
from xhat.runs.greedy import pretrain_greedily
from xhat.runs.plan import Plan


@dataclass(frozen=True)
class Done:
    """What came of one of many plans.

    Parameters
    ----------
    fitted : Fitted, optional
        The model; none where training diverged.
    status : str
        How training ended: "finished", "stopped early" or "diverged".
    together : int
        How many models its program trained; 1 where it was trained by itself.
    why : str
        Why it diverged, or what kept it from others; empty where there is nothing to tell.
    """

    fitted: Fitted | None
    status: str
    together: int
    why: str = ""


def execute_many(
    plans: Sequence[Plan],
    *,
    out: Sequence[str | Path | None] = (),
    together: bool = True,
    watch: Callable[[int, Done], None] | None = None,
    progress: Callable[[int, int, int], None] | None = None,
) -> list[Done]:
    """Carry out plans, each as `execute` would.

    Plans whose nets, batches and steps agree train in one program of stacked weights: the same rows in the same order,
    the same draws, so that weights agree with those of single runs to rounding. A compiled program rounds in its own
    way, and Adam makes steps of any gradient that is nothing but rounding, as the encoder's is exactly at PCA.
    Adversaries, codebooks that learn from their batches, and whatever branches on its numbers are
    trained by themselves.

    Parameters
    ----------
    plans : sequence of Plan
        What to do.
    out : sequence of path, optional
        A folder for each, or none. What trains together is written when it has ended, without checkpoints.
    together : bool, default=True
        Whether to look for plans that can be trained at once.
    watch : callable, optional
        Gets the number of each plan that is done, and what came of it.
    progress : callable, optional
        Gets a program's models, its epoch and how many of them still train.

    Returns
    -------
    list of Done
        In the plans' order.
    """
    folders = [None if path is None else RunFolder(path) for path in out] or [None] * len(plans)
    for folder in folders:
        if folder is not None:
            folder.refuse_occupied()
    tasks = [_task(plan) for plan in plans] if together else []
    groups = grouped(tasks) if together else [Group((i,)) for i in range(len(plans))]
    results: dict[int, Done] = {}

    def done(i: int, result: Done) -> None:
        results[i] = result
        if watch is not None:
            watch(i, result)

    for group in groups:
        many = len(group.members)
        if many == 1:
            (i,) = group.members
            done(i, _by_itself(plans[i], folders[i], group.why_alone))
            continue
        for i in group.members:
            _prepare(plans[i])

        def told(epoch: int, left: int, many: int = many) -> None:
            if progress is not None:
                progress(many, epoch, left)

        outcomes = Together([tasks[i] for i in group.members], group.places, told).run()
        for i, outcome in zip(group.members, outcomes, strict=True):
            if outcome.status == "diverged":
                done(i, Done(None, outcome.status, many, outcome.why))
                continue
            fitted, folder = _fitted(plans[i]), folders[i]
            if folder is not None:
                write_json(folder.environment, environment(fitted.device))
            _finish(plans[i], fitted, cast(Any, outcome), folder)
            done(i, Done(fitted, outcome.status, many))
    return [results[i] for i in range(len(plans))]


def _task(plan: Plan) -> Task:
    trainee = Trainee(plan.recipe.model, plan.recipe.objective, plan.scaling).to(pick_device(plan.settings.device))
    return Task(trainee, plan.data, plan.split.train, plan.split.validation, plan.settings)


def _prepare(plan: Plan) -> None:
    if plan.origin["init"] == "greedy":
        pretrain_greedily(plan)


def _fitted(plan: Plan) -> Fitted:
    return Fitted(plan.recipe.model, plan.scaling, plan.data.schema, config(plan.recipe.objective), origin=plan.origin)


def _by_itself(plan: Plan, folder: RunFolder | None, why: str) -> Done:
    try:
        fitted = execute(plan, out=None if folder is None else folder.path)
    except TrainingError as error:
        return Done(None, "diverged", 1, error.message)
    if fitted.summary["status"] == "interrupted":
        raise KeyboardInterrupt
    return Done(fitted, str(fitted.summary["status"]), 1, why)
